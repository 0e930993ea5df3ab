import { granted } from '../effects.ts';
import { type Effect, type Context, type PoolState } from '../state.ts';
import { type Health, untilOf, whyOf } from '../health/states.ts';
import { freeGrant } from './holding.ts';
import { emitChanges } from '../changes.ts';
import { enqueue, schedule } from './queue.ts';
import { isOutdated } from '../revision.ts';
import { addressOf } from './slots.ts';
import { changeHealth } from '../health/change.ts';

/** How long a member that another machine holds is not asked for again, unless it is heard that it became free. */
const ELSEWHERE_MS = 1_000;
/** By so much a time may differ that went over the shared store. */
const CLOCKS_DIFFER_MS = 1_000;
/** How long claims are not tried while the shared store does not answer. */
const STORE_DOWN_MS = 250;

/** The store granted the claim. */
export function claimGranted(pool: PoolState, leaseId: string, context: Context): Effect[] {
  const waiter = pool.claiming.get(leaseId);
  const lease = pool.leases.get(leaseId);
  pool.claiming.delete(leaseId);
  if (!waiter || !lease) return [{ type: 'unclaim', lease: leaseId }];
  // Meanwhile another revision may have come into force, which may not have that member.
  if (lease.spec !== waiter.spec || isOutdated(pool, lease.spec)) {
    pool.claiming.set(leaseId, waiter);
    return [{ type: 'unclaim', lease: leaseId }, ...revertClaim(pool, leaseId, context)];
  }
  lease.claim = 'held';
  const waitedMs = context.now - waiter.since;
  return [...waiter.replyTo.map((to) => granted(to, lease, waitedMs)), ...schedule(pool, context)];
}

/** Other machines hold those slots: the waiter is first in the queue again. */
export function claimRefused(
  pool: PoolState,
  leaseId: string,
  full: readonly string[],
  retryAt: number | null,
  context: Context,
): Effect[] {
  for (const member of pool.members.values()) {
    if (full.includes(addressOf(pool, member))) member.elsewhereUntil = retryAt ?? context.now + ELSEWHERE_MS;
  }
  return revertClaim(pool, leaseId, context);
}

/** The store does not answer, or refuses: what is held goes on, new claims wait. */
export function claimFailed(pool: PoolState, leaseId: string, why: string, context: Context): Effect[] {
  pool.storeDownUntil = context.now + STORE_DOWN_MS;
  pool.storeDownWhy = why;
  return revertClaim(pool, leaseId, context);
}

/** It was heard that other machines gave those slots back. */
export function freedElsewhere(pool: PoolState, members: readonly string[], context: Context): Effect[] {
  for (const member of pool.members.values()) {
    if (members.includes(addressOf(pool, member))) member.elsewhereUntil = 0;
  }
  return schedule(pool, context);
}

/** Takes over what another machine found out about a member. */
export function applyRemoteHealth(
  pool: PoolState,
  address: string,
  health: Health,
  context: Context,
): Effect[] {
  const member = pool.members.get(address);
  if (!member) return [];
  const { health: present } = member;
  if (health.state === 'reserved' && (health.until <= context.now || isSame(present, health))) return [];
  // Of two deadlines for the same the later one holds; of two reservations the later word.
  if (
    health.state !== 'reserved' &&
    present.state === health.state &&
    (untilOf(health) ?? 0) <= (untilOf(present) ?? 0)
  )
    return [];
  const policy = { baseMs: 0, maxMs: 0 };
  const change = changeHealth(pool, member, { type: 'adopt', health }, context.now, policy);
  return [...emitChanges(pool, change ? [change] : []), ...schedule(pool, context)];
}

/** The same reservation: its time may differ by what machines' clocks do. */
function isSame(present: Health, health: Health): boolean {
  const differMs = Math.abs((untilOf(present) ?? 0) - (untilOf(health) ?? 0));
  return present.state === health.state && whyOf(present) === whyOf(health) && differMs < CLOCKS_DIFFER_MS;
}

function revertClaim(pool: PoolState, leaseId: string, context: Context): Effect[] {
  const waiter = pool.claiming.get(leaseId);
  const lease = pool.leases.get(leaseId);
  pool.claiming.delete(leaseId);
  if (!waiter || !lease) return [];
  lease.claim = 'none';
  freeGrant(pool, lease);
  if (waiter.isNew) pool.leases.delete(leaseId);
  enqueue(pool, waiter);
  return schedule(pool, context);
}
