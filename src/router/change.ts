/**
 * CUSUM (Page 1954), two-sided, on standardised deviations: sums what is beyond the slack, and tells of a change when a
 * sum passes the threshold. It also keeps what it saw since the sum began to rise: the first data of the new regime.
 */
export interface Cusum {
  high: CusumRun;
  low: CusumRun;
}

interface CusumRun {
  sum: number;
  count: number;
  total: number;
}

/** Deviations up to this are noise. */
const SLACK = 0.5;
const THRESHOLD = 10;
/** One wild value alone is no change. */
const MOST = 3;

export function newCusum(): Cusum {
  return { high: newRun(), low: newRun() };
}

/** Takes a value and its deviation in standard deviations; returns the new regime's data where one began. */
export function detect(
  cusum: Cusum,
  value: number,
  deviation: number,
): { count: number; mean: number } | null {
  const bounded = Math.max(-MOST, Math.min(MOST, deviation));
  return step(cusum, cusum.high, value, bounded) ?? step(cusum, cusum.low, value, -bounded);
}

function step(
  cusum: Cusum,
  run: CusumRun,
  value: number,
  deviation: number,
): { count: number; mean: number } | null {
  run.sum = Math.max(0, run.sum + deviation - SLACK);
  if (run.sum === 0) {
    run.count = run.total = 0;
    return null;
  }
  run.count++;
  run.total += value;
  if (run.sum < THRESHOLD) return null;
  const found = { count: run.count, mean: run.total / run.count };
  cusum.high = newRun();
  cusum.low = newRun();
  return found;
}

function newRun(): CusumRun {
  return { sum: 0, count: 0, total: 0 };
}
