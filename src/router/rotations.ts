import type { Random } from '../core/clock.ts';
import type { Belief, Rotation, Routing } from '../core/types.ts';
import { believe } from './belief.ts';
import { sampleBeta } from './sample.ts';

/** What a rotation knows of a candidate. */
export interface Candidate {
  readonly weight: number;
  readonly priority: number;
  readonly subject: {
    readonly id: string;
    /** Leases that hold it now. */
    readonly inUse: number;
    /** Its place in the round: grows by 1 / weight with each lease (stride scheduling, Waldspurger and Weihl 1995). */
    readonly pass: number;
    readonly belief: Belief;
  };
}

/** The price of a failed attempt, in milliseconds of waiting: what a further attempt and its doubt are worth. */
const FAILURE_PRICE_MS = 10_000;

type Score = (candidate: Candidate, now: number, random: Random) => number;

const SCORES: Record<Rotation | Routing, Score> = {
  'round-robin': ({ subject }) => subject.pass,
  'least-busy': ({ subject, weight }) => subject.inUse / weight,
  'success-rate': expectedCost,
  random: ({ weight }, _now, random) => -(Math.max(random(), 1e-12) ** (1 / weight)),
  priority: ({ priority }) => priority,
};

/** The small interface behind every rotation and routing: the candidate with the lowest score, equals in turn. */
export function choose<C extends Candidate>(
  how: Rotation | Routing,
  candidates: readonly C[],
  now: number,
  random: Random,
): C | null {
  const score = SCORES[how];
  let best: C | null = null;
  let lowest = Infinity;
  for (const candidate of candidates) {
    const its = score(candidate, now, random);
    if (best === null || its < lowest || (its === lowest && isBefore(candidate.subject, best.subject))) {
      best = candidate;
      lowest = its;
    }
  }
  return best;
}

/**
 * The expected cost of a pick, in milliseconds, with the chance of success drawn from what is believed of it: Thompson
 * sampling (Thompson 1933; Chapelle and Li 2011) on a discounted belief. Load spreads equal candidates.
 */
function expectedCost({ subject, weight }: Candidate, now: number, random: Random): number {
  const { alpha, beta, timeMs } = believe(subject.belief, now);
  const success = sampleBeta(alpha, beta, random);
  return ((timeMs + (1 - success) * FAILURE_PRICE_MS) * (1 + subject.inUse)) / weight;
}

function isBefore(one: Candidate['subject'], other: Candidate['subject']): boolean {
  // Where that is equal too, the first in the configuration is.
  return one.pass < other.pass;
}
