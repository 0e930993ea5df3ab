import type { AuthSent, Locality } from './attribution.ts';
import { remember, type Seen } from './comparison.ts';
import { areMany, mark } from './correlation.ts';
import { isOut } from '../health/states.ts';
import { works } from '../resolved-pool.ts';
import {
  changeHealth,
  type Context,
  type HealthChange,
  type LeaseState,
  type PoolState,
  type Subject,
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
export interface Settling {
  readonly pool: PoolState;
  readonly lease: LeaseState;
  readonly report: AttemptReport;
  readonly endpoint: Subject | null;
  readonly key: Subject | null;
  readonly context: Context;
  readonly changes: HealthChange[];
}

/** Keys that were blamed like this one at this endpoint within moments, where that says that it is the endpoint. */
export function blamedAlike(event: Settling, what: 'refused' | 'throttled'): Subject[] {
  const { pool, endpoint, key, context } = event;
  if (!endpoint || !key) return [];
  const ids = mark(pool.marks, endpoint.id, key.id, what, context.now);
  const usable = usableKeys(event, endpoint);
  const blamed = usable.filter((spec) => ids.includes(spec.id));
  // Keys of one quota are throttled together; that is one case.
  const count = (specs: readonly KeySpec[]): number =>
    what === 'refused' ? specs.length : new Set(specs.map((spec) => spec.quotaGroup)).size;
  if (!areMany(count(blamed), count(usable), what)) return [];
  return blamed.map((spec) => find(pool, 'key', spec.id)).filter((subject) => subject !== null);
}

export function usableKeys({ lease }: Settling, endpoint: Subject): KeySpec[] {
  return lease.spec.keys.filter((spec) => spec.enabled && spec.weight > 0 && works(spec, endpoint.name));
}

export function acquitKeys(event: Settling, keys: readonly Subject[], why: string): void {
  for (const key of keys) {
    const { state } = key.health;
    if (state === 'quarantined' || state === 'cooling') change(event, key, { type: 'reset', why });
  }
}

export function othersServe(event: Settling, endpoint: Subject): boolean {
  return event.lease.spec.endpoints.some((spec) => {
    const other = find(event.pool, 'endpoint', spec.id);
    return (
      spec.id !== endpoint.id && spec.enabled && spec.weight > 0 && !isOut(other?.health.state ?? 'healthy')
    );
  });
}

export function note(event: Settling, result: Seen['result']): Seen {
  const { report, context } = event;
  const { call, signature, endpoint, key, status } = report;
  const seen: Seen = { call, signature, endpoint, key, status, result, at: context.now };
  remember(event.pool.comparisons, seen);
  return seen;
}

export function change(
  event: Settling,
  subject: Subject | null,
  health: Parameters<typeof changeHealth>[2],
): void {
  if (!subject) return;
  const changed = changeHealth(event.pool, subject, health, event.context.now, event.lease.spec.ejection);
  if (changed) event.changes.push(changed);
}

/** Keys and quotas that are refused are taken out by health alone; the router hears of faults and paces. */
export function learn(
  { report, context }: Settling,
  subject: Subject,
  ok: boolean,
  kind?: OutcomeKind,
): void {
  const { durationMs, attempt, retryAfterMs } = report;
  const inFlight = Math.max(0, subject.inUse - 1);
  context.learn(subject.belief, { ok, kind, durationMs, retryAfterMs, attempt, inFlight }, context.now);
}

export function keySpec(lease: LeaseState, subject: Subject): KeySpec | undefined {
  return lease.roster.keys.find((place) => place.subject === subject)?.spec;
}

export function sameLabels(lease: LeaseState, one: Subject, other: Subject): boolean {
  const [labels, others] = [one, other].map((subject) => keySpec(lease, subject)?.labels ?? {});
  const names = new Set([...Object.keys(labels!), ...Object.keys(others!)]);
  return [...names].every((name) => labels![name] === others![name]);
}

export function find(pool: PoolState, kind: Subject['kind'], id: string | null): Subject | null {
  return id === null ? null : (pool.subjects.get(`${kind}:${id}`) ?? null);
}

export function statusOf(report: AttemptReport): string {
  return report.status === null ? '' : ` ${report.status}`;
}
