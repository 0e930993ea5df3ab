import { fingerprint, identity } from '../../shared/fingerprint.ts';
import { withoutLogins } from '../../shared/redact.ts';
import { sameAddress } from '../schema/addresses.ts';
import { isObject } from '../json.ts';
import { fieldPath, formatPath, type Path } from '../problems.ts';
import { redactorOf } from '../redactor.ts';
import { isPublicField } from '../secrets.ts';
import type { EndpointConfig, KeyConfig, LoadedConfig, PoolConfig } from '../types.ts';

/** A value of a configuration as it may be shown: a secret is its fingerprint, a text with variables as the file has it. */
export type ConfigValue =
  string | number | boolean | readonly ConfigValue[] | { readonly [field: string]: ConfigValue | undefined };

/**
 * One field that an edit changed. `old` is undefined where it is new, `new` where it is gone. Members are matched by
 * what they are, then by name, so that their order makes no change and a new name is a change of `name` only.
 */
export interface ConfigFieldChange {
  /** Such as `pools.api.keys.ci-1.maxConcurrent`: members by name. */
  readonly path: string;
  readonly old: ConfigValue | undefined;
  readonly new: ConfigValue | undefined;
}

/** With the path of a member that had another name. */
type FoundChange = ConfigFieldChange & { readonly oldPath?: string };

type Shown = { readonly [field: string]: ConfigValue | undefined };

/** What differs between two configurations, in the order of the new one. */
export function changesBetween(old: LoadedConfig, next: LoadedConfig): ConfigFieldChange[] {
  const { pools: oldPools, ...oldRest } = shownRoot(old);
  const { pools: nextPools, ...nextRest } = shownRoot(next);
  const changes: FoundChange[] = [];
  compare([], oldRest, nextRest, changes);
  const names = new Set([...Object.keys(next.pools), ...Object.keys(old.pools)]);
  for (const name of names) {
    const [before, after] = [old.pools[name], next.pools[name]];
    const path = ['pools', name];
    if (before && after) comparePools(path, [before, old.name], [after, next.name], changes);
    else
      changes.push({ path: formatPath(path), old: before && summary(before), new: after && summary(after) });
  }
  return changes.map(({ path, oldPath = path, old: before, new: after }) => ({
    path,
    old: asWritten(before, oldPath, old),
    new: asWritten(after, path, next),
  }));
}

/** A change in one line. */
export function changeText({ path, old, new: next }: ConfigFieldChange): string {
  const isMember = (value: unknown): boolean => isObject(value) && !Array.isArray(value);
  if (old === undefined && isMember(next)) return `${path} added`;
  if (next === undefined && isMember(old)) return `${path} removed`;
  return `${path}: ${inWords(old)} → ${inWords(next)}`;
}

/** A value without what variables and secrets hold. */
function asWritten<T extends ConfigValue | undefined>(shown: T, path: string, config: LoadedConfig): T {
  const redact = redactorOf(config);
  const { written } = config;
  const within = (value: ConfigValue | undefined, at: string): ConfigValue | undefined => {
    if (typeof value === 'string') return redact(withoutLogins(written[at] ?? value));
    if (Array.isArray(value))
      return value.map((item: ConfigValue, index) => within(item, `${at}[${index}]`)!);
    if (!isShown(value)) return value;
    const fields = Object.entries(value).map(([name, field]) => [name, within(field, fieldPath(at, name))]);
    return Object.fromEntries(fields) as Shown;
  };
  return within(shown, path) as T;
}

function inWords(value: ConfigValue | undefined): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function comparePools(
  path: Path,
  [old, oldProject]: [PoolConfig, string],
  [next, nextProject]: [PoolConfig, string],
  changes: FoundChange[],
): void {
  compare(path, shownPool(old), shownPool(next), changes);
  compareMembers(
    [...path, 'endpoints'],
    old.endpoints.map((endpoint) => shownEndpoint(endpoint, oldProject)),
    next.endpoints.map((endpoint) => shownEndpoint(endpoint, nextProject)),
    changes,
  );
  const shown = (keys: readonly KeyConfig[], project: string): MemberValues[] =>
    keys.map((key) => shownKey(key, project));
  compareMembers([...path, 'keys'], shown(old.keys, oldProject), shown(next.keys, nextProject), changes);
}

interface MemberValues {
  readonly name: string;
  readonly identity: string;
  readonly fields: Shown;
}

function compareMembers(
  path: Path,
  old: readonly MemberValues[],
  next: readonly MemberValues[],
  changes: FoundChange[],
): void {
  const left = new Set(old);
  const take = (fits: (member: MemberValues) => boolean): MemberValues | undefined => {
    const found = [...left].find(fits);
    if (found) left.delete(found);
    return found;
  };
  const same = new Map(next.map((member) => [member, take((other) => other.identity === member.identity)]));
  for (const member of next) {
    const before = same.get(member) ?? take((other) => other.name === member.name);
    const place = [...path, member.name];
    if (before) compare(place, before.fields, member.fields, changes, [...path, before.name]);
    else changes.push({ path: formatPath(place), old: undefined, new: member.fields });
  }
  for (const { name, fields } of left)
    changes.push({ path: formatPath([...path, name]), old: fields, new: undefined });
}

function compare(path: Path, old: Shown, next: Shown, changes: FoundChange[], oldPath: Path = path): void {
  for (const field of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const [before, after] = [old[field], next[field]];
    if (isShown(before) && isShown(after))
      compare([...path, field], before, after, changes, [...oldPath, field]);
    else if (JSON.stringify(before) !== JSON.stringify(after))
      changes.push({
        path: formatPath([...path, field]),
        oldPath: formatPath([...oldPath, field]),
        old: before,
        new: after,
      });
  }
}

function isShown(value: ConfigValue | undefined): value is Shown {
  return isObject(value) && !Array.isArray(value);
}

function shownRoot({ name, store, pools, retryTests, gate }: LoadedConfig): Shown & { pools: undefined } {
  return { name, store: withoutLogins(store), retryTests, gate: { ...gate }, pools: pools && undefined };
}

function shownPool({ endpoints: _, keys: __, ...policy }: PoolConfig): Shown {
  return JSON.parse(JSON.stringify(policy)) as Shown;
}

function summary({ endpoints, keys }: PoolConfig): Shown {
  return { endpoints: endpoints.map(({ name }) => name), keys: keys.map(({ name }) => name) };
}

function shownEndpoint(endpoint: EndpointConfig, project: string): MemberValues {
  const fields = {
    ...endpoint,
    proxy: endpoint.proxy && withoutLogins(endpoint.proxy),
    headers: fingerprints(endpoint.headers, project),
  };
  return { name: endpoint.name, identity: sameAddress(endpoint.url), fields };
}

function shownKey(key: KeyConfig, project: string): MemberValues {
  const { value, fields, totp, labels, ...rest } = key;
  return {
    name: key.name,
    identity: identity(project, key),
    fields: {
      ...rest,
      value: value === undefined ? undefined : fingerprint(project, value),
      fields: fingerprints(fields, project),
      totp: totp === undefined ? undefined : fingerprint(project, totp),
      labels: { ...labels },
    },
  };
}

function fingerprints(secrets: Readonly<Record<string, string>>, project: string): Shown {
  const shown = Object.entries(secrets).map(([name, secret]) => [
    name,
    isPublicField(name) ? secret : fingerprint(project, secret),
  ]);
  return Object.fromEntries(shown) as Shown;
}
