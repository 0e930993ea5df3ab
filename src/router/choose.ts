import { ageOf } from './down.ts';
import { type Estimate, estimate, type Option, shortestOutage } from './estimate.ts';
import { worthOfProbing, worthOfTrying } from './explore.ts';
import { type Memory, priorIn } from './memory.ts';
import type { Tuning } from './tuning.ts';
import { costAt, pricesOf } from './value.ts';

export interface Candidate extends Option {
  /** Its place in the round of near equals: the lowest comes first. */
  readonly pass: number;
}

export interface Choice<C extends Candidate> {
  readonly candidate: C;
  /** It is out, and this attempt finds out whether it is back. */
  readonly isProbe: boolean;
}

/** From this chance on an arm is out: only probes go there while another is up. */
export const OUT = 0.5;
/** Puts an arm that is not due for a probe behind all that are up. */
const NOT_DUE = 1e15;

/** Whether two candidates are as good as each other, so that they take turns. */
export type AreAlike = (one: Estimate, other: Estimate) => boolean;

/**
 * The candidate whose attempt costs least, what it teaches taken off. Changes nothing. Near ties go in turn; with
 * `areAlike` those that are alike do, too.
 */
export function choose<C extends Candidate>(
  memory: Memory,
  candidates: readonly C[],
  attempt: number,
  now: number,
  tuning: Tuning,
  areAlike: AreAlike = () => false,
): Choice<C> {
  const prior = priorIn(memory);
  const estimates = candidates.map((candidate) => estimate(candidate, prior, now, tuning));
  const prices = pricesOf(estimates, attempt, tuning);
  const costs = estimates.map((one, index) => costAt(one, prices[index]!));
  // Only a first attempt may explore: a request that has failed once wants to succeed.
  const scores = attempt === 1 ? explored(memory, estimates, prices, costs, now, tuning) : costs;
  const index = inTurn(candidates, estimates, scores, tuning, areAlike);
  return { candidate: candidates[index]!, isProbe: attempt === 1 && estimates[index]!.down > OUT };
}

function explored(
  { requests }: Memory,
  estimates: readonly Estimate[],
  prices: readonly number[],
  costs: readonly number[],
  now: number,
  tuning: Tuning,
): number[] {
  // As many requests are still to come as came so far: all that is known of a suite's length.
  const horizon = Math.min(tuning.horizonMax, tuning.horizonBase + requests);
  const { best, second, bestAt } = lowestTwo(costs);
  return estimates.map((one, index) => {
    const cost = costs[index]!;
    const rival = index === bestAt ? second : best;
    if (rival === Infinity) return cost;
    if (one.down <= OUT || index === bestAt)
      return cost - worthOfTrying(one, prices[index]!, cost - rival, horizon);
    if (!isDue(one, now, tuning)) return cost + NOT_DUE;
    return cost - worthOfProbing(one, prices[index]!, rival, horizon);
  });
}

/** Only one probe at a time, and the more rarely the longer the arm has been out. */
function isDue({ arm, okMs, inFlight }: Estimate, now: number, tuning: Tuning): boolean {
  if (inFlight > 0) return false;
  return now >= nextProbeAt(arm.down.at, ageOf(arm.down, shortestOutage(okMs)), tuning);
}

export function nextProbeAt(seenAt: number, ageMs: number, { probePace }: Tuning): number {
  return seenAt + probePace * ageMs;
}

function inTurn(
  candidates: readonly Candidate[],
  estimates: readonly Estimate[],
  scores: readonly number[],
  { tieShare }: Tuning,
  areAlike: AreAlike,
): number {
  const { best, bestAt } = lowestTwo(scores);
  let chosen = Math.max(0, bestAt);
  const cheapest = estimates[chosen]!;
  const limit = best + tieShare * cheapest.base;
  for (let index = 0; index < scores.length; index++) {
    if (candidates[index]!.pass >= candidates[chosen]!.pass) continue;
    if (scores[index]! <= limit || areAlike(cheapest, estimates[index]!)) chosen = index;
  }
  return chosen;
}

function lowestTwo(list: readonly number[]): { best: number; second: number; bestAt: number } {
  let [best, second, bestAt] = [Infinity, Infinity, -1];
  for (let index = 0; index < list.length; index++) {
    const value = list[index]!;
    if (value < best) {
      second = best;
      best = value;
      bestAt = index;
    } else if (value < second) second = value;
  }
  return { best, second, bestAt };
}
