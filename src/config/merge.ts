import { dirname } from 'node:path';
import { isObject, partAt, textOf, type Loose } from './json.ts';
import { basesOf, layerLocator, parsedLayer, textFindings } from './layers.ts';
import type { Finding, Located, Path } from './problems.ts';
import { hostOf, ADDRESS } from './schema/addresses.ts';
import type { ConfigLayer, ConfigSource } from './source.ts';

/** A configuration as one value, whatever number of files it has, with the place of everything in it. */
export interface ConfigDocument {
  readonly value: unknown;
  /** What is wrong with the texts themselves. Where `broken`, there is no value. */
  readonly findings: readonly Finding[];
  readonly broken: boolean;
  readonly locate: (finding: Finding) => Located;
  /** The folder in which a relative path at this place starts. */
  readonly folderOf: (path: Path) => string;
  /** Where in the files a value of the configuration stands, the file that counts first. */
  readonly originsOf: (path: Path) => readonly Origin[];
}

export interface Origin {
  readonly layer: ConfigLayer;
  /** Its path in that file, where members may have other positions. */
  readonly path: Path;
}

type List = 'endpoints' | 'keys';
/** Of each member of a merged array, where it stands, the file that counts first. */
type MemberOrigins = readonly (readonly { readonly layer: ConfigLayer; readonly index: number }[])[];

/**
 * Pools and named members are merged by name: in the order of the files below, new ones behind them. Of all other
 * values the one of the upper file counts.
 */
export function documentOf(source: ConfigSource): ConfigDocument {
  const { layers } = source;
  const findings = layers.flatMap((layer) => [...textFindings(layer), ...shapeFindings(layer, layers[0]!)]);
  const broken = findings.some(({ path }) => path.length === 0);
  const order = precedence(layers);
  const members = new Map<string, MemberOrigins>();
  const value = broken ? undefined : merged(order, members);
  const originsOf = (path: Path): readonly Origin[] => trace(path, order, members);
  const byLayer = layerLocator(layers);
  return {
    value,
    findings,
    broken,
    originsOf,
    folderOf: (path) => dirname(originsOf(path)[0]!.layer.path),
    locate: (finding) => {
      if (finding.file !== undefined) return byLayer.locate(finding);
      const [{ layer, path } = { layer: layers[0]!, path: finding.path }] = originsOf(finding.path);
      return byLayer.locate({ ...finding, path, file: layer.path });
    },
  };
}

/** A file that others build on must be an object; the schema checks the file itself. */
function shapeFindings(layer: ConfigLayer, file: ConfigLayer): Finding[] {
  const { value, broken } = parsedLayer(layer);
  if (broken || layer === file || isPlain(value)) return [];
  return [{ path: [], message: 'must be an object: { … }', file: layer.path }];
}

/** The layers, the one that counts most first: each comes before all that it extends, and its last base counts most. */
function precedence(layers: readonly ConfigLayer[]): ConfigLayer[] {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const below = new Set<ConfigLayer>();
  const add = (layer: ConfigLayer): void => {
    for (const base of basesOf(layer)) {
      const found = byPath.get(base);
      if (found && !below.has(found)) add(found);
    }
    below.add(layer);
  };
  add(layers[0]!);
  return [...below].toReversed();
}

function merged(order: readonly ConfigLayer[], members: Map<string, MemberOrigins>): unknown {
  const [file, ...others] = order.map((layer) => ({ layer, value: parsedLayer(layer).value }));
  // What is wrong with a file that is alone is the schema's to report.
  if (others.length === 0) return isPlain(file!.value) ? without(file!.value, ['extends']) : file!.value;
  let result: Loose = Object.create(null) as Loose;
  for (const { layer, value } of [...others.toReversed(), file!]) {
    if (!isPlain(value)) return value;
    const own = without(value, layer === file!.layer ? ['extends'] : ['extends', '$schema']);
    const pools = mergePools(result['pools'], own['pools'], layer, members);
    result = Object.assign(Object.create(null), result, own, pools === undefined ? {} : { pools }) as Loose;
  }
  return result;
}

function mergePools(
  below: unknown,
  above: unknown,
  layer: ConfigLayer,
  members: Map<string, MemberOrigins>,
): unknown {
  if (!isPlain(above)) return above ?? below;
  const result: Record<string, unknown> = Object.assign(Object.create(null), below);
  for (const [name, pool] of Object.entries(above)) {
    const before = isPlain(result[name]) ? result[name] : {};
    if (!isPlain(pool)) {
      result[name] = pool;
      continue;
    }
    const lists = (['endpoints', 'keys'] as const).flatMap((list) => {
      if (pool[list] === undefined) return [];
      return [[list, mergeMembers(name, list, before[list], pool[list], layer, members)]];
    });
    result[name] = Object.assign(Object.create(null), before, pool, Object.fromEntries(lists));
  }
  return result;
}

function mergeMembers(
  pool: string,
  list: List,
  below: unknown,
  above: unknown,
  layer: ConfigLayer,
  members: Map<string, MemberOrigins>,
): unknown {
  const place = `${pool}/${list}`;
  if (!Array.isArray(above)) {
    members.delete(place);
    return above;
  }
  const result: unknown[] = Array.isArray(below) ? [...(below as unknown[])] : [];
  const origins = result.map((_, index) => members.get(place)?.[index] ?? []);
  const names = result.map((member) => nameOf(list, member));
  const taken = new Set<number>();
  for (const [index, member] of (above as unknown[]).entries()) {
    const name = nameOf(list, member);
    const known = name === undefined ? -1 : names.indexOf(name);
    const origin = { layer, index };
    // One that is named twice in one file stays there twice, for the schema to report.
    const at = known === -1 || taken.has(known) ? result.length : known;
    result[at] = at === known ? { ...longForm(list, result[at]), ...longForm(list, member) } : member;
    origins[at] = [origin, ...(at === known ? origins[at]! : [])];
    if (name !== undefined) taken.add(at);
  }
  members.set(place, origins);
  return result;
}

/** The name by which members are merged; a key has one only where it is written. */
function nameOf(list: List, member: unknown): string | undefined {
  const own = textOf(member, 'name');
  if (own !== undefined || list === 'keys') return own;
  const url = (typeof member === 'string' ? member : (textOf(member, 'url') ?? '')).trim();
  return ADDRESS.test(url) && URL.canParse(url) && !url.includes('${') ? hostOf(url) : undefined;
}

function longForm(list: List, member: unknown): Loose {
  if (isObject(member)) return member;
  return { [list === 'endpoints' ? 'url' : 'value']: member };
}

/** Follows a path of the merged value through the files, as far as they have it. */
function trace(
  path: Path,
  order: readonly ConfigLayer[],
  members: ReadonlyMap<string, MemberOrigins>,
): Origin[] {
  let origins: Origin[] = order.map((layer) => ({ layer, path: [] }));
  for (const [depth, step] of path.entries()) {
    const listed = depth === 3 && typeof step === 'number' ? members.get(`${path[1]}/${path[2]}`) : undefined;
    const next = listed
      ? (listed[step as number] ?? []).map(({ layer, index }) => ({
          layer,
          path: [...path.slice(0, 3), index],
        }))
      : origins.filter((origin) => has(origin, step)).map((origin) => withRest(origin, [step]));
    // What no file has is missing in the one that counts most.
    if (next.length === 0) return origins.slice(0, 1).map((origin) => withRest(origin, path.slice(depth)));
    origins = isMerged(path.slice(0, depth + 1)) ? next : next.slice(0, 1);
  }
  return origins;
}

function withRest({ layer, path }: Origin, rest: Path): Origin {
  return { layer, path: [...path, ...rest] };
}

/** Below this place the files are merged, not replaced by each other. */
function isMerged([root, , list, ...rest]: Path): boolean {
  return (
    root === 'pools' && (list === undefined || ((list === 'endpoints' || list === 'keys') && rest.length < 2))
  );
}

function has(origin: Origin, step: string | number): boolean {
  const value = originalAt(origin);
  // The short form of a member is one string.
  if (typeof value === 'string') return origin.path.length === 4 && (step === 'url' || step === 'value');
  return isObject(value) && value[step as string] !== undefined;
}

/** A value as it stands in its file. */
export function originalAt({ layer, path }: Origin): unknown {
  return partAt(parsedLayer(layer).value, path);
}

function isPlain(value: unknown): value is Loose {
  return isObject(value) && !Array.isArray(value);
}

function without(value: Loose, fields: readonly string[]): Loose {
  const kept = Object.entries(value).filter(([name]) => !fields.includes(name));
  return Object.assign(Object.create(null), Object.fromEntries(kept)) as Loose;
}
