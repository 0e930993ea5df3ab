import { setDirty } from '../health/accounts.ts';
import type { Context, Effect, LeaseState, MemberState, PoolState } from '../state.ts';
import type { ResetReason } from '../types.ts';
import { endTrial, freeGrant } from './holding.ts';
import { settleLease } from '../pace/key-budgets.ts';
import { schedule, waiterOf } from './queue.ts';

/** `dirty`: how the account was left, where it has to be reset before its next use. */
export function releaseLease(
  pool: PoolState,
  leaseId: string,
  failed: boolean,
  context: Context,
  dirty: ResetReason | null = null,
): Effect[] {
  const lease = pool.leases.get(leaseId);
  settleLease(pool, leaseId, context.now);
  const gaveUp = cancelWaits(pool, leaseId);
  if (!lease) return [...gaveUp, ...schedule(pool, context)];
  if (failed && lease.testId !== null) {
    const members = pool.failedOn.get(lease.testId) ?? new Set();
    for (const member of [lease.endpoint, lease.key]) if (member) members.add(member.id);
    pool.failedOn.set(lease.testId, members);
  }
  return [...gaveUp, ...endLease(pool, lease, dirty), ...schedule(pool, context)];
}

/** Refuses what still waits on behalf of a released lease. */
function cancelWaits(pool: PoolState, leaseId: string): Effect[] {
  if (pool.queue.length === 0 && pool.permitQueue.length === 0 && pool.claiming.size === 0) return [];
  const waiter = waiterOf(pool, leaseId);
  const permitQueue = pool.permitQueue.filter((other) => other.lease === leaseId);
  pool.queue = pool.queue.filter((other) => other.id !== leaseId);
  pool.permitQueue = pool.permitQueue.filter((other) => other.lease !== leaseId);
  const replyTo = [...(waiter?.replyTo ?? []), ...permitQueue];
  return replyTo.map((to) => ({ type: 'stay', to, why: 'the lease was given back' }));
}

/** A client's connection is gone, and nobody reads answers to what it asked; it may come back to what it holds. */
export function cancelWaitsOf(pool: PoolState, client: string): void {
  pool.queue = pool.queue.filter((waiter) => waiter.client !== client);
  pool.permitQueue = pool.permitQueue.filter((waiter) => waiter.client !== client);
}

/** A client is back and says what it holds: what else is on the books as its own was given back meanwhile. */
export function keepOnly(pool: PoolState, client: string, held: ReadonlySet<string>): Effect[] {
  const gone = [...pool.leases.values()].filter((lease) => lease.client === client && !held.has(lease.id));
  return gone.flatMap((lease) => endLease(pool, lease, null));
}

/** A client is gone: so are its leases and its place in the queue. */
export function dropClient(pool: PoolState, client: string, context: Context): Effect[] {
  cancelWaitsOf(pool, client);
  const gone = [...pool.leases.values()].filter((lease) => lease.client === client);
  for (const { id } of gone) settleLease(pool, id, context.now);
  return [...gone.flatMap((lease) => endLease(pool, lease, 'crashed')), ...schedule(pool, context)];
}

function endLease(pool: PoolState, lease: LeaseState, dirty: ResetReason | null): Effect[] {
  const { key } = lease;
  // What was dirty before, and was not reset, stays so.
  const left = key && lease.resets && !key.dirty ? leave(pool, key, lease, dirty) : [];
  const unclaim: Effect[] = lease.claim === 'held' ? [{ type: 'unclaim', lease: lease.id }] : [];
  freeGrant(pool, lease);
  for (const member of pool.gated) if (member.trial?.lease === lease.id) endTrial(pool, member);
  pool.leases.delete(lease.id);
  pool.claiming.delete(lease.id);
  // Before others can have it.
  return [...left, ...unclaim];
}

function leave(pool: PoolState, key: MemberState, lease: LeaseState, dirty: ResetReason | null): Effect[] {
  return setDirty(pool, key, dirty === null ? null : { why: dirty, lease: lease.id }, lease.id);
}
