import type { Effect } from './effects.ts';
import { goesFreely } from './leases/selection.ts';
import type { HealthChange, PoolState } from './state.ts';

/** Tells of changes, and makes the leases that they concern ask for turns. */
export function announce(pool: PoolState, changes: readonly HealthChange[]): Effect[] {
  if (changes.length === 0) return [];
  return [...changes.map((change): Effect => ({ type: 'changed', change })), ...gateLeases(pool)];
}

/** Makes leases whose member is no longer simply healthy, or has a pace now, ask for turns. */
export function gateLeases(pool: PoolState): Effect[] {
  const effects: Effect[] = [];
  for (const lease of pool.leases.values()) {
    if (!lease.free || goesFreely(lease.roster, lease, lease.need)) continue;
    lease.free = false;
    // Whoever waits for its claim is told with the grant.
    if (lease.claim !== 'pending') effects.push({ type: 'gated', lease });
  }
  return effects;
}
