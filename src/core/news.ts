import type { Effect } from './effects.ts';
import { held } from './holding.ts';
import type { HealthChange, PoolState } from './subject.ts';

/** Tells of changes, and makes the leases on members that are no longer simply healthy ask for turns. */
export function announce(pool: PoolState, changes: readonly HealthChange[]): Effect[] {
  if (changes.length === 0) return [];
  const effects: Effect[] = changes.map((change) => ({ type: 'changed', change }));
  for (const lease of pool.leases.values()) {
    if (!lease.free || held(lease).every((subject) => subject.health.state === 'healthy')) continue;
    lease.free = false;
    effects.push({ type: 'gated', lease });
  }
  return effects;
}
