import type { Effect, HealthChange, PoolState } from './state.ts';
import { hasFastPath } from './leases/selection.ts';

/** Tells of changes, and makes the leases that they concern ask for turns. */
export function emitChanges(pool: PoolState, changes: readonly HealthChange[]): Effect[] {
  if (changes.length === 0) return [];
  return [...changes.map((change): Effect => ({ type: 'changed', change })), ...endFastPaths(pool)];
}

/** Makes leases whose member is no longer simply healthy, or has a pace now, ask for turns. */
export function endFastPaths(pool: PoolState): Effect[] {
  const effects: Effect[] = [];
  for (const lease of pool.leases.values()) {
    if (!lease.fastPath || hasFastPath(lease.resolved, lease, lease.need)) continue;
    lease.fastPath = false;
    // The grant answers those that wait for its claim.
    if (lease.claim !== 'pending') effects.push({ type: 'fast-path-ended', lease });
  }
  return effects;
}
