import type { AuthSent, Locality } from './attribution.ts';
import { rememberOutcome, type RecentOutcome } from './comparison.ts';
import { isWidespread, noteKeyFailure } from './correlation.ts';
import { isUnavailable } from '../health/states.ts';
import { works } from '../resolved-pool.ts';
import {
  changeHealth,
  type Context,
  type HealthChange,
  type LeaseState,
  type PoolState,
  type MemberState,
} from '../state.ts';
import type { KeySpec, OutcomeKind } from '../types.ts';

/** What a link tells of one attempt of a call. */
export interface AttemptReport {
  readonly call: string;
  /** Which attempt of its call this is, from 1. */
  readonly attempt: number;
  readonly signature: string | null;
  readonly auth: AuthSent;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  /** Null where no response came. */
  readonly durationMs: number | null;
  readonly retryAfterMs: number | null;
  readonly unsent: boolean;
  /** Whether it may have been this machine's own network; absent: no. */
  readonly local?: Locality | undefined;
  /** The limit that was met is the asked model's, not the whole key's; absent: not known. */
  readonly perModel?: boolean | undefined;
  /** The model that the call was for; absent: as the lease has it. */
  readonly model?: string | undefined;
  /** The member that the attempt went to, which the lease may have left since. */
  readonly endpoint: string | null;
  readonly key: string | null;
}

/** One attempt while it is settled. */
export interface OutcomeEvent {
  readonly pool: PoolState;
  readonly lease: LeaseState;
  readonly report: AttemptReport;
  readonly endpoint: MemberState | null;
  readonly key: MemberState | null;
  readonly context: Context;
  readonly changes: HealthChange[];
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
  return lease.spec.keys.filter((spec) => spec.enabled && spec.weight > 0 && works(spec, endpoint.name));
}

export function exonerateKeys(event: OutcomeEvent, keys: readonly MemberState[], why: string): void {
  for (const key of keys) {
    const { state } = key.health;
    if (state === 'quarantined' || state === 'cooling') change(event, key, { type: 'reset', why });
  }
}

export function othersServe(event: OutcomeEvent, endpoint: MemberState): boolean {
  return event.lease.spec.endpoints.some((spec) => {
    const other = find(event.pool, 'endpoint', spec.id);
    return (
      spec.id !== endpoint.id &&
      spec.enabled &&
      spec.weight > 0 &&
      !isUnavailable(other?.health.state ?? 'healthy')
    );
  });
}

export function noteOutcome(event: OutcomeEvent, result: RecentOutcome['result']): RecentOutcome {
  const { report, context } = event;
  const { call, signature, endpoint, key, status } = report;
  const recent: RecentOutcome = { call, signature, endpoint, key, status, result, at: context.now };
  rememberOutcome(event.pool.recentOutcomes, recent);
  return recent;
}

export function change(
  event: OutcomeEvent,
  member: MemberState | null,
  health: Parameters<typeof changeHealth>[2],
): void {
  if (!member) return;
  const changed = changeHealth(event.pool, member, health, event.context.now, event.lease.spec.ejection);
  if (changed) event.changes.push(changed);
}

/** Keys and quotas that are refused are taken out by health alone; the router hears of faults and paces. */
export function observe(
  { report, context }: OutcomeEvent,
  member: MemberState,
  ok: boolean,
  kind?: OutcomeKind,
): void {
  const { durationMs, attempt, retryAfterMs } = report;
  const inFlight = Math.max(0, member.inUse - 1);
  context.observe(
    member.routerHandle,
    { ok, kind, durationMs, retryAfterMs, attempt, inFlight },
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

export function statusOf(report: AttemptReport): string {
  return report.status === null ? '' : ` ${report.status}`;
}
