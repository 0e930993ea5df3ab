import { addressOf, slotsOf } from '../leases/slots.ts';
import {
  type Effect,
  type Context,
  type KeyOut,
  type LeaseState,
  type PoolState,
  type MemberState,
  type PermitWaiter,
  type ModelLimits,
  type SharedDraw,
} from '../state.ts';
import { isUnavailable } from '../health/states.ts';
import { membersOf, assignLatest, freeGrant, beginTrial } from '../leases/holding.ts';
import { hasFastPath } from '../leases/selection.ts';
import { movingWaiter, pickWithout } from '../leases/moving.ts';
import { emitChanges } from '../changes.ts';
import { type Budget, leaveFor, spend, type Spending } from './budget.ts';
import { budgetOf, type KeyBudget, takeOutUsedUp } from './key-budgets.ts';
import { limitsOf } from './model-limits.ts';
import { currentPace } from './learned-pace.ts';
import { type Pace, permitDelayMs, reservePermit, startPermit, untilPermit } from './pace.ts';
import { isOutdated } from '../revision.ts';
import { resolvePool } from '../resolved-pool.ts';
import { isSuspect } from '../members.ts';
import { UNKNOWN_LEASE } from '../effects.ts';

/** How long others wait for the attempt that finds out whether an unproven member works. */
const TRIAL_MS = 3_000;

/** A call that may go anywhere takes its lease away from a member that is out or suspect, where another is free. */
export function leaveBadMember(pool: PoolState, waiter: PermitWaiter, context: Context): Effect[] {
  const lease = pool.leases.get(waiter.lease);
  if (!lease || !waiter.movable || lease.claim === 'pending') return [];
  const bad = membersOf(lease).filter(
    (member) =>
      isUnavailable(member.health.state) ||
      isSuspect(member) ||
      limitsOf(member, lease.need).coolUntil > context.now,
  );
  if (bad.length === 0 || isOutdated(pool, lease.latest)) return [];
  const exclude = bad.map((member) => member.id);
  const other = pickWithout(pool, lease, movingWaiter(lease, waiter, exclude, context), context);
  if (!other || (pool.shared && slotsOf(pool, resolvePool(pool, lease.latest, context), other).length > 0))
    return [];
  // Moving from one suspect to the next gains nothing and could loop.
  if ([other.endpoint, other.key].some((member) => member && isSuspect(member))) return [];
  const unclaim: Effect[] = lease.claim === 'held' ? [{ type: 'unclaim', lease: lease.id }] : [];
  lease.claim = 'none';
  freeGrant(pool, lease);
  assignLatest(pool, lease, other, context);
  waiter.dueAt = null;
  return [...unclaim, { type: 'moved', lease }];
}

/** A call finds nothing left of its key's day: the key is out until the next one, and the call may go elsewhere. */
export function leaveUsedUp(pool: PoolState, waiter: PermitWaiter, context: Context): Effect[] {
  const lease = pool.leases.get(waiter.lease);
  const drawn = lease && !pool.shared ? budgetOf(pool, lease, context) : null;
  if (!lease || !drawn) return [];
  const leave = leaveFor(drawn.budget, drawn.spec, spendingOf(waiter), context.now);
  if (!('usedUp' in leave)) return [];
  return emitChanges(pool, takeOutUsedUp(pool, lease, drawn, context, leave.usedUp));
}

/** Decides a waiting turn; no effect where it waits on. `blocked`: budgets that an earlier call waits for. */
export function decidePermit(
  pool: PoolState,
  waiter: PermitWaiter,
  context: Context,
  blocked: Set<Budget>,
): Effect[] {
  const { now } = context;
  const lease = pool.leases.get(waiter.lease);
  if (!lease) return [{ type: 'lost', to: waiter, why: UNKNOWN_LEASE }];
  if (waitsForMember(pool, lease)) return [];
  const keyOut = waiter.reroutable ? keyOutOf(lease, now) : null;
  if (keyOut) return [{ type: 'stay', to: waiter, why: 'its key is out of service', keyOut }];
  const undecided = membersOf(lease).filter((member) => isUndecided(member, lease));
  if (now < trialEnds(waiter) && undecided.some((member) => isOnOthersTrial(member, lease, now))) return [];
  const drawn = budgetOf(pool, lease, context);
  const answer = drawn && !pool.shared ? waitForBudget(waiter, drawn, blocked, context) : null;
  if (answer) return answer;
  const paced = pool.shared ? [] : pacedLimits(lease, now);
  const dueAt = Math.max(pauseOf(lease, now), waiter.dueAt ?? now + delayOf(paced, now));
  if (dueAt > givesUpAt(waiter)) count(paced, lease, now);
  else if (!isDue(waiter, lease, paced, now)) return [];
  for (const member of undecided)
    if (!isOnOthersTrial(member, lease, now)) beginTrial(pool, member, lease, now);
  lease.fastPath = hasFastPath(lease.resolved, lease, lease.need);
  const paces = pacesOf(pool, lease, now);
  const shared = pool.shared ? paces : [];
  const draw = drawn && pool.shared ? sharedDrawOf(waiter, drawn) : null;
  const permit = { type: 'permit', to: waiter, lease, delayMs: 0, isPaced: paces.length > 0 } as const;
  const granted: Effect[] = [{ ...permit, paces: shared, draw }];
  if (!drawn) return granted;
  spend(drawn.budget, spendingOf(waiter), now);
  if (pool.shared) return granted;
  return [...granted, ...emitChanges(pool, takeOutUsedUp(pool, lease, drawn, context))];
}

/** Null where the call may go; no effect where it waits; refused where nothing is left of the day. */
function waitForBudget(
  waiter: PermitWaiter,
  { budget, spec, key }: KeyBudget,
  blocked: Set<Budget>,
  { now, dateOf }: Context,
): Effect[] | null {
  const leave = leaveFor(budget, spec, spendingOf(waiter), now);
  if ('usedUp' in leave) {
    const until = dateOf(budget.day.until);
    return [budgetRefused(waiter, key.name, leave.usedUp, until, now)];
  }
  // In order of their coming: small calls must not keep a large one waiting for ever.
  const waitMs = blocked.has(budget) ? Math.max(1, leave.waitMs) : leave.waitMs;
  waiter.budgetAt = waitMs > 0 ? now + waitMs : undefined;
  if (waitMs === 0 || now + waitMs > givesUpAt(waiter)) return null;
  blocked.add(budget);
  return [];
}

/** All machines together have used up the day of a call's key: the key is out, and the call goes elsewhere or is refused. */
export function budgetGone(pool: PoolState, waiter: PermitWaiter, context: Context): Effect[] {
  const lease = pool.leases.get(waiter.lease);
  const drawn = lease ? budgetOf(pool, lease, context) : null;
  if (!lease || !drawn) return [{ type: 'stay', to: waiter, why: 'its key has no budget any more' }];
  const { daily } = drawn.spec;
  const what = [daily?.calls && `${daily.calls} requests`, daily?.tokens && `${daily.tokens} tokens`];
  const used = what.filter(Boolean).join(' or ');
  const changes = emitChanges(pool, takeOutUsedUp(pool, lease, drawn, context, used));
  const moved = leaveBadMember(pool, waiter, context);
  if (moved.length > 0) {
    pool.permitQueue.push({ ...waiter, dueAt: null });
    return [...changes, ...moved, ...decideAgain(pool, context)];
  }
  const keyOut = waiter.reroutable ? keyOutOf(lease, context.now) : null;
  if (keyOut) return [...changes, { type: 'stay', to: waiter, why: 'its key is out of service', keyOut }];
  const until = context.dateOf(drawn.budget.day.until);
  return [...changes, budgetRefused(waiter, drawn.key.name, used, until, context.now)];
}

function decideAgain(pool: PoolState, context: Context): Effect[] {
  const effects: Effect[] = [];
  const blocked = new Set<Budget>();
  pool.permitQueue = pool.permitQueue.filter((waiter) => {
    const answer = decidePermit(pool, waiter, context, blocked);
    effects.push(...answer);
    return answer.length === 0;
  });
  return effects;
}

/** The call of that permit cannot go: nothing is left of its key's day. */
function budgetRefused(to: PermitWaiter, key: string, what: string, untilDate: number, now: number): Effect {
  const why = `its budget of the day is used up (${what}) until ${new Date(untilDate).toISOString()}`;
  const reasons = [{ name: key, why, cause: 'fault' }] as const;
  return { type: 'refused', to, timedOut: false, deadlock: null, waitedMs: now - to.since, reasons };
}

function spendingOf(waiter: PermitWaiter): Spending {
  const { lease, client, ask, spending } = waiter;
  return { id: `${client} ${ask}`, tokens: 0, ...spending, lease };
}

function sharedDrawOf(waiter: PermitWaiter, { name, spec, budget }: KeyBudget): SharedDraw {
  const { id, tokens } = spendingOf(waiter);
  return { waiter, budget: name, spec, id, tokens: tokens * budget.excess, until: budget.day.until };
}

/** Whether the lease's key cannot serve now, and for how long. A key that is disabled by hand serves the leases that have it. */
function keyOutOf({ key, need }: LeaseState, now: number): KeyOut | null {
  if (!key) return null;
  const { state } = key.health;
  if (state === 'exhausted' || state === 'quarantined') return 'for long';
  return state === 'cooling' || limitsOf(key, need).coolUntil > now ? 'for a moment' : null;
}

/** Whether its turn has come. */
function isDue(waiter: PermitWaiter, lease: LeaseState, paced: readonly PacedLimit[], now: number): boolean {
  // A turn that was reserved before a pause is worth nothing after it: all that waited would go at once.
  if (pauseOf(lease, now) > now) {
    waiter.dueAt = null;
    return false;
  }
  waiter.dueAt ??= now + reserve(paced, now);
  if (waiter.dueAt > now) return false;
  const stillMs = start(paced, lease, now);
  if (stillMs > 0) waiter.dueAt = now + stillMs;
  return stillMs === 0;
}

/** From then on a call is sent without a wait. */
function givesUpAt({ since, mostMs = Infinity }: PermitWaiter): number {
  return since + mostMs;
}

/** Until when it waits for the trial of another, which may take all of its time. */
function trialEnds(waiter: PermitWaiter): number {
  const ends = waiter.since + TRIAL_MS;
  return ends > givesUpAt(waiter) ? waiter.since : ends;
}

/** It is about to get one, or to hear that there is none. */
function waitsForMember(pool: PoolState, lease: LeaseState): boolean {
  if (lease.claim === 'pending') return true;
  return !lease.endpoint && !lease.key && pool.queue.some((waiter) => waiter.id === lease.id);
}

/** When a waiting turn is to be looked at again. */
export function nextLook(pool: PoolState, waiter: PermitWaiter, now: number): number {
  let next = waiter.dueAt !== null && waiter.dueAt > now ? waiter.dueAt : Infinity;
  if (waiter.budgetAt !== undefined && waiter.budgetAt > now) next = Math.min(next, waiter.budgetAt);
  if (trialEnds(waiter) > now) next = Math.min(next, trialEnds(waiter));
  const lease = pool.leases.get(waiter.lease);
  if (!lease) return next;
  for (const member of membersOf(lease)) {
    if (member.trial && isOnOthersTrial(member, lease, now))
      next = Math.min(next, member.trial.since + TRIAL_MS);
  }
  const pauseEnds = pauseOf(lease, now);
  return pauseEnds > now ? Math.min(next, pauseEnds) : next;
}

/** Another lease's attempt finds out whether the subject works. */
function isOnOthersTrial(member: MemberState, lease: LeaseState, now: number): boolean {
  return member.trial !== null && member.trial.lease !== lease.id && now - member.trial.since < TRIAL_MS;
}

/** When the server's pause for this lease's member ends; 0 where there is none, or one too long to wait for. */
function pauseOf(lease: LeaseState, now: number): number {
  let ends = 0;
  for (const member of membersOf(lease)) {
    const { health } = member;
    ends = Math.max(
      ends,
      health.state === 'cooling' ? health.until : 0,
      limitsOf(member, lease.need).coolUntil,
    );
  }
  return ends - now > lease.spec.acquireTimeoutMs ? 0 : ends;
}

/** The pace of a member that has one: calls a minute, and the calls so far. */
interface PacedLimit {
  readonly pace: Pace;
  readonly rpm: number;
}

function pacedLimits(lease: LeaseState, now: number): PacedLimit[] {
  return membersOf(lease).flatMap((member) => {
    const limits = limitsOf(member, lease.need);
    const rpm = paceOf(lease, member, limits, now);
    return rpm === Infinity ? [] : [{ pace: limits.pace, rpm }];
  });
}

/** How long a turn of the lease's member would have to wait. */
function delayOf(paced: readonly PacedLimit[], now: number): number {
  return Math.max(0, ...paced.map(({ pace, rpm }) => permitDelayMs(pace, rpm, now)));
}

/** Reserves the turns of the lease's member; returns how long to wait for the last of them. */
function reserve(paced: readonly PacedLimit[], now: number): number {
  return Math.max(0, ...paced.map(({ pace, rpm }) => reservePermit(pace, rpm, now)));
}

/** Starts the call, or returns how long it still has to wait: turns before it may have been told late. */
function start(paced: readonly PacedLimit[], lease: LeaseState, now: number): number {
  const stillMs = Math.max(0, ...paced.map(({ pace, rpm }) => untilPermit(pace, rpm, now)));
  if (stillMs === 0) count(paced, lease, now);
  return stillMs;
}

function count(paced: readonly PacedLimit[], lease: LeaseState, now: number): void {
  for (const { pace, rpm } of paced) startPermit(pace, rpm, lease.id, now);
}

/** The paces that all machines share. */
function pacesOf(pool: PoolState, lease: LeaseState, now: number): { member: string; rpm: number }[] {
  const model = lease.need['model'] === undefined ? '' : ` ${lease.need['model']}`;
  return membersOf(lease).flatMap((member) => {
    const rpm = paceOf(lease, member, limitsOf(member, lease.need), now);
    return rpm === Infinity ? [] : [{ member: `${addressOf(pool, member)}${model}`, rpm }];
  });
}

/** Calls a minute: the configured limit, or the lower one that refusals taught. */
function paceOf(lease: LeaseState, member: MemberState, { learned }: ModelLimits, now: number): number {
  const configured = lease.resolved.of.get(member)?.spec.rpm ?? Infinity;
  return Math.min(configured, learned ? currentPace(learned, now) : Infinity);
}

function isUndecided(member: MemberState, lease: LeaseState): boolean {
  if (member.health.state === 'half-open') return member.health.probe === lease.id;
  return !member.proven && member.health.state === 'healthy';
}
