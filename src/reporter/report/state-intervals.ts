import type { HealthState } from '../../core/types.ts';
import { getOrCreate } from '../collect/counts.ts';
import { spanOf } from '../collect/timeline-counts.ts';
import { memberKeyOf } from './member-names.ts';
import type { Report, ReportTransition } from './model.ts';

/** Milliseconds since the epoch. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** A time in which a member was not healthy. */
export interface StateInterval extends Interval {
  readonly state: HealthState;
}

/** By member key. */
export type StateIntervals = ReadonlyMap<string, readonly StateInterval[]>;

/** The time that the report covers. */
export function spanOfReport({ run, timeline }: Report): Interval {
  const startedAt = Date.parse(run.startedAt);
  return spanOf(timeline, startedAt, startedAt + run.durationMs);
}

/** When which member was not healthy. A key's state at one endpoint is the key's. */
export function stateIntervalsOf(transitions: readonly ReportTransition[], span: Interval): StateIntervals {
  const members = new Map<string, ReportTransition[]>();
  for (const transition of transitions) {
    getOrCreate(members, memberKeyOf(transition), () => []).push(transition);
  }
  return new Map([...members].map(([key, changes]) => [key, intervalsOf(changes, span)]));
}

export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { from, to }) => sum + to - from, 0);
}

function intervalsOf(changes: readonly ReportTransition[], span: Interval): StateInterval[] {
  const first = changes[0]!;
  const found: StateInterval[] = [{ state: first.from, from: span.from, to: Date.parse(first.at) }];
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
