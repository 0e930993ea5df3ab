import { claim } from './slots.ts';
import { granted } from '../effects.ts';
import type { Context, Effect, LeaseWaiter, PermitWaiter, PoolState, Refusal } from '../state.ts';
import { assignLatest, newLease } from './holding.ts';
import { freeFrom, probeMayFree, pickGrant, refusals } from './selection.ts';
import { probeDeadline, startProbes } from '../health/probing.ts';
import { isOutdated } from '../revision.ts';
import type { Budget } from '../pace/budget.ts';
import { leaveBadMember, leaveUsedUp, decidePermit } from '../pace/permits.ts';

const NOBODY: ReadonlySet<string> = new Set();
/** After a restart of the broker clients are back within this time, unless they stand still: also an impatient one waits. */
const RESTORE_GRACE_MS = 3_000;

/** A request that does not wait for a free member is still held for one probe at most, to learn whether a member is free. */
export function probeGraceDeadline({ since, spec }: LeaseWaiter): number {
  return probeDeadline(spec, since);
}

/** Puts a waiter where it belongs: behind those that came before it, and leases that lost their member go first. */
export function enqueue(pool: PoolState, waiter: LeaseWaiter): void {
  waiter.position ||= ++pool.lastPosition;
  const isAfter = (other: LeaseWaiter): boolean =>
    other.moving === waiter.moving ? other.position > waiter.position : waiter.moving;
  const position = pool.queue.findIndex(isAfter);
  pool.queue.splice(position === -1 ? pool.queue.length : position, 0, waiter);
}

/** A place before those that came later, for one that asked a broker before this one. */
export function positionSince(pool: PoolState, since: number): number {
  const at = pool.queue.findIndex((other) => !other.moving && other.since > since);
  const later = pool.queue[at];
  if (!later) return ++pool.lastPosition;
  const before = pool.queue[at - 1];
  return (later.position + (before && !before.moving ? before.position : 0)) / 2;
}

/** Gives out turns and members; whoever got a member, or is refused one, may have calls that wait for it. */
export function schedule(pool: PoolState, context: Context): Effect[] {
  const effects = startProbes(pool, context);
  do {
    decidePermits(pool, effects, context);
  } while (serveQueue(pool, effects, context) && pool.permitQueue.length > 0);
  return effects;
}

/** A call asks whether it may go now. The answer is `requestPermit`, with the time still to wait and the member to use. */
export function requestPermit(
  pool: PoolState,
  waiter: Omit<PermitWaiter, 'dueAt'>,
  context: Context,
): Effect[] {
  const lease = pool.leases.get(waiter.lease);
  const { model } = waiter;
  if (lease && model !== undefined && lease.need['model'] !== model)
    Object.assign(lease, { need: { ...lease.need, model }, fastPath: false });
  pool.permitQueue.push({ ...waiter, dueAt: null });
  return schedule(pool, context);
}

/** Serves the queue in order, skipping those that nothing fits now: nobody blocks others that want something else. */
function serveQueue(pool: PoolState, effects: Effect[], context: Context): boolean {
  const waiting = pool.queue.length;
  if (waiting === 0) return false;
  pool.queue = pool.queue.filter((waiter) => {
    const served = serve(pool, waiter, context);
    effects.push(...served);
    return served.length === 0;
  });
  return pool.queue.length < waiting;
}

/** Leases that leave their member do so first: a turn at the old one would be used at the new one. */
function decidePermits(pool: PoolState, effects: Effect[], context: Context): void {
  if (pool.permitQueue.length === 0) return;
  for (const waiter of pool.permitQueue)
    effects.push(...leaveUsedUp(pool, waiter, context), ...leaveBadMember(pool, waiter, context));
  const blocked = new Set<Budget>();
  pool.permitQueue = pool.permitQueue.filter((waiter) => {
    const answer = decidePermit(pool, waiter, context, blocked);
    effects.push(...answer);
    return answer.length === 0;
  });
}

function serve(pool: PoolState, waiter: LeaseWaiter, context: Context): Effect[] {
  const { now } = context;
  const waitedMs = now - waiter.since;
  if (now < pool.storeDownUntil) {
    if (now < waiter.deadline) return [];
    return refuse(waiter, now, [{ name: 'the shared store', why: pool.storeDownWhy, cause: 'fault' }]);
  }
  if (pool.awaits !== null) {
    const patientUntil = Math.max(waiter.deadline, waiter.since + RESTORE_GRACE_MS);
    if (now < patientUntil) return [];
    return refuse(waiter, now, [{ name: 'the broker', why: pool.awaits, cause: 'busy' }]);
  }
  if (isOutdated(pool, waiter.spec))
    return now < waiter.deadline ? [] : refuse(waiter, now, refusals(pool, waiter, context));
  const wanted =
    waiter.avoid.size === 0 || avoiding(pool, waiter, context) ? waiter : { ...waiter, avoid: NOBODY };
  const grant = pickGrant(pool, wanted, context);
  if (grant) {
    const lease = pool.leases.get(waiter.id) ?? newLease(pool, waiter, context);
    const claiming = claim(pool, lease, grant, waiter, context);
    if (claiming) return claiming;
    assignLatest(pool, lease, grant, context);
    pool.leases.set(lease.id, lease);
    return waiter.replyTo.map((to) => granted(to, lease, waitedMs));
  }
  const freeAt = freeFrom(pool, wanted, context);
  const hopeless = freeAt !== null && freeAt > waiter.deadline && waiter.avoidUntil <= now;
  if (now < waiter.deadline && !hopeless) return [];
  if (now < probeGraceDeadline(waiter) && probeMayFree(pool, wanted, context)) return [];
  return refuse(waiter, now, refusals(pool, wanted, context));
}

function refuse(waiter: LeaseWaiter, now: number, reasons: readonly Refusal[]): Effect[] {
  const timedOut = now >= waiter.deadline;
  const waitedMs = now - waiter.since;
  return waiter.replyTo.map((to) => ({
    type: 'refused',
    to,
    timedOut,
    deadlock: null,
    waitedMs,
    reasons,
  }));
}

/** A rerun waits for other members only where one of them can be free in time. */
function avoiding(pool: PoolState, waiter: LeaseWaiter, context: Context): boolean {
  if (context.now >= waiter.avoidUntil) return false;
  const others = { ...waiter, exclude: new Set([...waiter.exclude, ...waiter.avoid]) };
  const freeAt = freeFrom(pool, others, context);
  return freeAt === null || freeAt <= waiter.avoidUntil;
}

/** When a wait ends that can end by time alone, by the latest. */
export function lastDeadline(pool: PoolState, { deadline, since }: LeaseWaiter): number {
  return pool.awaits === null ? deadline : Math.max(deadline, since + RESTORE_GRACE_MS);
}

/** Who waits for that lease's member: in the queue, or for the shared store. */
export function waiterOf(pool: PoolState, lease: string): LeaseWaiter | undefined {
  return pool.claiming.get(lease) ?? pool.queue.find((waiter) => waiter.id === lease);
}
