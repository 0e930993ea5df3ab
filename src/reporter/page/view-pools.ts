import { HEALTH_STATES, type HealthState, type MemberKind } from '../../core/types.ts';
import { count, counted, moment } from '../../shared/format.ts';
import { memberKey } from '../report/member-names.ts';
import { type MemberColumn, memberColumns, type MemberRow, memberRow, keyFacts } from './member-rows.ts';
import { memberTimelineRow } from './member-timeline.ts';
import { packed } from './packing.ts';
import type { Report, ReportMember, ReportPool } from '../report/model.ts';
import type { Interval, StateIntervals } from '../report/state-intervals.ts';
import type { PackedMembers } from './data-format.ts';

export interface PoolsView {
  readonly shown: readonly PoolSection[];
  /** Pools that the page shows on demand. */
  readonly rest: readonly PoolSection[];
  readonly showRest: string;
  /** Null where there is little to search. */
  readonly filters: PoolFilters | null;
  /** All members of all tables, for the script. */
  readonly data: string;
}

interface PoolFilters {
  readonly states: readonly { readonly value: HealthState; readonly label: string }[];
}

interface PoolSection {
  readonly name: string;
  readonly id: string;
  readonly note: string;
  readonly tables: readonly PoolMembers[];
}

interface PoolMembers {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly MemberColumn[];
  readonly rows: readonly MemberRow[];
  /** All of its members. */
  readonly all: readonly MemberRow[];
  /** `8 of 300 keys` */
  readonly shown: string;
  /** Empty where the markup has all rows. */
  readonly showRest: string;
}

/** Rows that the markup has, shared among all tables. */
const ALL_ROWS = 20;
const MAX_ROWS = 8;
const MIN_ROWS = 2;
const MAX_POOLS = 5;
/** Members of a run from which on there are filters. */
const FEW_MEMBERS = 6;

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
  const when = context.running ? 'now' : 'at the end';
  const views = ordered.map((pool, index) => {
    return poolSection(pool, `pool-${index + 1}`, { most, when, context: { report, ...context } });
  });
  const rest = views.slice(MAX_POOLS);
  const data: PackedMembers = Object.fromEntries(
    views.flatMap((view) => view.tables.map(({ id, all, rows }) => [id, { rows: all, first: rows.length }])),
  );
  return {
    shown: views.slice(0, MAX_POOLS),
    rest,
    showRest: `Show ${counted(rest.length, 'more pool')}`,
    filters: filtersOf(pools),
    data: packed(data),
  };
}

interface SectionOptions {
  readonly most: number;
  readonly when: string;
  readonly context: PoolsContext;
}

function poolSection(pool: ReportPool, id: string, { most, when, context }: SectionOptions): PoolSection {
  const row = (
    kind: MemberKind,
    member: ReportMember,
    own: MemberRow['facts'],
    tokens: number | null,
  ): MemberRow => {
    const intervals = context.intervals.get(memberKey(pool.name, kind, member.name)) ?? [];
    return memberRow(member, {
      own,
      tokens,
      why: reasonOf(member, context.report.run.startedAt) ?? '',
      timeline: memberTimelineRow(member.name, member, intervals, context.span),
      wasUnhealthy: intervals.length > 0,
    });
  };
  const endpoints = pool.endpoints.map((member) => {
    const own = member.url === member.name ? [] : [{ name: 'Address', value: member.url }];
    return row('endpoint', member, own, null);
  });
  const keys = pool.keys.map((member) => row('key', member, keyFacts(member), member.tokens));
  return {
    name: pool.name,
    id,
    note: noteOfPool(pool, when),
    tables: [
      ...memberTable(`${id}-endpoints`, 'Endpoints', endpoints, { most, when }),
      ...memberTable(`${id}-keys`, 'Keys', keys, { most, when }),
    ],
  };
}

function memberTable(
  id: string,
  caption: string,
  members: readonly MemberRow[],
  { most, when }: Pick<SectionOptions, 'most' | 'when'>,
): PoolMembers[] {
  if (members.length === 0) return [];
  const has = {
    tokens: members.some(({ sort }) => sort.tokens !== null),
    estimates: members.some(({ estimate }) => estimate !== null),
  };
  const ordered =
    members.length > most ? members.toSorted((a, b) => b.sort.trouble - a.sort.trouble) : members;
  const all = ordered.map((row) => {
    return { ...row, tokens: has.tokens ? row.tokens : null, estimates: has.estimates };
  });
  const rows = all.slice(0, most);
  const rest = all.length - rows.length;
  const names = caption.toLowerCase();
  return [
    {
      id,
      caption,
      columns: memberColumns(caption, when, has),
      rows,
      all,
      shown: rest === 0 ? '' : `${count(rows.length)} of ${count(all.length)} ${names}`,
      showRest: rest === 0 ? '' : `Show ${count(rest)} more ${names}`,
    },
  ];
}

function filtersOf(pools: readonly ReportPool[]): PoolFilters | null {
  const members = pools.flatMap(({ endpoints, keys }) => [...endpoints, ...keys]);
  if (members.length < FEW_MEMBERS) return null;
  const states = HEALTH_STATES.map((value) => {
    return { value, members: members.filter(({ state }) => state === value).length };
  });
  return {
    states: states
      .filter(({ members: some }) => some > 0)
      .map(({ value, members: some }) => ({ value, label: `${value} (${count(some)})` })),
  };
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

/** `3 × 503 in a row, until 02:31:10` */
export function reasonOf(member: ReportMember, runStarted: string): string | null {
  const started = Date.parse(runStarted);
  const until = member.until === null ? '' : `until ${moment(Date.parse(member.until), started)}`;
  return [member.why ?? '', until].filter(Boolean).join(', ') || null;
}
