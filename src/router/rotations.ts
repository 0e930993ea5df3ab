import type { Random } from '../core/clock.ts';
import type { Rotation, Routing } from '../core/types.ts';

/** What a rotation knows of a candidate. */
export interface Rotated {
  readonly weight: number;
  readonly priority: number;
  readonly member: {
    readonly id: string;
    /** Leases that hold it now. */
    readonly inUse: number;
    /** Its place in the round: grows by 1 / weight with each lease (stride scheduling, Waldspurger and Weihl 1995). */
    readonly pass: number;
  };
}

type Score = (candidate: Rotated, random: Random) => number;

const SCORES: Record<Exclude<Rotation | Routing, 'success-rate'>, Score> = {
  'round-robin': ({ member }) => member.pass,
  'least-busy': ({ member, weight }) => member.inUse / weight,
  random: ({ weight }, random) => -(Math.max(random(), 1e-12) ** (1 / weight)),
  priority: ({ priority }) => priority,
};

/** Every rotation and routing but by success rate: the candidate with the lowest score, equals in turn. */
export function rotate<C extends Rotated>(
  how: keyof typeof SCORES,
  candidates: readonly C[],
  random: Random,
): C | null {
  const score = SCORES[how];
  let best: C | null = null;
  let lowest = Infinity;
  for (const candidate of candidates) {
    const its = score(candidate, random);
    if (best === null || its < lowest || (its === lowest && isBefore(candidate.member, best.member))) {
      best = candidate;
      lowest = its;
    }
  }
  return best;
}

function isBefore(one: Rotated['member'], other: Rotated['member']): boolean {
  // Where that is equal too, the first in the configuration is.
  return one.pass < other.pass;
}
