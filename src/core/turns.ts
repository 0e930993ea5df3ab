import type { Effect } from './effects.ts';
import { isOut } from './health.ts';
import { held, hold, letGo, shutGate } from './holding.ts';
import { goesFreely } from './members.ts';
import { movingWaiter, pickWithout } from './moving.ts';
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
    return now - waiter.since < GATE_MS ? [] : [turnNow(lease, waiter, context)];
  }
  for (const subject of undecided) shutGate(pool, subject, lease, now);
  return [turnNow(lease, waiter, context)];
}

function leaveBadMember(pool: PoolState, lease: LeaseState, waiter: TurnWaiter, context: Context): void {
  const bad = held(lease).filter((subject) => isOut(subject.health.state) || isSuspect(subject));
  if (bad.length === 0) return;
  const exclude = bad.map((subject) => subject.id);
  const other = pickWithout(pool, lease, movingWaiter(lease, waiter, exclude, context), context);
  if (!other) return;
  letGo(pool, lease);
  hold(lease, other);
}

function turnNow(lease: LeaseState, waiter: TurnWaiter, context: Context): Effect {
  const { now } = context;
  const waits = held(lease).map((subject) => {
    const spec = lease.roster.of.get(subject)?.spec;
    const paced = spec?.rpm ? reserveTurn(subject.pace, spec.rpm, now) : 0;
    const cooling = subject.health.state === 'cooling' ? subject.health.until - now : 0;
    return cooling > lease.spec.acquireTimeoutMs ? paced : Math.max(paced, cooling);
  });
  lease.free = goesFreely(lease.roster, lease);
  return { type: 'turn', to: waiter, lease, delayMs: Math.max(0, ...waits) };
}

function isUndecided(subject: Subject, lease: LeaseState): boolean {
  if (subject.health.state === 'half-open') return subject.health.probe === lease.id;
  return !subject.proven && subject.health.state === 'healthy';
}
