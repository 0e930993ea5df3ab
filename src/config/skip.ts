import type { LoadedConfig } from './types.ts';
import type { Resolution } from './variables.ts';

/** The pools that say `"whenUnset": "skip"` and have an unset variable, with the reason. */
export function skippedPools({ value, unset }: Resolution): Record<string, string> {
  const skipped: Record<string, string> = Object.create(null);
  for (const [name, pool] of Object.entries(poolsOf(value))) {
    if (!isObject(pool) || pool['whenUnset'] !== 'skip') continue;
    const names = new Set(
      unset.filter(({ path }) => path[0] === 'pools' && path[1] === name).map((each) => each.name),
    );
    const [first, ...others] = names;
    if (first !== undefined) {
      skipped[name] =
        others.length === 0
          ? `the variable ${first} is not set`
          : `the variables ${[...names].join(', ')} are not set`;
    }
  }
  return skipped;
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
