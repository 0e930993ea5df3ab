import { type Cusum, detect, newCusum } from './change.ts';

/**
 * What is known of an arm's time to success: the logarithm is taken as normal, and as linear in the logarithm of the
 * requests in flight, so that time grows as a power of the load. Sums fade with each attempt.
 */
export interface TimeBelief {
  weight: number;
  /** Means of log ms and of log load. */
  logMs: number;
  logLoad: number;
  /** Sums of squares about the means: of log load, of both, of log ms. */
  loadLoad: number;
  loadMs: number;
  msMs: number;
  readonly change: Cusum;
  /** Changes found so far. */
  changes: number;
}

/** What is expected: of the arm's log ms without load, its variance within, and how far the mean may be wrong. */
export interface TimePrior {
  readonly logMs: number;
  readonly within: number;
  readonly between: number;
  readonly slope: number;
}

/** Attempts after which an arm's own spread counts as much as the pool's. */
const OWN_SPREAD = 8;
/** Evidence about load before an arm's own slope counts as much as the pool's, in squares of log load. */
const OWN_SLOPE = 3;
const MIN_VARIANCE = 0.01;
/** Deviations say nothing before so many attempts. */
const SETTLED = 5;

export function newTimeBelief(): TimeBelief {
  return {
    weight: 0,
    logMs: 0,
    logLoad: 0,
    loadLoad: 0,
    loadMs: 0,
    msMs: 0,
    change: newCusum(),
    changes: 0,
  };
}

export function logOfLoad(inFlight: number): number {
  return inFlight > 0 ? Math.log(1 + inFlight) : 0;
}

/** Learns the time of one success, which found `inFlight` others there. */
export function learnTime(
  belief: TimeBelief,
  durationMs: number,
  inFlight: number,
  prior: TimePrior,
  memory: number,
): void {
  const logMs = Math.log(Math.max(0.1, durationMs));
  const logLoad = logOfLoad(inFlight);
  if (belief.weight >= SETTLED) {
    const expected = meanLogMs(belief, prior) + slopeOf(belief, prior) * logLoad;
    const deviation = (logMs - expected) / Math.sqrt(spreadOf(belief, prior));
    const found = detect(belief.change, logMs - slopeOf(belief, prior) * logLoad, deviation);
    if (found) return restart(belief, found);
  }
  fadeTime(belief, 1 - 1 / memory);
  belief.weight++;
  const fromMs = logMs - belief.logMs;
  const fromLoad = logLoad - belief.logLoad;
  belief.logMs += fromMs / belief.weight;
  belief.logLoad += fromLoad / belief.weight;
  belief.loadLoad += fromLoad * (logLoad - belief.logLoad);
  belief.loadMs += fromLoad * (logMs - belief.logMs);
  belief.msMs += fromMs * (logMs - belief.logMs);
}

export function fadeTime(belief: TimeBelief, kept: number): void {
  belief.weight *= kept;
  belief.loadLoad *= kept;
  belief.loadMs *= kept;
  belief.msMs *= kept;
}

/** Forgets what no longer holds, and begins with what the change was seen by. */
function restart(belief: TimeBelief, { count, mean }: { count: number; mean: number }): void {
  const variance = belief.weight > 0 ? belief.msMs / belief.weight : 0;
  Object.assign(belief, { weight: count, logMs: mean, logLoad: 0, msMs: variance * count });
  belief.loadLoad = belief.loadMs = 0;
  belief.changes++;
}

export function slopeOf(belief: TimeBelief, prior: TimePrior): number {
  const slope = (belief.loadMs + OWN_SLOPE * prior.slope) / (belief.loadLoad + OWN_SLOPE);
  return Math.max(0, Math.min(2, slope));
}

/** The variance of one attempt's log ms. */
export function spreadOf(belief: TimeBelief, prior: TimePrior): number {
  const own = Math.max(0, belief.msMs - slopeOf(belief, prior) * belief.loadMs);
  return Math.max(MIN_VARIANCE, (own + OWN_SPREAD * prior.within) / (belief.weight + OWN_SPREAD));
}

/** The mean log ms without load, shrunk towards the pool's. */
export function meanLogMs(belief: TimeBelief, prior: TimePrior): number {
  const strength = prior.within / prior.between;
  const own = belief.logMs - slopeOf(belief, prior) * belief.logLoad;
  return (belief.weight * own + strength * prior.logMs) / (belief.weight + strength);
}
