import type { PoolState } from '../core/state.ts';

/** The pool that a lease, or the wait for it, is of. */
export function poolWith(pools: Iterable<PoolState>, lease: string): PoolState | undefined {
  for (const pool of pools) if (clientOf(pool, lease) !== undefined) return pool;
  return undefined;
}

/** Whether a lease, or the wait for it, belongs to another link: knowing its id gives no rights. */
export function isForeign(pool: PoolState | undefined, lease: string, client: string): boolean {
  return pool !== undefined && clientOf(pool, lease) !== client;
}

function clientOf(pool: PoolState, lease: string): string | undefined {
  const { leases, claiming, queue } = pool;
  const known = leases.get(lease) ?? claiming.get(lease) ?? queue.find(({ id }) => id === lease);
  return known?.client;
}
