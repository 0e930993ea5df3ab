import { type HealthState, type MemberKind } from '../../core/types.ts';
import { count, counted, duration } from '../../shared/format.ts';
import { memberKey } from '../report/member-names.ts';
import type { Report, ReportMember, ReportPool } from '../report/model.ts';
import {
  type Interval,
  lengthOf,
  type StateInterval,
  type StateIntervals,
} from '../report/state-intervals.ts';
import { boxes, stepArea } from './shapes.ts';

const MAX_ROWS = 8;
const STATES_WIDTH = 1000;
const STATES_HEIGHT = 10;
const ACTIVITY_HEIGHT = 20;

/** Requests, failures and states of one member over the time of the run. */
export interface MemberTimelineRow {
  readonly name: string;
  /** `1,204 requests, 18 failed, not healthy for 17 min` */
  readonly note: string;
  /** The same, short: `unhealthy 17 min` */
  readonly short: string;
  /** Requests in equal parts of the time, one unit each. Empty where the member was not used. */
  readonly requests: string;
  readonly failures: string;
  readonly parts: number;
  readonly states: readonly { readonly state: HealthState; readonly path: string }[];
}

export interface MemberTimeline {
  readonly shown: readonly MemberTimelineRow[];
  readonly cut: number;
  /** The states that appear, for the legend. */
  readonly states: readonly HealthState[];
}

/** The members with the most trouble first, then those with the most requests. */
export function memberTimeline(report: Report, intervals: StateIntervals, span: Interval): MemberTimeline {
  const members = report.pools.flatMap((pool) => rankedMembers(pool, intervals));
  const seen = members.filter(({ member, unhealthy }) => member.requests > 0 || unhealthy.length > 0);
  seen.sort((a, b) => b.trouble - a.trouble || b.member.requests - a.member.requests);
  const shown = seen.slice(0, MAX_ROWS);
  return {
    shown: shown.map(({ name, member, unhealthy }) => memberTimelineRow(name, member, unhealthy, span)),
    cut: seen.length - shown.length,
    states: [...new Set(shown.flatMap(({ unhealthy }) => unhealthy.map(({ state }) => state)))],
  };
}

interface RankedMember {
  readonly name: string;
  readonly member: ReportMember;
  readonly unhealthy: readonly StateInterval[];
  readonly trouble: number;
}

function rankedMembers(pool: ReportPool, all: StateIntervals): RankedMember[] {
  const rank =
    (kind: MemberKind) =>
    (member: ReportMember): RankedMember => {
      const unhealthy = all.get(memberKey(pool.name, kind, member.name)) ?? [];
      const rate = member.requests === 0 ? 0 : member.failures / member.requests;
      const trouble = unhealthy.length > 0 ? 1e12 + lengthOf(unhealthy) : rate;
      return { name: `${pool.name}/${member.name}`, member, unhealthy, trouble };
    };
  return [...pool.endpoints.map(rank('endpoint')), ...pool.keys.map(rank('key'))];
}

export function memberTimelineRow(
  name: string,
  member: ReportMember,
  unhealthy: readonly StateInterval[],
  span: Interval,
): MemberTimelineRow {
  const { parts } = member;
  const most = Math.max(1, ...(parts?.requests ?? []));
  const unhealthyMs = lengthOf(unhealthy);
  const note = [
    `${counted(member.requests, 'request')}, ${count(member.failures)} failed`,
    unhealthyMs > 0 ? `not healthy for ${duration(unhealthyMs)}` : '',
  ];
  return {
    name,
    note: note.filter(Boolean).join(', '),
    short: unhealthyMs > 0 ? `unhealthy ${duration(unhealthyMs)}` : `${count(member.failures)} failed`,
    requests: parts ? stepArea(parts.requests, most, ACTIVITY_HEIGHT) : '',
    failures: parts ? stepArea(parts.failures, most, ACTIVITY_HEIGHT) : '',
    parts: parts?.requests.length ?? 1,
    states: [...new Set(unhealthy.map(({ state }) => state))].map((state) => {
      const alike = unhealthy.filter((interval) => interval.state === state);
      return { state, path: boxes(alike, span, STATES_WIDTH, STATES_HEIGHT) };
    }),
  };
}
