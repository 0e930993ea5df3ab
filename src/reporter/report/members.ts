import { type HealthState, type RouterEstimate, type Transition, type MemberKind } from '../../core/types.ts';
import { isoTime } from '../../shared/format.ts';
import type { RunState } from '../collect/run-state.ts';
import { memberKey, memberKeyOf } from './member-names.ts';
import type { ReportEstimate, ReportMember, ReportPool } from './model.ts';
import { type MemberCounts, type PoolCounts, rounded, roundedOrNull } from '../collect/counts.ts';

/** A member's requests over time are counted in this many equal parts of the run. */
const PARTS = 60;

interface CurrentState {
  readonly state: HealthState;
  readonly why: string;
  readonly until: number | null;
}

/** The time that members' counts over time cover, and when the run ended. */
export interface RunSpan {
  readonly from: number;
  readonly to: number;
  readonly endedAt: number;
}

/** All pools with their members, used or not, in their states at the end of the run. */
export function poolsOf(runState: RunState, transitions: readonly Transition[], span: RunSpan): ReportPool[] {
  const states = statesOf(runState, transitions);
  const toMembers = (
    pool: PoolCounts,
    kind: MemberKind,
    members: ReadonlyMap<string, MemberCounts>,
  ): ReportMember[] => {
    const all = requestsOf(members);
    return [...members].map(([name, counts]) => {
      const key = memberKey(pool.name, kind, name);
      const now = stateAt(states.get(key), span.endedAt);
      return toMember(name, counts, { now, span, all, estimate: runState.routerEstimates.get(key) });
    });
  };
  return [...runState.pools.values()].map((pool) => ({
    name: pool.name,
    endpoints: toMembers(pool, 'endpoint', pool.endpoints).map(({ name, ...rest }) => {
      return { name, url: pool.endpoints.get(name)!.url, ...rest };
    }),
    keys: toMembers(pool, 'key', pool.keys).map(({ name, ...rest }) => {
      const { fingerprint, tokens, tokensByModel, tokensEstimated } = pool.keys.get(name)!;
      const used = { tokens, tokensByModel: Object.fromEntries(tokensByModel), tokensEstimated };
      return { name, fingerprint, ...rest, ...used, ...tokenOf(runState, pool.name, name) };
    }),
  }));
}

function tokenOf(
  { mintedTokens }: RunState,
  pool: string,
  key: string,
): Pick<ReportPool['keys'][number], 'token'> {
  const own = [...mintedTokens.values()].filter((each) => each.pool === pool && each.key === key);
  const last = own.toSorted((one, other) => one.at - other.at).at(-1);
  if (!last) return {};
  const expiresAt = last.expiresAt === null ? null : isoTime(last.expiresAt);
  return {
    token: { minted: own.length, renewed: own.filter(({ isRenewal }) => isRenewal).length, expiresAt },
  };
}

function requestsOf(members: ReadonlyMap<string, MemberCounts>): number {
  return [...members.values()].reduce((sum, { requests }) => sum + requests, 0);
}

function statesOf(runState: RunState, transitions: readonly Transition[]): Map<string, CurrentState> {
  const states = new Map<string, CurrentState>();
  for (const { healthSnapshots } of runState.healthSnapshots.values()) {
    for (const snapshot of healthSnapshots) states.set(memberKeyOf(snapshot), snapshot);
  }
  for (const { to, why, until, ...member } of transitions) {
    states.set(memberKeyOf(member), { state: to, why, until });
  }
  return states;
}

/** Time alone ends a cooldown; an ejection or an exhausted quota ends with a trial. */
function stateAt(last: CurrentState | undefined, endedAt: number): CurrentState | null {
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

interface MemberContext {
  readonly now: CurrentState | null;
  readonly span: RunSpan;
  readonly estimate: RouterEstimate | undefined;
  /** Requests of all members of its kind in the pool. */
  readonly all: number;
}

function toMember(
  name: string,
  counts: MemberCounts,
  { now, span, all, estimate }: MemberContext,
): ReportMember {
  const { durations } = counts;
  return {
    name,
    state: now?.state ?? 'healthy',
    until: now === null || now.until === null ? null : isoTime(now.until),
    why: now?.why ?? null,
    leases: counts.leases,
    requests: counts.requests,
    successes: counts.successes,
    failures: counts.failures,
    successRate: counts.successRate(),
    avgMs: roundedOrNull(durations.mean()),
    p50Ms: roundedOrNull(durations.percentile(0.5)),
    p95Ms: roundedOrNull(durations.percentile(0.95)),
    p99Ms: roundedOrNull(durations.percentile(0.99)),
    share: all === 0 ? null : rounded((counts.requests / all) * 100) / 100,
    parts: counts.activity.parts(span.from, span.to, PARTS),
    ...(estimate && { estimate: reportEstimateOf(estimate) }),
    kinds: counts.kinds,
  };
}
