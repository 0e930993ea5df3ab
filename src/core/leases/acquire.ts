import { granted } from '../effects.ts';
import { memberStateOf } from '../members.ts';
import { fits } from '../labels.ts';
import type { Context, Effect, LeaseState, MemberState, PoolState, ReplyTo } from '../state.ts';
import type { EndpointSpec, KeySpec, MemberKind, Need, PoolSpec } from '../types.ts';
import { assign, newLease } from './holding.ts';
import { enqueue, positionSince, schedule, waiterOf } from './queue.ts';
import { holderNames } from './selection.ts';

export interface AcquireRequest {
  readonly to: ReplyTo;
  readonly lease: string;
  readonly spec: PoolSpec;
  readonly need: Need;
  /** The endpoint that it must have, by name; absent: any. */
  readonly onlyEndpoint?: string | null | undefined;
  readonly holder: string;
  readonly testId: string | null;
  readonly timeoutMs: number;
  readonly exclude?: readonly string[];
  /** Members to take where they are free. */
  readonly prefer?: readonly string[] | undefined;
  /** It is not a rerun: what this test failed on in a run before counts no more. */
  readonly isFirst?: boolean | undefined;
  /** Its test can give back what it holds. */
  readonly canYield?: boolean | undefined;
  /** It resets a dirty account before it uses it. */
  readonly resets?: boolean | undefined;
  /** It wants another key for one call of a lease that its client has at that endpoint. */
  readonly forCall?: boolean | undefined;
  /** How long ago it was asked first, where a broker or a connection was lost since: its place and its time go by that. */
  readonly waitedMs?: number | undefined;
}

/** How long a rerun waits for a member that its test did not fail on. */
const AVOID_MS = 2_000;
const NONE: ReadonlySet<string> = new Set();

export function acquireLease(pool: PoolState, request: AcquireRequest, context: Context): Effect[] {
  const { now } = context;
  const held = pool.leases.get(request.lease);
  if (held && held.client !== request.to.client)
    return [{ type: 'stay', to: request.to, why: 'another has that lease' }];
  // Asking again is no harm: a link asks anew what a lost connection left open.
  if (held && held.claim !== 'pending' && (held.endpoint || held.key)) return [granted(request.to, held, 0)];
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
    onlyEndpoint: request.onlyEndpoint ?? null,
    holder: request.holder,
    testId: request.testId,
    since,
    position: since < now ? positionSince(pool, since) : 0,
    moving: false,
    isNew: !held,
    canYield: request.canYield === true,
    resets: request.resets === true,
    forCall: request.forCall === true,
    deadline: since + request.timeoutMs,
    exclude: request.exclude?.length ? new Set(request.exclude) : NONE,
    prefer: request.prefer?.length ? new Set(request.prefer) : NONE,
    avoid,
    avoidUntil: avoid.size > 0 ? since + AVOID_MS : 0,
  });
  return schedule(pool, context);
}

/** A lease of a client that came back, as it says: of a broker before this one, or of a connection that was cut. */
export interface RestoredLease {
  readonly id: string;
  readonly client: string;
  readonly spec: PoolSpec;
  readonly need: Need;
  /** The endpoint that it must have, by name; absent: any. */
  readonly onlyEndpoint?: string | null | undefined;
  readonly holder: string;
  readonly testId: string | null;
  readonly resets?: boolean | undefined;
  readonly forCall?: boolean | undefined;
}

/** Takes over a lease that a client says to hold. Where others hold its members to their limits, why it cannot. */
export function restoreLease(
  pool: PoolState,
  held: RestoredLease,
  ids: { endpoint: string | null; key: string | null },
  context: Context,
): { lease: LeaseState } | { lost: string } {
  const known = pool.leases.get(held.id);
  if (known) return known.client === held.client ? { lease: known } : { lost: 'another process has it' };
  const { endpoints, keys } = held.spec;
  const grant = {
    endpoint: restoredMember(pool, 'endpoint', ids.endpoint, endpoints, context),
    key: restoredMember(pool, 'key', ids.key, keys, context),
  };
  const lease = newLease(pool, held, context);
  for (const member of lease.forCall ? [grant.key] : [grant.endpoint, grant.key]) {
    const limit = member && lease.resolved.of.get(member)?.spec.maxConcurrent;
    if (member && limit && member.inUse >= limit)
      return { lost: `${member.name} is held by ${holderNames(pool, member)}` };
  }
  assign(lease, grant);
  pool.leases.set(lease.id, lease);
  return { lease };
}

/** Includes a member that an edit has removed: if it is added again, it must still be held. */
function restoredMember(
  pool: PoolState,
  kind: MemberKind,
  id: string | null,
  specs: readonly (EndpointSpec | KeySpec)[],
  context: Context,
): MemberState | null {
  if (id === null) return null;
  return memberStateOf(pool, kind, specs.find((spec) => spec.id === id) ?? { id, name: id }, context);
}

/** Members that the test failed on before, as far as there are others of their kind. */
function avoidable(
  pool: PoolState,
  { testId, spec, need, onlyEndpoint }: AcquireRequest,
): ReadonlySet<string> {
  const failedOn = testId === null ? undefined : pool.failedOn.get(testId);
  if (!failedOn) return NONE;
  const endpoints = onlyEndpoint ? [] : spec.endpoints;
  const kinds = [endpoints, spec.keys.filter((key) => fits(key, need))];
  const kept = kinds.filter((members) => members.some((member) => !failedOn.has(member.id)));
  return new Set(
    kept
      .flat()
      .map((member) => member.id)
      .filter((id) => failedOn.has(id)),
  );
}
