import { evaluate, finished } from './load.ts';
import { asObject, isObject, items, type Loose } from './json.ts';
import { documentOf } from './merge.ts';
import { configError, type Finding, inWords, type Path } from './problems.ts';
import { partialConfigSchema } from './schema/schema.ts';
import type { ConfigSource } from './source.ts';
import type { LoadedConfig, ReadFile } from './types.ts';
import type { Env } from '../shared/env.ts';

/** A configuration as far as this process can use it. */
export interface AvailableConfig extends LoadedConfig {
  /** Pools that this process cannot use, with the reason. */
  readonly unavailable: Readonly<Record<string, string>>;
  /** What of a valid configuration cannot be used here, such as a key whose variable is not set. */
  readonly problems: readonly string[];
}

type MemberList = 'endpoints' | 'keys';

/** What is left out, by places in the merged value. */
interface LeftOut {
  readonly pools: Record<string, string>;
  readonly members: Set<string>;
}

/**
 * The part of an edited configuration that this environment can use: without the members whose variable is not set, and
 * without the pools that cannot be resolved. A start is stricter: there, whatever is missing is an error.
 */
export function availableConfig(
  source: ConfigSource,
  env: Env,
  valueFiles: readonly ReadFile[] = [],
): AvailableConfig {
  const { path: file } = source.layers[0]!;
  const document = documentOf(source);
  if (document.findings.length > 0) throw configError(file, document, document.findings);
  const whole = withNames(document.value);
  const left: LeftOut = { pools: Object.create(null) as Record<string, string>, members: new Set() };
  const reported: Finding[] = [];
  const folderOf = (path: Path): string => document.folderOf(inFile(path, whole, left));
  for (;;) {
    const rest = remains(whole, left);
    // Where nothing is left to use, what else is wrong does not matter.
    const isOver = Object.keys(poolsOf(rest)).length === 0;
    const { config, findings } = evaluate(file, rest, isOver ? {} : env, folderOf, partialConfigSchema);
    if (config) {
      const problems =
        reported.length === 0 ? [] : configError(file, document, reported).problems.map(inWords);
      return { ...finished(config, source, valueFiles), unavailable: left.pools, problems };
    }
    const before = countOf(left);
    for (const finding of findings) {
      const placed = { ...finding, path: inFile(finding.path, whole, left) };
      reported.push(placed);
      leaveOut(placed, whole, left);
    }
    if (countOf(left) === before)
      for (const name of Object.keys(poolsOf(whole))) left.pools[name] ??= reported[0]!.message;
  }
}

/** A whole configuration: all of it can be used here. */
export function withoutProblems(config: LoadedConfig): AvailableConfig {
  return { ...config, unavailable: {}, problems: [] };
}

/** Keys get the names that they have by their position, before a position is left out. */
function withNames(value: unknown): Loose {
  const pools = Object.entries(poolsOf(value)).map(([name, pool]) => {
    if (!isObject(pool) || !Array.isArray(pool['keys'])) return [name, pool];
    const keys = pool['keys'].map((key: unknown, index) => {
      const own = typeof key === 'string' ? { value: key } : key;
      return isObject(own) ? { name: `key-${index + 1}`, ...own } : own;
    });
    return [name, { ...pool, keys }];
  });
  return { ...asObject(value), pools: Object.fromEntries(pools) as Loose };
}

function remains(whole: Loose, left: LeftOut): Loose {
  const pools = Object.entries(poolsOf(whole)).flatMap(([name, pool]) => {
    if (name in left.pools) return [];
    if (!isObject(pool)) return [[name, pool]];
    const lists = (['endpoints', 'keys'] as const).flatMap((list) =>
      Array.isArray(pool[list])
        ? [[list, keptOf(whole, left, name, list).map((index) => items(pool[list])[index])]]
        : [],
    );
    return [[name, { ...pool, ...(Object.fromEntries(lists) as Loose) }]];
  });
  const rest = pools.length === 0 ? {} : whole;
  return { ...rest, pools: Object.fromEntries(pools) as Loose };
}

/** The positions in the merged value of the members that remain. */
function keptOf(whole: Loose, left: LeftOut, pool: string, list: MemberList): number[] {
  const all = items(asObject(poolsOf(whole)[pool])[list]);
  return all.flatMap((_, index) => (left.members.has(`${pool}/${list}/${index}`) ? [] : index));
}

/** The path of a finding of what remains, in the merged value. */
function inFile(path: Path, whole: Loose, left: LeftOut): Path {
  const [root, pool, list, index, ...rest] = path;
  if (root !== 'pools' || typeof pool !== 'string' || typeof index !== 'number' || !isList(list)) return path;
  return [root, pool, list, keptOf(whole, left, pool, list)[index] ?? index, ...rest];
}

function leaveOut({ path, message }: Finding, whole: Loose, left: LeftOut): void {
  const [root, pool, list, index] = path;
  const names = Object.keys(poolsOf(whole));
  if (root !== 'pools' || typeof pool !== 'string' || !names.includes(pool)) {
    for (const name of names) left.pools[name] ??= message;
    return;
  }
  if (isList(list) && typeof index === 'number') {
    left.members.add(`${pool}/${list}/${index}`);
    if (keptOf(whole, left, pool, list).length > 0) return;
  }
  left.pools[pool] ??= message;
}

function countOf(left: LeftOut): number {
  return Object.keys(left.pools).length + left.members.size;
}

function poolsOf(value: unknown): Loose {
  return asObject(asObject(value)['pools']);
}

function isList(step: unknown): step is MemberList {
  return step === 'endpoints' || step === 'keys';
}
