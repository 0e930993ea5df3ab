import { type HealthState, type MemberKind } from '../../core/types.ts';
import { count, counted, duration } from '../../shared/format.ts';
import type { Report, ReportMember, ReportPool, ReportTransition } from '../report/model.ts';
import { type Band, boxes, stepArea } from './shapes.ts';
import { ensure } from '../collect/tally.ts';

const MAX_LANES = 8;
const BAND_WIDTH = 1000;
const BAND_HEIGHT = 10;
const SPARK_HEIGHT = 20;

/** Attempts, failures and states of one member over the time of the run. */
export interface MemberLane {
  readonly name: string;
  /** `1,204 attempts, 18 failed, out for 17 min` */
  readonly note: string;
  /** The same in few letters: `out 17 min` */
  readonly short: string;
  /** Attempts in equal parts of the time, one unit each. Empty where it was never asked. */
  readonly requests: string;
  readonly failures: string;
  readonly parts: number;
  readonly bands: readonly { readonly state: HealthState; readonly path: string }[];
}

export interface Lanes {
  readonly shown: readonly MemberLane[];
  readonly cut: number;
  /** The states that appear, for the legend. */
  readonly states: readonly HealthState[];
}

interface Stretch extends Band {
  readonly state: HealthState;
}

/** The stretches in which members were not healthy, by `kind` and name. */
export type Stretches = ReadonlyMap<string, readonly Stretch[]>;

/** The members that had most trouble, then those that were asked most. */
export function lanesOf(report: Report, stretches: Stretches, span: Band): Lanes {
  const members = report.pools.flatMap((pool) => membersOf(pool, stretches));
  const seen = members.filter(({ member, out }) => member.requests > 0 || out.length > 0);
  seen.sort((a, b) => b.trouble - a.trouble || b.member.requests - a.member.requests);
  const shown = seen.slice(0, MAX_LANES);
  return {
    shown: shown.map(({ name, member, out }) => memberLane(name, member, out, span)),
    cut: seen.length - shown.length,
    states: [...new Set(shown.flatMap(({ out }) => out.map(({ state }) => state)))],
  };
}

function membersOf(pool: ReportPool, all: Stretches): RankedMember[] {
  const candidate =
    (kind: MemberKind) =>
    (member: ReportMember): RankedMember => {
      const out = all.get(laneKey(pool.name, kind, member.name)) ?? [];
      const rate = member.requests === 0 ? 0 : member.failures / member.requests;
      const trouble = out.length > 0 ? 1e12 + lengthOf(out) : rate;
      return { name: `${pool.name}/${member.name}`, member, out, trouble };
    };
  return [...pool.endpoints.map(candidate('endpoint')), ...pool.keys.map(candidate('key'))];
}

interface RankedMember {
  readonly name: string;
  readonly member: ReportMember;
  readonly out: readonly Stretch[];
  readonly trouble: number;
}

export function memberLane(
  name: string,
  member: ReportMember,
  out: readonly Stretch[],
  span: Band,
): MemberLane {
  const { parts } = member;
  const most = Math.max(1, ...(parts?.requests ?? []));
  const outMs = lengthOf(out);
  const note = [
    `${counted(member.requests, 'request')}, ${count(member.failures)} failed`,
    outMs > 0 ? `not healthy for ${duration(outMs)}` : '',
  ];
  return {
    name,
    note: note.filter(Boolean).join(', '),
    short: outMs > 0 ? `out ${duration(outMs)}` : `${count(member.failures)} failed`,
    requests: parts ? stepArea(parts.requests, most, SPARK_HEIGHT) : '',
    failures: parts ? stepArea(parts.failures, most, SPARK_HEIGHT) : '',
    parts: parts?.requests.length ?? 1,
    bands: [...new Set(out.map(({ state }) => state))].map((state) => {
      const alike = out.filter((stretch) => stretch.state === state);
      return { state, path: boxes(alike, span, BAND_WIDTH, BAND_HEIGHT) };
    }),
  };
}

export function laneKey(pool: string, kind: MemberKind, name: string): string {
  return `${pool}\n${kind}\n${name}`;
}

/** When which member was not healthy. What concerns a key at one endpoint is the key's. */
export function stretchesOf(transitions: readonly ReportTransition[], span: Band): Stretches {
  const members = new Map<string, ReportTransition[]>();
  for (const transition of transitions) {
    const { pool, endpoint, key } = transition;
    const kind = key === null ? 'endpoint' : 'key';
    ensure(members, laneKey(pool, kind, key ?? endpoint ?? ''), () => []).push(transition);
  }
  return new Map([...members].map(([name, changes]) => [name, stretches(changes, span)]));
}

export function memberName(member: {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
}): string {
  return [member.pool, member.endpoint, member.key].filter((part) => part !== null && part !== '').join('/');
}

function lengthOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { from, to }) => sum + to - from, 0);
}

function stretches(changes: readonly ReportTransition[], span: Band): Stretch[] {
  const first = changes[0]!;
  const found: Stretch[] = [{ state: first.from, from: span.from, to: Date.parse(first.at) }];
  changes.forEach((change, index) => {
    const next = changes[index + 1];
    const until = change.to === 'cooling' && change.until !== null ? Date.parse(change.until) : span.to;
    found.push({
      state: change.to,
      from: Date.parse(change.at),
      to: Math.min(span.to, next ? Date.parse(next.at) : until),
    });
  });
  return found.filter(({ state, from, to }) => state !== 'healthy' && to > from);
}
