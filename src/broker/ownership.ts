import type { PoolState } from '../core/subject.ts';

/** Whether a lease, or the wait for it, is another link's: whoever only knows its id has no say in it. */
export function isForeign(pool: PoolState | undefined, lease: string, link: string): boolean {
  const known =
    pool?.leases.get(lease) ?? pool?.claiming.get(lease) ?? pool?.queue.find(({ id }) => id === lease);
  return known !== undefined && known.link !== link;
}
