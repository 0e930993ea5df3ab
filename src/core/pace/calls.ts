import { addressOf, slotsOf } from '../leases/permits.ts';
import type { Effect } from '../effects.ts';
import { isOut } from '../health/states.ts';
import { held, holdLatest, letGo, shutGate } from '../leases/holding.ts';
import { goesFreely } from '../leases/selection.ts';
import { movingWaiter, pickWithout } from '../leases/moving.ts';
import { type Lane, laneOf } from './model-limits.ts';
import { currentPace } from './learned-pace.ts';
import { reserveTurn, startTurn, untilTurn } from './pace.ts';
import { isOutdated } from '../revision.ts';
import { rosterOf } from '../resolved-pool.ts';
import {
  type Context,
  isSuspect,
  type LeaseState,
  type PoolState,
  type Subject,
  type TurnWaiter,
} from '../state.ts';

/** How long others wait for the attempt that finds out whether an unproven member works. */
const GATE_MS = 3_000;

/** A call that may go anywhere takes its lease away from a member that is out or suspect, where another is free. */
export function leaveBadMember(pool: PoolState, waiter: TurnWaiter, context: Context): Effect[] {
  const lease = pool.leases.get(waiter.lease);
  if (!lease || !waiter.movable || lease.claim === 'pending') return [];
  const bad = held(lease).filter(
    (subject) =>
      isOut(subject.health.state) ||
      isSuspect(subject) ||
      laneOf(subject, lease.need).coolUntil > context.now,
  );
  if (bad.length === 0 || isOutdated(pool, lease.latest)) return [];
  const exclude = bad.map((subject) => subject.id);
  const other = pickWithout(pool, lease, movingWaiter(lease, waiter, exclude, context), context);
  if (!other || (pool.shared && slotsOf(pool, rosterOf(pool, lease.latest, context), other).length > 0))
    return [];
  // From one suspect to the next would be no gain, and would go to and fro for ever.
  if ([other.endpoint, other.key].some((subject) => subject && isSuspect(subject))) return [];
  const unclaim: Effect[] = lease.claim === 'held' ? [{ type: 'unclaim', lease: lease.id }] : [];
  lease.claim = 'none';
  letGo(pool, lease);
  holdLatest(pool, lease, other, context);
  waiter.dueAt = null;
  return [...unclaim, { type: 'moved', lease }];
}

/** Decides a waiting turn; no effect where it waits on. */
export function takeTurn(pool: PoolState, waiter: TurnWaiter, context: Context): Effect[] {
  const { now } = context;
  const lease = pool.leases.get(waiter.lease);
  if (!lease) return [{ type: 'stay', to: waiter, why: 'the lease is gone' }];
  if (waitsForMember(pool, lease)) return [];
  const undecided = held(lease).filter((subject) => isUndecided(subject, lease));
  if (now - waiter.since < GATE_MS && undecided.some((subject) => isShut(subject, lease, now))) return [];
  // A turn that was reserved before a pause is worth nothing after it: all that waited would go at once.
  const pauseEnds = pauseOf(lease, now);
  if (pauseEnds > now) {
    waiter.dueAt = null;
    return [];
  }
  waiter.dueAt ??= now + (pool.shared ? 0 : reserve(lease, now));
  if (waiter.dueAt > now) return [];
  const stillMs = pool.shared ? 0 : start(lease, now);
  if (stillMs > 0) {
    waiter.dueAt = now + stillMs;
    return [];
  }
  for (const subject of undecided) if (!isShut(subject, lease, now)) shutGate(pool, subject, lease, now);
  lease.free = goesFreely(lease.roster, lease, lease.need);
  return [
    { type: 'turn', to: waiter, lease, delayMs: 0, paces: pool.shared ? pacesOf(pool, lease, now) : [] },
  ];
}

/** It is about to get one, or to hear that there is none. */
function waitsForMember(pool: PoolState, lease: LeaseState): boolean {
  if (lease.claim === 'pending') return true;
  return !lease.endpoint && !lease.key && pool.queue.some((waiter) => waiter.id === lease.id);
}

/** When a waiting turn is to be looked at again. */
export function nextLook(pool: PoolState, waiter: TurnWaiter, now: number): number {
  let next = waiter.dueAt !== null && waiter.dueAt > now ? waiter.dueAt : Infinity;
  if (waiter.since + GATE_MS > now) next = Math.min(next, waiter.since + GATE_MS);
  const lease = pool.leases.get(waiter.lease);
  if (!lease) return next;
  for (const subject of held(lease)) {
    if (subject.gate && isShut(subject, lease, now)) next = Math.min(next, subject.gate.since + GATE_MS);
  }
  const pauseEnds = pauseOf(lease, now);
  return pauseEnds > now ? Math.min(next, pauseEnds) : next;
}

/** Another lease's attempt finds out whether the subject works. */
function isShut(subject: Subject, lease: LeaseState, now: number): boolean {
  return subject.gate !== null && subject.gate.lease !== lease.id && now - subject.gate.since < GATE_MS;
}

/** When the server's pause for this lease's member ends; 0 where there is none, or one too long to wait for. */
function pauseOf(lease: LeaseState, now: number): number {
  let ends = 0;
  for (const subject of held(lease)) {
    const { health } = subject;
    ends = Math.max(
      ends,
      health.state === 'cooling' ? health.until : 0,
      laneOf(subject, lease.need).coolUntil,
    );
  }
  return ends - now > lease.spec.acquireTimeoutMs ? 0 : ends;
}

/** Reserves the turns of the lease's member; tells how long to wait for the last of them. */
function reserve(lease: LeaseState, now: number): number {
  let delayMs = 0;
  for (const subject of held(lease)) {
    const lane = laneOf(subject, lease.need);
    const rpm = paceOf(lease, subject, lane, now);
    if (rpm !== Infinity) delayMs = Math.max(delayMs, reserveTurn(lane.pace, rpm, now));
  }
  return delayMs;
}

/** Starts the call, or tells how long it still has to wait: turns before it may have been told late. */
function start(lease: LeaseState, now: number): number {
  const paced = held(lease).flatMap((subject) => {
    const lane = laneOf(subject, lease.need);
    const rpm = paceOf(lease, subject, lane, now);
    return rpm === Infinity ? [] : [{ pace: lane.pace, rpm }];
  });
  const stillMs = Math.max(0, ...paced.map(({ pace, rpm }) => untilTurn(pace, rpm, now)));
  if (stillMs === 0) for (const { pace, rpm } of paced) startTurn(pace, rpm, lease.id, now);
  return stillMs;
}

/** The paces that all machines share. */
function pacesOf(pool: PoolState, lease: LeaseState, now: number): { subject: string; rpm: number }[] {
  const model = lease.need['model'] === undefined ? '' : ` ${lease.need['model']}`;
  return held(lease).flatMap((subject) => {
    const rpm = paceOf(lease, subject, laneOf(subject, lease.need), now);
    return rpm === Infinity ? [] : [{ subject: `${addressOf(pool, subject)}${model}`, rpm }];
  });
}

/** Calls a minute: the configured limit, or the lower one that refusals taught. */
function paceOf(lease: LeaseState, subject: Subject, { learned }: Lane, now: number): number {
  const configured = lease.roster.of.get(subject)?.spec.rpm ?? Infinity;
  return Math.min(configured, learned ? currentPace(learned, now) : Infinity);
}

function isUndecided(subject: Subject, lease: LeaseState): boolean {
  if (subject.health.state === 'half-open') return subject.health.probe === lease.id;
  return !subject.proven && subject.health.state === 'healthy';
}
