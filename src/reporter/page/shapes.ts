import type { Interval } from '../report/state-intervals.ts';

/** Drawing in a chart's own units; the page stretches them. */

/** Values as an area in steps of one unit each, drawn from the bottom of the chart. */
export function stepArea(values: readonly number[], most: number, height: number): string {
  if (values.every((value) => value === 0)) return '';
  const ground = `V${height}`;
  let path = `M0 ${height}`;
  let level = 0;
  let run = 0;
  for (const value of values) {
    if (value === level) {
      run++;
      continue;
    }
    if (run > 0) path += `h${run}`;
    // The smallest value must still be visible.
    path += value === 0 ? ground : `V${short(height - Math.max(0.8, (value / Math.max(1, most)) * height))}`;
    level = value;
    run = 1;
  }
  return `${path}h${run}${level === 0 ? '' : ground}z`;
}

/** Intervals as boxes over the width of the chart; the shortest is still visible. */
export function boxes(intervals: readonly Interval[], span: Interval, width: number, height: number): string {
  const x = (at: number): number => ((at - span.from) / Math.max(1, span.to - span.from)) * width;
  return intervals
    .map(({ from, to }) => {
      const left = short(Math.min(width - 2, x(from)));
      return `M${left} 0h${short(Math.max(2, x(to) - x(from)))}v${height}H${left}z`;
    })
    .join('');
}

/** Two decimals are enough for any screen and keep the page small. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
