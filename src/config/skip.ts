import type { LoadedConfig } from './types.ts';
import type { Resolution, Unset } from './variables.ts';

/** The pools with `"whenUnset": "skip"` that lack a variable or the file of a value, with the reason. */
export function skippedPools({ value, unset }: Resolution): Record<string, string> {
  const skipped: Record<string, string> = Object.create(null);
  for (const [name, pool] of Object.entries(poolsOf(value))) {
    if (!isObject(pool) || pool['whenUnset'] !== 'skip') continue;
    const missing = unset.filter(({ path }) => path[0] === 'pools' && path[1] === name);
    if (missing.length > 0) skipped[name] = reasonOf(missing);
  }
  return skipped;
}

function reasonOf(missing: readonly Unset[]): string {
  const variables = new Set(missing.flatMap(({ variable }) => variable ?? []));
  if (variables.size < 2) return [...new Set(missing.map(({ what }) => what))].join(', ');
  const files = missing.filter(({ variable }) => variable === undefined).map(({ what }) => what);
  return [`the variables ${[...variables].join(', ')} are not set`, ...new Set(files)].join(', ');
}

/** The value without those pools. */
export function withoutPools(skipped: LoadedConfig['skipped'], value: unknown): unknown {
  if (!isObject(value)) return value;
  const pools = Object.entries(poolsOf(value)).filter(([name]) => skipped[name] === undefined);
  return { ...value, pools: Object.fromEntries(pools) };
}

function poolsOf(value: unknown): Record<string, unknown> {
  return isObject(value) && isObject(value['pools']) ? value['pools'] : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
