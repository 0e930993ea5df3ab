import { addressOf, slotsOf } from './slots.ts';
import type { Effect } from './effects.ts';
import { isOut } from './health.ts';
import { held, hold, letGo, shutGate } from './holding.ts';
import { goesFreely } from './members.ts';
import { movingWaiter, pickWithout } from './moving.ts';
import { type Lane, laneOf } from './lane.ts';
import { currentPace } from './learned-pace.ts';
import { reserveTurn } from './pace.ts';
import {
  type Context,
  isSuspect,
  type LeaseState,
  type PoolState,
  type Subject,
  type TurnWaiter,
} from './subject.ts';

/** How long others wait for the attempt that finds out whether an unproven member works. */
export const GATE_MS = 3_000;

/** Decides a waiting turn; no effect where it waits on. */
export function takeTurn(pool: PoolState, waiter: TurnWaiter, context: Context): Effect[] {
  const { now } = context;
  const lease = pool.leases.get(waiter.lease);
  if (!lease) return [{ type: 'stay', to: waiter, why: 'the lease is gone' }];
  if (waiter.movable) leaveBadMember(pool, lease, waiter, context);
  const undecided = held(lease).filter((subject) => isUndecided(subject, lease));
  if (
    undecided.some(
      (subject) => subject.gate && subject.gate.lease !== lease.id && now - subject.gate.since < GATE_MS,
    )
  ) {
    return now - waiter.since < GATE_MS ? [] : [turnNow(pool, lease, waiter, context)];
  }
  for (const subject of undecided) shutGate(pool, subject, lease, now);
  return [turnNow(pool, lease, waiter, context)];
}

function leaveBadMember(pool: PoolState, lease: LeaseState, waiter: TurnWaiter, context: Context): void {
  const bad = held(lease).filter((subject) => isOut(subject.health.state) || isSuspect(subject));
  if (bad.length === 0) return;
  const exclude = bad.map((subject) => subject.id);
  const other = pickWithout(pool, lease, movingWaiter(lease, waiter, exclude, context), context);
  if (!other || (pool.shared && slotsOf(pool, lease.roster, other).length > 0)) return;
  letGo(pool, lease);
  hold(lease, other);
}

function turnNow(pool: PoolState, lease: LeaseState, waiter: TurnWaiter, context: Context): Effect {
  const { now } = context;
  let delayMs = 0;
  const paces: { subject: string; rpm: number }[] = [];
  for (const subject of held(lease)) {
    const { health } = subject;
    const lane = laneOf(subject, lease.need);
    const cooling = Math.max(health.state === 'cooling' ? health.until : 0, lane.coolUntil) - now;
    if (cooling <= lease.spec.acquireTimeoutMs) delayMs = Math.max(delayMs, cooling);
    const rpm = paceOf(lease, subject, lane, now);
    if (rpm === Infinity) continue;
    if (pool.shared) paces.push({ subject: `${addressOf(pool, subject)}${modelSuffix(lease)}`, rpm });
    else delayMs = Math.max(delayMs, reserveTurn(lane.pace, rpm, now));
  }
  lease.free = goesFreely(lease.roster, lease, lease.need);
  return { type: 'turn', to: waiter, lease, delayMs, paces };
}

function modelSuffix({ need }: LeaseState): string {
  return need['model'] === undefined ? '' : ` ${need['model']}`;
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
