import { granted } from '../effects.ts';
import { memberStateOf } from '../members.ts';
import { fits } from '../labels.ts';
import type { Context, Effect, LeaseState, PoolState, ReplyTo } from '../state.ts';
import type { Need, PoolSpec } from '../types.ts';
import { assign, newLease } from './holding.ts';
import { enqueue, positionSince, schedule, waiterOf } from './queue.ts';

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
    holder: request.holder,
    testId: request.testId,
    since,
    position: since < now ? positionSince(pool, since) : 0,
    moving: false,
    isNew: !held,
    canYield: request.canYield === true,
    deadline: since + request.timeoutMs,
    exclude: request.exclude?.length ? new Set(request.exclude) : NONE,
    prefer: NONE,
    avoid,
    avoidUntil: avoid.size > 0 ? since + AVOID_MS : 0,
  });
  return schedule(pool, context);
}

/** Takes over a lease that a link held when the broker before this one ended. */
export function restoreLease(
  pool: PoolState,
  held: {
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
  if (pool.leases.has(held.id)) return null;
  const endpoint = held.spec.endpoints.find((spec) => spec.id === member.endpoint);
  const key = held.spec.keys.find((spec) => spec.id === member.key);
  const lease = newLease(pool, held, context);
  assign(lease, {
    endpoint: endpoint ? memberStateOf(pool, 'endpoint', endpoint, context) : null,
    key: key ? memberStateOf(pool, 'key', key, context) : null,
  });
  pool.leases.set(lease.id, lease);
  return lease;
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
