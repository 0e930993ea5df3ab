import { type Effect, granted } from '../effects.ts';
import { type Health, untilOf } from '../health/states.ts';
import { letGo } from './holding.ts';
import { announce } from '../changes.ts';
import { enqueue, pump } from './queue.ts';
import { isOutdated } from '../revision.ts';
import { addressOf } from './permits.ts';
import { changeHealth, type Context, type PoolState } from '../state.ts';

/** How long a member that another machine holds is not asked for again, unless it is heard that it became free. */
const ELSEWHERE_MS = 1_000;
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
    return [{ type: 'unclaim', lease: leaseId }, ...takeBack(pool, leaseId, context)];
  }
  lease.claim = 'held';
  const waitedMs = context.now - waiter.since;
  return [...waiter.asks.map((to) => granted(to, lease, waitedMs)), ...pump(pool, context)];
}

/** Other machines hold those slots: the waiter is first in the queue again. */
export function claimRefused(
  pool: PoolState,
  leaseId: string,
  full: readonly string[],
  retryAt: number | null,
  context: Context,
): Effect[] {
  for (const subject of pool.subjects.values()) {
    if (full.includes(addressOf(pool, subject)))
      subject.elsewhereUntil = retryAt ?? context.now + ELSEWHERE_MS;
  }
  return takeBack(pool, leaseId, context);
}

/** The store does not answer: what is held goes on, new claims wait. */
export function claimFailed(pool: PoolState, leaseId: string, context: Context): Effect[] {
  pool.storeDownUntil = context.now + STORE_DOWN_MS;
  return takeBack(pool, leaseId, context);
}

/** It was heard that other machines gave those slots back. */
export function freedElsewhere(pool: PoolState, subjects: readonly string[], context: Context): Effect[] {
  for (const subject of pool.subjects.values()) {
    if (subjects.includes(addressOf(pool, subject))) subject.elsewhereUntil = 0;
  }
  return pump(pool, context);
}

/** Takes over what another machine found out about a member. */
export function adopt(pool: PoolState, address: string, health: Health, context: Context): Effect[] {
  const subject = pool.subjects.get(address);
  if (!subject) return [];
  const { health: present } = subject;
  // Of two deadlines for the same the later one holds.
  if (present.state === health.state && (untilOf(health) ?? 0) <= (untilOf(present) ?? 0)) return [];
  const policy = { baseMs: 0, maxMs: 0 };
  const change = changeHealth(pool, subject, { type: 'adopt', health }, context.now, policy);
  return [...announce(pool, change ? [change] : []), ...pump(pool, context)];
}

function takeBack(pool: PoolState, leaseId: string, context: Context): Effect[] {
  const waiter = pool.claiming.get(leaseId);
  const lease = pool.leases.get(leaseId);
  pool.claiming.delete(leaseId);
  if (!waiter || !lease) return [];
  lease.claim = 'none';
  letGo(pool, lease);
  if (waiter.isNew) pool.leases.delete(leaseId);
  enqueue(pool, waiter);
  return pump(pool, context);
}
