import { applyOutcome } from './blame/apply.ts';
import { emitChanges, endFastPaths } from './changes.ts';
import { charge } from './pace/budget.ts';
import { budgetOf, settleIn, takeOutUsedUp } from './pace/key-budgets.ts';
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

/** What a request of a lease used of its key's budget; null: as much as was expected. */
export function reportSpent(
  pool: PoolState,
  leaseId: string,
  { id, tokens }: { readonly id: string; readonly tokens: number | null },
  context: Context,
): Effect[] {
  const lease = pool.leases.get(leaseId);
  const drawn = lease ? budgetOf(pool, lease, context) : null;
  const isKnown = settleIn(pool, id, tokens, context.now);
  if (!isKnown && drawn && tokens !== null) charge(drawn.budget, { id, lease: leaseId, tokens }, context.now);
  const changes = lease && drawn && !pool.shared ? takeOutUsedUp(pool, lease, drawn, context) : [];
  return [...emitChanges(pool, changes), ...schedule(pool, context)];
}
