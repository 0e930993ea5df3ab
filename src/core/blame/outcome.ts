import { rememberOutcome, type RecentOutcome } from './comparison.ts';
import { isWidespread, noteKeyFailure } from './correlation.ts';
import { type HealthEvent, isUnavailable } from '../health/states.ts';
import type { RequestReport } from '../request-outcome.ts';
import { isUsed, works } from '../resolved-pool.ts';
import { type Context, type LeaseState, type PoolState, type MemberState } from '../state.ts';
import type { KeySpec, OutcomeKind } from '../types.ts';

/** A health change that was judged right, before it is applied. */
interface Decision {
  readonly member: MemberState;
  readonly event: HealthEvent;
}

/** The outcome of one request while it is judged: what is decided is applied at the end, all at once. */
export interface OutcomeEvent {
  readonly pool: PoolState;
  readonly lease: LeaseState;
  readonly report: RequestReport;
  readonly endpoint: MemberState | null;
  readonly key: MemberState | null;
  readonly context: Context;
  readonly decisions: Decision[];
}

/** Keys that were blamed like this one at this endpoint within moments, where that says that it is the endpoint. */
export function blamedAlike(event: OutcomeEvent, what: 'refused' | 'throttled'): MemberState[] {
  const { pool, endpoint, key, context } = event;
  if (!endpoint || !key) return [];
  const ids = noteKeyFailure(pool.correlated, endpoint.id, key.id, what, context.now);
  const usable = usableKeys(event, endpoint);
  const failed = usable.filter((spec) => ids.includes(spec.id));
  // Keys of one quota are throttled together; that is one case.
  const count = (specs: readonly KeySpec[]): number =>
    what === 'refused' ? specs.length : new Set(specs.map((spec) => spec.quotaGroup)).size;
  if (!isWidespread(count(failed), count(usable), what)) return [];
  return failed.map((spec) => find(pool, 'key', spec.id)).filter((member) => member !== null);
}

export function usableKeys({ lease }: OutcomeEvent, endpoint: MemberState): KeySpec[] {
  return lease.spec.keys.filter((spec) => isUsed(spec) && works(spec, endpoint.name));
}

export function exonerateKeys(event: OutcomeEvent, keys: readonly MemberState[], why: string): void {
  for (const key of keys) {
    const { state } = key.health;
    if (state === 'quarantined' || state === 'cooling') decide(event, key, { type: 'reset', why });
  }
}

export function othersServe(event: OutcomeEvent, endpoint: MemberState): boolean {
  return event.lease.spec.endpoints.some((spec) => {
    const other = find(event.pool, 'endpoint', spec.id);
    return spec.id !== endpoint.id && isUsed(spec) && !isUnavailable(other?.health.state ?? 'healthy');
  });
}

export function noteOutcome(event: OutcomeEvent, result: RecentOutcome['result']): RecentOutcome {
  const { report, context } = event;
  const { call, signature, endpoint, key, outcome } = report;
  const { status } = outcome;
  const recent: RecentOutcome = { call, signature, endpoint, key, status, result, at: context.now };
  rememberOutcome(event.pool.recentOutcomes, recent);
  return recent;
}

export function decide({ decisions }: OutcomeEvent, member: MemberState | null, event: HealthEvent): void {
  if (member) decisions.push({ member, event });
}

/** Health alone removes refused keys and quotas; the router learns only faults and paces. */
export function observe(
  { report, context }: OutcomeEvent,
  member: MemberState,
  ok: boolean,
  kind?: OutcomeKind,
): void {
  const { request, outcome } = report;
  const { durationMs, retryAfterMs } = outcome;
  const inFlight = Math.max(0, member.inUse - 1);
  context.observe(
    member.routerHandle,
    { ok, kind, durationMs, retryAfterMs, request, inFlight },
    context.now,
  );
}

export function keySpec(lease: LeaseState, member: MemberState): KeySpec | undefined {
  return lease.resolved.keys.find((place) => place.member === member)?.spec;
}

export function sameLabels(lease: LeaseState, one: MemberState, other: MemberState): boolean {
  const [labels, others] = [one, other].map((member) => keySpec(lease, member)?.labels ?? {});
  const names = new Set([...Object.keys(labels!), ...Object.keys(others!)]);
  return [...names].every((name) => labels![name] === others![name]);
}

export function find(pool: PoolState, kind: MemberState['kind'], id: string | null): MemberState | null {
  return id === null ? null : (pool.members.get(`${kind}:${id}`) ?? null);
}

export function statusOf(report: RequestReport): string {
  const { status } = report.outcome;
  return status === null ? '' : ` ${status}`;
}
