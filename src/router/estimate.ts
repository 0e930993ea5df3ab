import type { Arm } from './arm.ts';
import { chanceOfDown } from './down.ts';
import { chanceOfTurn } from './pace.ts';
import type { Prior } from './prior.ts';
import { silenceRatio } from './silence.ts';
import { logOfLoad, meanLogMs, slopeOf, spreadOf } from './time.ts';
import type { Tuning } from './tuning.ts';

/** An arm as a choice: with the requests that are at it now. */
export interface Option {
  readonly arm: Arm;
  readonly inFlight: number;
}

/**
 * What an attempt at an arm is expected to cost: `base + miss × price`, where the price of a failure depends on what is
 * left to try. All times are in milliseconds.
 */
export interface Estimate {
  readonly arm: Arm;
  readonly inFlight: number;
  /** Chance of success, of failure, and expected time of the attempt, however it ends. */
  readonly works: number;
  readonly miss: number;
  readonly base: number;
  /** Chance of being down, silence included; of not being refused by a rate limit. */
  readonly down: number;
  readonly turn: number;
  /** Success rate while up, its standard deviation, and attempts that it rests on. */
  readonly rate: number;
  readonly rateDeviation: number;
  readonly rateWeight: number;
  readonly okMs: number;
  readonly failMs: number;
  /** Standard deviation of the mean time as a share of it, and attempts that it rests on. */
  readonly timeDeviation: number;
  readonly timeWeight: number;
}

/** A 429 comes quickly. */
const REFUSED_MS = 30;
/** Failures after which an arm's own time to a failure counts as much as the pool's. */
const OWN_FAIL = 0.5;
/** Keeps times finite, whatever was recorded: e^30 ms are some 300 years. */
const MAX_LOG_MS = 30;
/** An outage is as old as two attempts take, within these bounds, at least. */
const SHORTEST_MS = { min: 200, max: 2_000, attempts: 2 };

export function estimate({ arm, inFlight }: Option, prior: Prior, now: number, tuning: Tuning): Estimate {
  const rateWeight = arm.good + arm.bad + tuning.priorStrength;
  const rate = (arm.good + tuning.priorStrength * prior.rate) / rateWeight;
  const spread = spreadOf(arm.time, prior.time);
  const logMs = meanLogMs(arm.time, prior.time) + slopeOf(arm.time, prior.time) * logOfLoad(inFlight);
  const timeWeight = arm.time.weight + prior.time.within / prior.time.between;
  const meanVariance = prior.time.within / timeWeight;
  const okMs = Math.exp(Math.min(MAX_LOG_MS, logMs + (spread + meanVariance) / 2));
  const failMs = timeToFail(arm, prior);
  const outage = chanceOfOutage(arm, prior, now, okMs);
  const down = heard(arm, outage, now, logMs, Math.sqrt(spread), tuning);
  const turn = chanceOfTurn(arm.pace, now);
  const works = turn * (1 - down) * rate;
  return {
    arm,
    inFlight,
    works,
    miss: 1 - works,
    base: works * okMs + (turn - works) * failMs + (1 - turn) * REFUSED_MS,
    down,
    turn,
    rate,
    rateDeviation: Math.sqrt((rate * (1 - rate)) / (rateWeight + 1)),
    rateWeight,
    okMs,
    failMs,
    timeDeviation: 1 - Math.exp(-Math.sqrt(meanVariance)),
    timeWeight,
  };
}

/** The chance of an outage by results and time; of an arm never tried, by how many of the others never worked. */
export function chanceOfOutage(arm: Arm, prior: Prior, now: number, okMs: number): number {
  return arm.outcomes === 0 ? prior.deadShare : chanceOfDown(arm.down, now, shortestOutage(okMs));
}

export function shortestOutage(okMs: number): number {
  return Math.min(SHORTEST_MS.max, Math.max(SHORTEST_MS.min, SHORTEST_MS.attempts * okMs));
}

/** The chance of an outage with the silence of the requests in flight heard. */
function heard(
  { startedAt }: Arm,
  outage: number,
  now: number,
  logMs: number,
  deviation: number,
  { outageHazard, hangShare }: Tuning,
): number {
  if (startedAt.length === 0) return outage;
  const ratio = silenceRatio(startedAt, now, logMs, deviation, hangShare);
  if (ratio === 1) return outage;
  const odds = (ratio * Math.max(outage, outageHazard)) / (1 - Math.min(0.999, outage));
  return odds / (1 + odds);
}

function timeToFail({ failWeight, failLogMs }: Arm, prior: Prior): number {
  const logMs = (failWeight * failLogMs + OWN_FAIL * prior.failLogMs) / (failWeight + OWN_FAIL);
  return Math.exp(Math.min(MAX_LOG_MS, logMs));
}
