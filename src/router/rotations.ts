import type { Random } from '../core/clock.ts';
import type { Belief, Rotation, Routing } from '../core/types.ts';
import { believe } from './belief.ts';
import { sampleBeta } from './sample.ts';

/** What a rotation knows of a candidate. */
export interface Candidate {
  readonly id: string;
  readonly weight: number;
  readonly priority: number;
  /** Leases that hold it now. */
  readonly inUse: number;
  /** Its place in the round: grows by 1 / weight with each lease (stride scheduling, Waldspurger and Weihl 1995). */
  readonly pass: number;
  readonly belief: Belief;
}

/** Orders candidates, best first. The small interface behind every rotation and routing. */
export type Rank = <T extends Candidate>(
  how: Rotation | Routing,
  candidates: readonly T[],
  now: number,
  random: Random,
) => T[];

/** The price of a failed attempt, in milliseconds of waiting: what a further attempt and its doubt are worth. */
const FAILURE_PRICE_MS = 10_000;

type Score = (candidate: Candidate, now: number, random: Random) => number;

const SCORES: Record<Rotation | Routing, Score> = {
  'round-robin': (candidate) => candidate.pass,
  'least-busy': (candidate) => candidate.inUse / candidate.weight,
  'success-rate': expectedCost,
  random: (candidate, _now, random) => -(Math.max(random(), 1e-12) ** (1 / candidate.weight)),
  priority: (candidate) => candidate.priority,
};

/** Lowest score first; equal ones in turn. */
export const rank: Rank = (how, candidates, now, random) => {
  const score = SCORES[how];
  return candidates
    .map((candidate) => ({ candidate, score: score(candidate, now, random) }))
    .sort(
      (a, b) =>
        a.score - b.score || a.candidate.pass - b.candidate.pass || compare(a.candidate.id, b.candidate.id),
    )
    .map(({ candidate }) => candidate);
};

/**
 * The expected cost of a pick, in milliseconds, with the chance of success drawn from what is believed of it: Thompson
 * sampling (Thompson 1933; Chapelle and Li 2011) on a discounted belief. Load spreads equal candidates.
 */
function expectedCost(candidate: Candidate, now: number, random: Random): number {
  const { alpha, beta, timeMs } = believe(candidate.belief, now);
  const success = sampleBeta(alpha, beta, random);
  return ((timeMs + (1 - success) * FAILURE_PRICE_MS) * (1 + candidate.inUse)) / candidate.weight;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
