import type { PoolState } from '../core/subject.ts';

/** The pool that a lease, or the wait for it, is of. */
export function poolWith(pools: Iterable<PoolState>, lease: string): PoolState | undefined {
  for (const pool of pools) if (linkOf(pool, lease) !== undefined) return pool;
  return undefined;
}

/** The link whose a lease, or the wait for it, is. */
export function linkOf(pool: PoolState, lease: string): string | undefined {
  const { leases, claiming, queue } = pool;
  const known = leases.get(lease) ?? claiming.get(lease) ?? queue.find(({ id }) => id === lease);
  return known?.link;
}
