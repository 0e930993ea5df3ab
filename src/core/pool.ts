import { takeRetry } from './pace/retry-budget.ts';
import { type Effect, granted } from './effects.ts';
import { untilOf } from './health/states.ts';
import { assign, assignLatest, freeGrant, newLease, endTrial } from './leases/holding.ts';
import { findDeadlock } from './leases/deadlocks.ts';
import { freeFrom, refusals } from './leases/selection.ts';
import { movingWaiter, pickWithout } from './leases/moving.ts';
import { emitChanges, endFastPaths } from './changes.ts';
import { lateProbes, reassignProbes } from './health/probe-results.ts';
import { nextProbe } from './health/probing.ts';
import { enqueue, probeGraceDeadline, positionSince, schedule } from './leases/queue.ts';
import { isOutdated } from './revision.ts';
import { fits } from './resolved-pool.ts';
import { applyOutcome } from './blame/apply.ts';
import type { RequestReport } from './request-outcome.ts';
import {
  type ReplyTo,
  changeHealth,
  type Context,
  type HealthChange,
  type LeaseState,
  type PoolState,
  memberStateOf,
  type PermitWaiter,
  type LeaseWaiter,
} from './state.ts';
import { nextLook } from './pace/permits.ts';
import type { Need, OutcomeKind, PoolSpec } from './types.ts';

export type { Effect } from './effects.ts';

export interface AcquireRequest {
  readonly to: ReplyTo;
  readonly lease: string;
  readonly spec: PoolSpec;
  readonly need: Need;
  readonly holder: string;
  readonly testId: string | null;
  readonly timeoutMs: number;
  readonly exclude?: readonly string[];
  /** It is not a rerun: what this test failed on in a run before counts no more. */
  readonly isFirst?: boolean | undefined;
  /** Its test can give back what it holds. */
  readonly canYield?: boolean | undefined;
  /** How long ago it was asked first, where a broker or a connection was lost since: its place and its time go by that. */
  readonly waitedMs?: number | undefined;
}

/** How long a rerun waits for a member that its test did not fail on. */
const AVOID_MS = 2_000;
const NONE: ReadonlySet<string> = new Set();

export function acquireLease(pool: PoolState, request: AcquireRequest, context: Context): Effect[] {
  const { now } = context;
  const membersOf = pool.leases.get(request.lease);
  if (membersOf && membersOf.client !== request.to.client)
    return [{ type: 'stay', to: request.to, why: 'another has that lease' }];
  // Asking again is no harm: a link asks anew what a lost connection left open.
  if (membersOf && membersOf.claim !== 'pending' && (membersOf.endpoint || membersOf.key))
    return [granted(request.to, membersOf, 0)];
  const waiting = waiterOf(pool, request.lease);
  if (waiting) {
    waiting.replyTo.push(request.to);
    return [];
  }
  if (request.isFirst && request.testId !== null) pool.failedOn.delete(request.testId);
  const avoid = avoidable(pool, request);
  const since = now - (request.waitedMs ?? 0);
  enqueue(pool, {
    replyTo: [request.to],
    id: request.lease,
    client: request.to.client,
    spec: request.spec,
    need: request.need,
    holder: request.holder,
    testId: request.testId,
    since,
    position: since < now ? positionSince(pool, since) : 0,
    moving: false,
    isNew: !membersOf,
    canYield: request.canYield === true,
    deadline: since + request.timeoutMs,
    exclude: request.exclude?.length ? new Set(request.exclude) : NONE,
    prefer: NONE,
    avoid,
    avoidUntil: avoid.size > 0 ? since + AVOID_MS : 0,
  });
  return schedule(pool, context);
}

/** Who waits for that lease's member: in the queue, or for the shared store. */
function waiterOf(pool: PoolState, lease: string): LeaseWaiter | undefined {
  return pool.claiming.get(lease) ?? pool.queue.find((waiter) => waiter.id === lease);
}

/** Takes over a lease that a link held when the broker before this one ended. */
export function restoreLease(
  pool: PoolState,
  membersOf: {
    id: string;
    client: string;
    spec: PoolSpec;
    need: Need;
    holder: string;
    testId: string | null;
  },
  member: { endpoint: string | null; key: string | null },
  context: Context,
): LeaseState | null {
  if (pool.leases.has(membersOf.id)) return null;
  const endpoint = membersOf.spec.endpoints.find((spec) => spec.id === member.endpoint);
  const key = membersOf.spec.keys.find((spec) => spec.id === member.key);
  const lease = newLease(pool, membersOf, context);
  assign(lease, {
    endpoint: endpoint ? memberStateOf(pool, 'endpoint', endpoint, context) : null,
    key: key ? memberStateOf(pool, 'key', key, context) : null,
  });
  pool.leases.set(lease.id, lease);
  return lease;
}

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
  },
  context: Context,
): Effect[] {
  const lease = pool.leases.get(request.lease);
  if (!lease) return [{ type: 'stay', to: request.to, why: 'the lease is gone' }];
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
  const waiter = movingWaiter(lease, request.to, request.exclude, context);
  const freeAt = freeFrom(pool, waiter, context);
  if (freeAt !== null && freeAt > waiter.deadline)
    return [{ type: 'stay', to: request.to, why: 'no other member fits' }];
  const other = pickWithout(pool, lease, waiter, context);
  if (!other && !isWorthWaiting(lease, request))
    return [{ type: 'stay', to: request.to, why: 'no other member is free' }];
  if (!takeRetry(pool.budget, lease.spec.retryBudget)) {
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

/** A repetition of a call on the same member, where nothing better is to be had. */
export function retryInPlace(pool: PoolState, leaseId: string): boolean {
  const lease = pool.leases.get(leaseId);
  return lease !== undefined && takeRetry(pool.budget, lease.spec.retryBudget);
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

export function releaseLease(pool: PoolState, leaseId: string, failed: boolean, context: Context): Effect[] {
  const lease = pool.leases.get(leaseId);
  const gaveUp = cancelWaits(pool, leaseId);
  if (!lease) return [...gaveUp, ...schedule(pool, context)];
  if (failed && lease.testId !== null) {
    const members = pool.failedOn.get(lease.testId) ?? new Set();
    for (const member of [lease.endpoint, lease.key]) if (member) members.add(member.id);
    pool.failedOn.set(lease.testId, members);
  }
  return [...gaveUp, ...endLease(pool, lease), ...schedule(pool, context)];
}

/** Whoever still waits for something of a lease that was given back is told so. */
function cancelWaits(pool: PoolState, leaseId: string): Effect[] {
  if (pool.queue.length === 0 && pool.permitQueue.length === 0 && pool.claiming.size === 0) return [];
  const waiter = waiterOf(pool, leaseId);
  const permitQueue = pool.permitQueue.filter((other) => other.lease === leaseId);
  pool.queue = pool.queue.filter((other) => other.id !== leaseId);
  pool.permitQueue = pool.permitQueue.filter((other) => other.lease !== leaseId);
  const replyTo = [...(waiter?.replyTo ?? []), ...permitQueue];
  return replyTo.map((to) => ({ type: 'stay', to, why: 'the lease was given back' }));
}

/** A link is gone: so are its leases and its place in the queue. */
export function dropClient(pool: PoolState, client: string, context: Context): Effect[] {
  pool.queue = pool.queue.filter((waiter) => waiter.client !== client);
  pool.permitQueue = pool.permitQueue.filter((waiter) => waiter.client !== client);
  const gone = [...pool.leases.values()].filter((lease) => lease.client === client);
  return [...gone.flatMap((lease) => endLease(pool, lease)), ...schedule(pool, context)];
}

/** Time has passed: pauses end, trials begin, waits run out. */
export function tick(pool: PoolState, context: Context): Effect[] {
  const changes: HealthChange[] = [];
  for (const member of pool.members.values()) {
    if (member.elsewhereUntil <= context.now) member.elsewhereUntil = 0;
    for (const limits of member.modelLimits.values())
      if (limits.coolUntil <= context.now) limits.coolUntil = 0;
    const changed = changeHealth(pool, member, { type: 'tick' }, context.now, { baseMs: 0, maxMs: 0 });
    if (changed) changes.push(changed);
  }
  if (pool.storeDownUntil <= context.now) pool.storeDownUntil = 0;
  return [
    ...emitChanges(pool, changes),
    ...reassignProbes(pool, lateProbes(pool, context.now), context),
    ...schedule(pool, context),
  ];
}

/** When `tick` has something to do next, ms since the epoch. */
export function nextTick(pool: PoolState, now: number): number {
  let next = nextProbe(pool, now);
  for (const { health } of pool.members.values())
    if (health.state !== 'healthy') next = Math.min(next, untilOf(health) ?? Infinity);
  for (const waiter of pool.queue) {
    const { deadline, avoidUntil } = waiter;
    const ends = deadline > now ? deadline : probeGraceDeadline(waiter);
    next = Math.min(next, ends, avoidUntil > now ? avoidUntil : Infinity);
  }
  if (pool.queue.length > 0) next = Math.min(next, modelPausesEnd(pool));
  if (pool.shared && pool.queue.length > 0)
    next = Math.min(next, pool.storeDownUntil || Infinity, elsewhereEnds(pool));
  for (const waiter of pool.permitQueue) next = Math.min(next, nextLook(pool, waiter, now));
  return next;
}

/** Ends waits that go round in a circle: one of the tests in it is refused. */
export function endDeadlocks(pools: Iterable<PoolState>, context: Context): Effect[] {
  const all = [...pools];
  const effects: Effect[] = [];
  for (let found = findDeadlock(all, context); found; found = findDeadlock(all, context)) {
    const { pool, waiter, isOwn } = found;
    pool.queue = pool.queue.filter((other) => other !== waiter);
    const reasons = refusals(pool, waiter, context);
    const waitedMs = context.now - waiter.since;
    for (const to of waiter.replyTo)
      effects.push({
        type: 'refused',
        to,
        timedOut: false,
        deadlock: isOwn ? 'own' : 'circle',
        waitedMs,
        reasons,
      });
    effects.push(...schedule(pool, context));
  }
  return effects;
}

/** When the next pause of a key for one model ends. */
function modelPausesEnd(pool: PoolState): number {
  let next = Infinity;
  for (const { modelLimits } of pool.members.values()) {
    for (const { coolUntil } of modelLimits.values()) if (coolUntil > 0) next = Math.min(next, coolUntil);
  }
  return next;
}

/** When a member that another machine holds is worth asking for again. */
function elsewhereEnds(pool: PoolState): number {
  let next = Infinity;
  for (const { elsewhereUntil } of pool.members.values())
    if (elsewhereUntil > 0) next = Math.min(next, elsewhereUntil);
  return next;
}

/** Members that the test failed on before, as far as there are others of their kind. */
function avoidable(pool: PoolState, { testId, spec, need }: AcquireRequest): ReadonlySet<string> {
  const failedOn = testId === null ? undefined : pool.failedOn.get(testId);
  if (!failedOn) return NONE;
  const kinds = [spec.endpoints, spec.keys.filter((key) => fits(key, need))];
  const kept = kinds.filter((members) => members.some((member) => !failedOn.has(member.id)));
  return new Set(
    kept
      .flat()
      .map((member) => member.id)
      .filter((id) => failedOn.has(id)),
  );
}

/** Its own member is of no use: nothing answers there, or its key never worked or has nothing left. */
function isWorthWaiting(lease: LeaseState, failure: { kind: OutcomeKind; unsent: boolean }): boolean {
  if (failure.kind === 'auth') return lease.key !== null && !lease.key.proven;
  return failure.unsent || failure.kind === 'exhausted';
}

function endLease(pool: PoolState, lease: LeaseState): Effect[] {
  const unclaim: Effect[] = lease.claim === 'held' ? [{ type: 'unclaim', lease: lease.id }] : [];
  freeGrant(pool, lease);
  for (const member of pool.gated) if (member.trial?.lease === lease.id) endTrial(pool, member);
  pool.leases.delete(lease.id);
  pool.claiming.delete(lease.id);
  return unclaim;
}
