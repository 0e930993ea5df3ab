import { applyOutcome } from './blame/apply.ts';
import { emitChanges, endFastPaths } from './changes.ts';
import { schedule } from './leases/queue.ts';
import type { RequestReport } from './request-outcome.ts';
import type { Context, Effect, PoolState } from './state.ts';

/** A request of a lease came to something: its members' health follows, and what waits for them. */
export function reportRequest(
  pool: PoolState,
  leaseId: string,
  request: RequestReport,
  context: Context,
): Effect[] {
  const lease = pool.leases.get(leaseId);
  if (!lease) return [];
  const { model } = request;
  const meant = model === undefined ? lease : { ...lease, need: { ...lease.need, model } };
  const changes = applyOutcome(pool, meant, request, context);
  const slowed = request.outcome.kind === 'rate-limit' ? endFastPaths(pool) : [];
  return [...slowed, ...emitChanges(pool, changes), ...schedule(pool, context)];
}
