import type { Effect, Context, PoolState } from '../state.ts';
import { schedule } from './queue.ts';
import type { PoolSpec } from '../types.ts';

/**
 * A link has told its pool anew. Who waits goes on waiting, by the new specification; leases stay on what they hold,
 * and move by it only. Null: the link has that pool no more.
 */
export function updateSpec(
  pool: PoolState,
  client: string,
  spec: PoolSpec | null,
  context: Context,
): Effect[] {
  const without = (old: PoolSpec): PoolSpec => {
    const { revision: _, ...rest } = old;
    return { ...rest, endpoints: [], keys: [] };
  };
  for (const waiter of [...pool.queue, ...pool.claiming.values()]) {
    if (waiter.client === client) waiter.spec = spec ?? without(waiter.spec);
  }
  for (const lease of pool.leases.values()) {
    if (lease.client === client) lease.latest = spec ?? without(lease.latest);
  }
  return schedule(pool, context);
}
