import type { HealthState, OutcomeKind } from '../core/types.ts';
import { clockTime, count, counted, duration, moment, NOT_MEASURED, percent } from '../shared/format.ts';
import { memberName } from './lanes.ts';
import type { Report, ReportMember, ReportPool, ReportStrategy, ReportTransition } from './model.ts';

export interface PoolView {
  readonly name: string;
  readonly id: string;
  readonly note: string;
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
  readonly leases: string;
  readonly attempts: string;
  readonly failures: string;
  readonly someFailed: boolean;
  readonly rate: string;
  readonly measured: boolean;
  /** For the bar under the rate. */
  readonly ratePercent: number;
  readonly avg: string;
  readonly p95: string;
  readonly kinds: string;
}

interface ChangeRow {
  readonly at: string;
  readonly member: string;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly why: string;
  /** Empty where no timer ends it. */
  readonly until: string;
}

/** Rows of one table that are on the page from the start. */
const MAX_ROWS = 10;
const MAX_CHANGES = 6;
/** Changes that the page holds at all; report.json has every one. */
const MAX_CHANGES_HELD = 500;
const NONE = '–';

export function poolViews(report: Report): PoolView[] {
  const { startedAt } = report.run;
  return report.pools.map((pool, index) => ({
    name: pool.name,
    id: `pool-${index + 1}`,
    note: noteOfPool(pool),
    tables: [
      ...memberTable('Endpoints', pool.endpoints, (member) => toRow(member, member.url, startedAt)),
      ...memberTable('Keys', pool.keys, (member) => toRow(member, member.fingerprint, startedAt)),
    ],
  }));
}

export interface ChangesView {
  readonly rows: readonly ChangeRow[];
  readonly rest: readonly ChangeRow[];
  readonly showRest: string;
  readonly note: string;
}

export function changesView(report: Report): ChangesView | null {
  const { transitions } = report;
  if (transitions.length === 0) return null;
  const rows = transitions.slice(0, MAX_CHANGES_HELD).map(toChange);
  const cut = transitions.length - rows.length;
  return {
    rows: rows.slice(0, MAX_CHANGES),
    rest: rows.slice(MAX_CHANGES),
    showRest: `Show ${counted(Math.max(0, rows.length - MAX_CHANGES), 'more change')}`,
    note: `${counted(transitions.length, 'change')} of a member’s health${cut > 0 ? `; the last ${count(cut)} are in report.json only` : ''}.`,
  };
}

export interface StrategyRow {
  readonly task: string;
  readonly name: string;
  readonly runs: string;
  readonly rate: string;
  readonly avg: string;
  readonly chosen: string;
  readonly fallbacks: string;
}

export function strategyRows(strategies: readonly ReportStrategy[]): StrategyRow[] {
  return strategies.map(({ task, name, runs, successRate, avgMs, chosen, fallbacks }) => ({
    task,
    name,
    runs: count(runs),
    rate: successRate === null ? NOT_MEASURED : percent(successRate),
    avg: avgMs === null ? NONE : duration(avgMs),
    chosen: count(chosen),
    fallbacks: count(fallbacks),
  }));
}

function noteOfPool(pool: ReportPool): string {
  const members = [...pool.endpoints, ...pool.keys];
  const healthy = members.filter(({ state }) => state === 'healthy').length;
  const said = [
    pool.endpoints.length > 0 ? counted(pool.endpoints.length, 'endpoint') : '',
    pool.keys.length > 0 ? counted(pool.keys.length, 'key') : '',
  ].filter(Boolean);
  if (members.length === 0) return 'No members.';
  const health =
    healthy === members.length
      ? 'all healthy at the end'
      : `${healthy} of ${members.length} healthy at the end`;
  return `${said.join(' and ')}, ${health}.`;
}

function memberTable<M extends ReportMember>(
  caption: string,
  members: readonly M[],
  show: (member: M) => MemberRow,
): MemberTable[] {
  if (members.length === 0) return [];
  const ordered = members.length > MAX_ROWS ? [...members].sort(byTrouble) : members;
  const rows = ordered.map(show);
  const rest = rows.slice(MAX_ROWS);
  return [
    {
      caption,
      rows: rows.slice(0, MAX_ROWS),
      rest,
      showRest: `Show ${count(rest.length)} more ${caption.toLowerCase()}`,
    },
  ];
}

function byTrouble(a: ReportMember, b: ReportMember): number {
  const out = Number(b.state !== 'healthy') - Number(a.state !== 'healthy');
  return out || b.failures - a.failures || b.attempts - a.attempts;
}

function toRow(member: ReportMember, detail: string, runStarted: string): MemberRow {
  const { successRate, attempts } = member;
  return {
    name: member.name,
    detail: detail === member.name ? '' : detail,
    state: member.state,
    why: reasonOf(member, runStarted),
    leases: count(member.leases),
    attempts: count(attempts),
    failures: count(member.failures),
    someFailed: member.failures > 0,
    rate: successRate === null ? NOT_MEASURED : percent(successRate),
    measured: successRate !== null,
    ratePercent: successRate === null ? 0 : Math.round(successRate * 1000) / 10,
    avg: member.avgMs === null ? NONE : duration(member.avgMs),
    p95: member.p95Ms === null ? NONE : duration(member.p95Ms),
    kinds: kindsText(member.kinds) || NONE,
  };
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
  return entries.map(([kind, times]) => `${kind} ${count(times)}`).join(', ');
}

function toChange(change: ReportTransition): ChangeRow {
  return {
    at: clockTime(Date.parse(change.at)),
    member: memberName(change),
    from: change.from,
    to: change.to,
    why: change.why,
    until: change.until === null ? '' : moment(Date.parse(change.until), Date.parse(change.at)),
  };
}
