import type { HealthState } from '../core/types.ts';
import { duration } from '../shared/format.ts';
import type { ReportTransition } from './model.ts';
import { ensure } from './tally.ts';

const MAX_LANES = 8;
const WIDTH = 1000;
const HEIGHT = 10;

export interface LaneView {
  readonly name: string;
  /** How long it was not healthy: `12 min 3 s` */
  readonly out: string;
  readonly bands: readonly { readonly state: HealthState; readonly path: string }[];
}

export interface Lanes {
  readonly shown: readonly LaneView[];
  readonly cut: number;
  /** The states that appear, for the legend. */
  readonly states: readonly HealthState[];
}

interface Stretch {
  readonly state: HealthState;
  readonly from: number;
  readonly to: number;
}

/** When which member was not healthy, as bands over the time of the run; those that were out longest first. */
export function lanesOf(transitions: readonly ReportTransition[], start: number, end: number): Lanes {
  const members = new Map<string, ReportTransition[]>();
  for (const transition of transitions) ensure(members, memberName(transition), () => []).push(transition);
  const lanes = [...members].map(([name, changes]) => {
    const stretches = stretchesOf(changes, start, end);
    const outMs = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
    return { name, outMs, stretches };
  });
  const out = lanes.filter(({ stretches }) => stretches.length > 0).sort((a, b) => b.outMs - a.outMs);
  const shown = out.slice(0, MAX_LANES);
  return {
    shown: shown.map(({ name, outMs, stretches }) => ({
      name,
      out: duration(outMs),
      bands: bandsOf(stretches, start, end),
    })),
    cut: out.length - shown.length,
    states: [...new Set(shown.flatMap(({ stretches }) => stretches.map(({ state }) => state)))],
  };
}

export function memberName(member: {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
}): string {
  return [member.pool, member.endpoint, member.key].filter((part) => part !== null && part !== '').join('/');
}

function stretchesOf(changes: readonly ReportTransition[], start: number, end: number): Stretch[] {
  const first = changes[0]!;
  const stretches: Stretch[] = [{ state: first.from, from: start, to: Date.parse(first.at) }];
  changes.forEach((change, index) => {
    const next = changes[index + 1];
    const until = change.to === 'cooling' && change.until !== null ? Date.parse(change.until) : end;
    stretches.push({
      state: change.to,
      from: Date.parse(change.at),
      to: Math.min(end, next ? Date.parse(next.at) : until),
    });
  });
  return stretches.filter(({ state, from, to }) => state !== 'healthy' && to > from);
}

function bandsOf(stretches: readonly Stretch[], start: number, end: number): LaneView['bands'] {
  const states = [...new Set(stretches.map(({ state }) => state))];
  const x = (at: number): number => Math.round(((at - start) / (end - start)) * WIDTH * 10) / 10;
  return states.map((state) => {
    const alike = stretches.filter((stretch) => stretch.state === state);
    // A cooldown of a second in a run of an hour must still be seen.
    const rects = alike.map(
      ({ from, to }) => `M${x(from)} 0h${Math.max(2, x(to) - x(from))}v${HEIGHT}H${x(from)}z`,
    );
    return { state, path: rects.join('') };
  });
}
