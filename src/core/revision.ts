import type { PoolState } from './state.ts';
import type { PoolSpec } from './types.ts';

/** Another revision of the configuration is in force, and this link has not told its pools of that one yet. */
export function isOutdated(pool: PoolState, spec: PoolSpec): boolean {
  return pool.revision !== null && spec.revision !== undefined && spec.revision !== pool.revision;
}
