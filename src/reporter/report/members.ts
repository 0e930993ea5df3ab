import { type HealthState, type RouterEstimate, type Transition, type MemberKind } from '../../core/types.ts';
import { isoTime } from '../../shared/format.ts';
import type { Collected } from '../collect/collected.ts';
import type { ReportEstimate, ReportMember, ReportPool } from './model.ts';
import { type MemberTally, type PoolTally, rounded, roundedOrNull } from '../collect/tally.ts';

/** Parts of the run that a member's counts are told in. */
const PARTS = 60;

interface Present {
  readonly state: HealthState;
  readonly why: string;
  readonly until: number | null;
}

/** From when to when members' counts over time are told, and when the run ended. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly endedAt: number;
}

type Subject = { readonly pool: string; readonly endpoint: string | null; readonly key: string | null };

/** All pools with their members, used or not, in the state in which the run left them. */
export function poolsOf(collected: Collected, transitions: readonly Transition[], span: Span): ReportPool[] {
  const states = statesOf(collected, transitions);
  const toMembers = (
    pool: PoolTally,
    kind: MemberKind,
    tallies: ReadonlyMap<string, MemberTally>,
  ): ReportMember[] => {
    const of = requestsOf(tallies);
    return [...tallies].map(([name, tally]) => {
      const subject = `${pool.name}\n${kind}\n${name}`;
      const now = present(states.get(subject), span.endedAt);
      return toMember(name, tally, { now, span, of, estimate: collected.routerEstimates.get(subject) });
    });
  };
  return [...collected.pools.values()].map((pool) => ({
    name: pool.name,
    endpoints: toMembers(pool, 'endpoint', pool.endpoints).map(({ name, ...rest }) => {
      return { name, url: pool.endpoints.get(name)!.url, ...rest };
    }),
    keys: toMembers(pool, 'key', pool.keys).map(({ name, ...rest }) => {
      return { name, fingerprint: pool.keys.get(name)!.fingerprint, ...rest };
    }),
  }));
}

function requestsOf(members: ReadonlyMap<string, MemberTally>): number {
  return [...members.values()].reduce((sum, { requests }) => sum + requests, 0);
}

function statesOf(collected: Collected, transitions: readonly Transition[]): Map<string, Present> {
  const states = new Map<string, Present>();
  for (const { healthSnapshots } of collected.healthSnapshots.values()) {
    for (const standing of healthSnapshots) states.set(subjectName(standing), standing);
  }
  for (const { to, why, until, ...subject } of transitions) {
    states.set(subjectName(subject), { state: to, why, until });
  }
  return states;
}

/** What concerns a key at one endpoint is the key's. */
export function subjectName({ pool, endpoint, key }: Subject): string {
  return key === null ? `${pool}\nendpoint\n${endpoint}` : `${pool}\nkey\n${key}`;
}

/** Time alone ends a cooldown; an ejection or an exhausted quota waits for its trial. */
function present(last: Present | undefined, endedAt: number): Present | null {
  if (!last || last.state === 'healthy') return null;
  const over = last.until !== null && last.until <= endedAt;
  if (over && last.state === 'cooling') return null;
  return over ? { ...last, until: null } : last;
}

function reportEstimateOf(estimate: RouterEstimate): ReportEstimate {
  const { successRate, successLow, successHigh, avgMs, avgLowMs, avgHighMs, probes, changes } = estimate;
  return {
    successRate,
    successRange: [successLow, successHigh],
    avgMs,
    avgRangeMs: [avgLowMs, avgHighMs],
    probes,
    changes,
  };
}

interface Around {
  readonly now: Present | null;
  readonly span: Span;
  readonly estimate: RouterEstimate | undefined;
  /** Attempts of it and its siblings. */
  readonly of: number;
}

function toMember(name: string, tally: MemberTally, { now, span, of, estimate }: Around): ReportMember {
  const { durations } = tally;
  return {
    name,
    state: now?.state ?? 'healthy',
    until: now === null || now.until === null ? null : isoTime(now.until),
    why: now?.why ?? null,
    leases: tally.leases,
    requests: tally.requests,
    successes: tally.successes,
    failures: tally.failures,
    successRate: tally.successRate(),
    avgMs: roundedOrNull(durations.mean()),
    p50Ms: roundedOrNull(durations.percentile(0.5)),
    p95Ms: roundedOrNull(durations.percentile(0.95)),
    p99Ms: roundedOrNull(durations.percentile(0.99)),
    share: of === 0 ? null : rounded((tally.requests / of) * 100) / 100,
    parts: tally.spark.parts(span.from, span.to, PARTS),
    ...(estimate && { estimate: reportEstimateOf(estimate) }),
    kinds: tally.kinds,
  };
}
