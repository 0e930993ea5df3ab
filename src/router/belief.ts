import type { Belief } from '../core/types.ts';

/** Attempts after which an old one counts half. */
const HALF_LIFE_ATTEMPTS = 35;
/** Time after which an old attempt counts half, also when nothing happens. */
const HALF_LIFE_MS = 600_000;
/** What is believed of a member that was never seen: optimistic, so that it is tried. */
const PRIOR = { successes: 1, failures: 0.25, logTime: Math.log(200), timeWeight: 0.5 };
const FORGET = 0.5 ** (1 / HALF_LIFE_ATTEMPTS);

export function newBelief(now: number): Belief {
  return { successes: 0, failures: 0, logTime: 0, timeWeight: 0, at: now };
}

/** Adds one attempt to a discounted Beta for success and a discounted mean of the logarithm of time. */
export function learn(belief: Belief, ok: boolean, durationMs: number | null, now: number): void {
  discount(belief, FORGET * idleFactor(belief, now));
  belief.at = Math.max(belief.at, now);
  if (ok) belief.successes++;
  else belief.failures++;
  if (durationMs === null) return;
  belief.timeWeight++;
  belief.logTime += (Math.log(Math.max(1, durationMs)) - belief.logTime) / belief.timeWeight;
}

/** Parameters of the Beta for success, and the expected time, as believed at `now`. */
export function believe(belief: Belief, now: number): { alpha: number; beta: number; timeMs: number } {
  const kept = idleFactor(belief, now);
  const timeWeight = belief.timeWeight * kept;
  const logTime =
    (timeWeight * belief.logTime + PRIOR.timeWeight * PRIOR.logTime) / (timeWeight + PRIOR.timeWeight);
  return {
    alpha: belief.successes * kept + PRIOR.successes,
    beta: belief.failures * kept + PRIOR.failures,
    timeMs: Math.exp(logTime),
  };
}

function discount(belief: Belief, factor: number): void {
  belief.successes *= factor;
  belief.failures *= factor;
  belief.timeWeight *= factor;
}

function idleFactor(belief: Belief, now: number): number {
  return 0.5 ** (Math.max(0, now - belief.at) / HALF_LIFE_MS);
}
