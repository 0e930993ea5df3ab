import type { HealthState, OutcomeKind } from '../../core/types.ts';
import { count, counted, duration, moment, NOT_MEASURED, percent } from '../../shared/format.ts';
import { memberKey } from '../report/member-names.ts';
import { memberTimelineRow, type MemberTimelineRow } from './member-timeline.ts';
import type { Report, ReportEstimate, ReportMember, ReportPool } from '../report/model.ts';
import type { Interval, StateIntervals } from '../report/state-intervals.ts';

export interface PoolsView {
  readonly shown: readonly PoolSection[];
  /** Pools that the page shows on demand. */
  readonly rest: readonly PoolSection[];
  readonly showRest: string;
}

interface PoolSection {
  readonly name: string;
  readonly id: string;
  readonly note: string;
  /** `at the end` */
  readonly when: string;
  readonly tables: readonly MemberTable[];
}

interface MemberTable {
  readonly caption: string;
  readonly rows: readonly MemberRow[];
  /** Rows that the page shows on demand. */
  readonly rest: readonly MemberRow[];
  readonly showRest: string;
}

interface MemberRow {
  readonly name: string;
  readonly detail: string;
  readonly state: HealthState;
  readonly why: string | null;
  readonly timeline: MemberTimelineRow;
  /** It was used, or its state changed: there is something to draw. */
  readonly drawn: boolean;
  readonly leases: string;
  readonly requests: string;
  readonly share: string;
  readonly failures: string;
  readonly someFailed: boolean;
  readonly kinds: string;
  readonly rate: string;
  readonly measured: boolean;
  /** For the bar under the rate. */
  readonly ratePercent: number;
  readonly estimate: string;
  readonly times: readonly string[];
}

/** Rows that the markup has, shared among all tables. */
const ALL_ROWS = 20;
const MAX_ROWS = 8;
const MIN_ROWS = 2;
const MAX_POOLS = 5;
const NONE = '–';

interface PoolsContext {
  readonly report: Report;
  readonly intervals: StateIntervals;
  readonly span: Interval;
  /** The run is not over. */
  readonly running: boolean;
}

export function poolsView(report: Report, context: Omit<PoolsContext, 'report'>): PoolsView {
  const { pools } = report;
  const ordered = pools.length > MAX_POOLS ? pools.toSorted((a, b) => failuresOf(b) - failuresOf(a)) : pools;
  const tables = ordered
    .slice(0, MAX_POOLS)
    .reduce((sum, { endpoints, keys }) => sum + Number(endpoints.length > 0) + Number(keys.length > 0), 0);
  const most = Math.min(MAX_ROWS, Math.max(MIN_ROWS, Math.floor(ALL_ROWS / Math.max(1, tables))));
  const inReport = { report, ...context };
  const when = context.running ? 'now' : 'at the end';
  const views = ordered.map((pool, index) => ({
    name: pool.name,
    id: `pool-${index + 1}`,
    note: noteOfPool(pool, when),
    when,
    tables: [
      ...memberTable('Endpoints', pool.endpoints, most, (member) => {
        return toRow(member, member.url, memberKey(pool.name, 'endpoint', member.name), inReport);
      }),
      ...memberTable('Keys', pool.keys, most, (member) => {
        return toRow(member, detailOfKey(member), memberKey(pool.name, 'key', member.name), inReport);
      }),
    ],
  }));
  const rest = views.slice(MAX_POOLS);
  return {
    shown: views.slice(0, MAX_POOLS),
    rest,
    showRest: `Show ${counted(rest.length, 'more pool')}`,
  };
}

/** `ab12cd34 · 12,300 tokens (gpt-5: 10,000, gpt-5-mini: 2,300; 40 estimated)` */
function detailOfKey({
  fingerprint,
  tokens,
  tokensByModel,
  tokensEstimated,
}: ReportPool['keys'][number]): string {
  if (tokens === null) return fingerprint;
  const models = Object.entries(tokensByModel).map(([model, used]) => `${model}: ${count(used)}`);
  const estimated = tokensEstimated ? [`${count(tokensEstimated)} estimated`] : [];
  const parts = [models.join(', '), ...estimated].filter(Boolean).join('; ');
  return `${fingerprint} · ${counted(tokens, 'token')}${parts === '' ? '' : ` (${parts})`}`;
}

function failuresOf(pool: ReportPool): number {
  return [...pool.endpoints, ...pool.keys].reduce((sum, { failures }) => sum + failures, 0);
}

function noteOfPool(pool: ReportPool, when: string): string {
  const members = [...pool.endpoints, ...pool.keys];
  const healthy = members.filter(({ state }) => state === 'healthy').length;
  const parts = [
    pool.endpoints.length > 0 ? counted(pool.endpoints.length, 'endpoint') : '',
    pool.keys.length > 0 ? counted(pool.keys.length, 'key') : '',
  ].filter(Boolean);
  if (members.length === 0) return 'No members.';
  const health =
    healthy === members.length ? `all healthy ${when}` : `${healthy} of ${members.length} healthy ${when}`;
  return `${parts.join(' and ')}, ${health}.`;
}

function memberTable<M extends ReportMember>(
  caption: string,
  members: readonly M[],
  most: number,
  show: (member: M) => MemberRow,
): MemberTable[] {
  if (members.length === 0) return [];
  const ordered = members.length > most ? [...members].sort(byTrouble) : members;
  const rows = ordered.map(show);
  const rest = rows.slice(most);
  return [
    {
      caption,
      rows: rows.slice(0, most),
      rest,
      showRest: `Show ${count(rest.length)} more ${caption.toLowerCase()}`,
    },
  ];
}

function byTrouble(a: ReportMember, b: ReportMember): number {
  const unhealthy = Number(b.state !== 'healthy') - Number(a.state !== 'healthy');
  return unhealthy || b.failures - a.failures || b.requests - a.requests;
}

function toRow(member: ReportMember, detail: string, key: string, context: PoolsContext): MemberRow {
  const { successRate, requests, share, avgMs, p50Ms, p95Ms, p99Ms } = member;
  const intervals = context.intervals.get(key) ?? [];
  return {
    name: member.name,
    detail: detail === member.name ? '' : detail,
    state: member.state,
    why: reasonOf(member, context.report.run.startedAt),
    timeline: memberTimelineRow(member.name, member, intervals, context.span),
    drawn: requests > 0 || intervals.length > 0,
    leases: count(member.leases),
    requests: count(requests),
    share: share === null || requests === 0 ? '' : percent(share),
    failures: count(member.failures),
    someFailed: member.failures > 0,
    kinds: kindsText(member.kinds),
    rate: successRate === null ? NOT_MEASURED : percent(successRate),
    measured: successRate !== null,
    ratePercent: successRate === null ? 0 : Math.round(successRate * 1000) / 10,
    estimate: estimateText(member.estimate),
    times: [avgMs, p50Ms, p95Ms, p99Ms].map((ms) => (ms === null ? NONE : duration(ms))),
  };
}

/** The router's estimate: `estimated 96 % (91 % to 99 %), 120 ms, 2 probes`; empty where there is none. */
export function estimateText(estimate: ReportEstimate | null | undefined): string {
  if (!estimate || estimate.successRate === null) return '';
  const { successRate, successRange, avgMs, probes = 0, changes = 0 } = estimate;
  const range = successRange ? ` (${successRange.map((rate) => percent(rate)).join(' to ')})` : '';
  const parts = [
    `estimated ${percent(successRate)}${range}`,
    avgMs === null ? '' : duration(avgMs),
    probes > 0 ? counted(probes, 'probe') : '',
    changes > 0 ? counted(changes, 'change') + ' of speed' : '',
  ];
  return parts.filter(Boolean).join(', ');
}

/** `3 × 503 in a row, until 02:31:10` */
export function reasonOf(member: ReportMember, runStarted: string): string | null {
  const started = Date.parse(runStarted);
  const until = member.until === null ? '' : `until ${moment(Date.parse(member.until), started)}`;
  return [member.why ?? '', until].filter(Boolean).join(', ') || null;
}

/** Most frequent first: `server 12, timeout 3`. */
function kindsText(kinds: Readonly<Partial<Record<OutcomeKind, number>>>): string {
  const entries = Object.entries(kinds).sort(([, a], [, b]) => b - a);
  return entries.map(([kind, times]) => `${kind}\u00a0${count(times)}`).join(', ');
}
