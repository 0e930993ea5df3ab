import { granted, UNKNOWN_LEASE } from '../effects.ts';
import { drawsOnBudget, takeRetry } from '../pace/retry-budget.ts';
import type { Context, Effect, LeaseState, LeaseWaiter, PoolState, Refusal, ReplyTo } from '../state.ts';
import type { OutcomeKind } from '../types.ts';
import { assignLatest, freeGrant } from './holding.ts';
import { movingWaiter, pickWithout } from './moving.ts';
import { enqueue, schedule, waiterOf } from './queue.ts';
import { isOutdated } from '../revision.ts';
import { freeFrom, refusals } from './selection.ts';

const NONE: ReadonlySet<string> = new Set();

/**
 * Moves a lease to another member after a failed attempt: to one that is free now, or, where its own is of no use, by
 * giving that up and waiting. The answer is `granted`, `stay` or `refused`.
 */
export function moveLease(
  pool: PoolState,
  request: {
    to: ReplyTo;
    lease: string;
    from: { endpoint: string | null; key: string | null };
    exclude: readonly string[];
    kind: OutcomeKind;
    unsent: boolean;
    /** The longest wait; absent: as long as for a lease. */
    mostMs?: number | undefined;
  },
  context: Context,
): Effect[] {
  const lease = pool.leases.get(request.lease);
  if (!lease) return [{ type: 'lost', to: request.to, why: UNKNOWN_LEASE }];
  const waiting = waiterOf(pool, lease.id);
  if (waiting) {
    waiting.replyTo.push(request.to);
    return [];
  }
  if (!lease.endpoint && !lease.key) return [{ type: 'stay', to: request.to, why: 'it has no member now' }];
  const moved =
    (lease.endpoint?.id ?? null) !== request.from.endpoint || (lease.key?.id ?? null) !== request.from.key;
  if (moved) return [granted(request.to, lease, 0)];
  if (isOutdated(pool, lease.latest))
    return [{ type: 'stay', to: request.to, why: 'the configuration changes just now' }];
  const waiter = movingWaiter(lease, request.to, request.exclude, context, request.mostMs);
  const freeAt = freeFrom(pool, waiter, context);
  if (freeAt !== null && freeAt > waiter.deadline)
    return [
      { type: 'stay', to: request.to, why: 'no other member fits', gone: goneMembers(pool, waiter, context) },
    ];
  const other = pickWithout(pool, lease, waiter, context);
  if (!other && !isWorthWaiting(lease, request))
    return [{ type: 'stay', to: request.to, why: 'no other member is free' }];
  if (drawsOnBudget(request.kind) && !takeRetry(pool.budget, lease.spec.retryBudget)) {
    return [{ type: 'stay', to: request.to, why: 'the retry budget of this run is used up' }];
  }
  const unclaim: Effect[] = lease.claim === 'held' ? [{ type: 'unclaim', lease: lease.id }] : [];
  lease.claim = 'none';
  freeGrant(pool, lease);
  if (other && !pool.shared) {
    assignLatest(pool, lease, other, context);
    return [granted(request.to, lease, 0), ...schedule(pool, context)];
  }
  enqueue(pool, waiter);
  return [...unclaim, ...schedule(pool, context)];
}

/** Repeats a call on the same member if no better one is available. */
export function retryInPlace(pool: PoolState, leaseId: string): boolean {
  const lease = pool.leases.get(leaseId);
  return lease !== undefined && takeRetry(pool.budget, lease.spec.retryBudget);
}

/** Each member with its reason, where none of the pool can serve now: faults put them out of service. */
function goneMembers(pool: PoolState, waiter: LeaseWaiter, context: Context): readonly Refusal[] {
  const any = { ...waiter, exclude: NONE };
  return freeFrom(pool, any, context) === null ? [] : refusals(pool, any, context);
}

/** Its own member is of no use: nothing answers there, or its key never worked or has nothing left. */
function isWorthWaiting(lease: LeaseState, failure: { kind: OutcomeKind; unsent: boolean }): boolean {
  if (failure.kind === 'auth') return lease.key !== null && !lease.key.proven;
  return failure.unsent || failure.kind === 'exhausted';
}
