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

const SCORES: Record<Exclude<Rotation | Routing, 'success-rate' | 'least-busy'>, Score> = {
  'round-robin': ({ member }) => member.pass,
  random: ({ weight }, random) => -(Math.max(random(), 1e-12) ** (1 / weight)),
  priority: ({ priority }) => priority,
};

/** Every rotation and routing but by success rate: the candidate with the lowest score, equals in turn. */
export function rotate<C extends Rotated>(
  how: Exclude<Rotation | Routing, 'success-rate'>,
  candidates: readonly C[],
  random: Random,
): C | null {
  if (how === 'least-busy') return rotate('round-robin', leastBusy(candidates), random);
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

/**
 * Those with the fewest leases for their weight: a further lease would make none of the others as busy as they are. Among
 * them the round decides, so that few leases at once are shared out by weight, too.
 */
function leastBusy<C extends Rotated>(candidates: readonly C[]): C[] {
  const limit = Math.min(...candidates.map(({ member, weight }) => (member.inUse + 1) / weight));
  return candidates.filter(({ member, weight }) => member.inUse / weight < limit);
}

function isBefore(one: Rotated['member'], other: Rotated['member']): boolean {
  // Where that is equal too, the first in the configuration is.
  return one.pass < other.pass;
}
