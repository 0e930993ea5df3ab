import type { Estimate } from './estimate.ts';
import type { Tuning } from './tuning.ts';

/** What an attempt costs where its failure costs `price`: the time of all remaining attempts. In milliseconds. */
export function costAt({ base, miss }: Estimate, price: number): number {
  return base + miss * price;
}

/**
 * What a failure of this attempt costs, for each candidate: the cost of the best of the others, which comes next, or the
 * price of a lost request where no attempt is left. Worked out backwards from the last attempt.
 */
export function pricesOf(estimates: readonly Estimate[], attempt: number, tuning: Tuning): number[] {
  const last = Math.min(Math.max(attempt, tuning.maxAttempts), attempt + estimates.length - 1);
  let prices = estimates.map(() => tuning.lostMs + tuning.failurePriceMs);
  for (let step = last - 1; step >= attempt; step--) {
    let [first, second, firstAt] = [Infinity, Infinity, -1];
    for (let index = 0; index < estimates.length; index++) {
      const cost = costAt(estimates[index]!, prices[index]!);
      if (cost < first) {
        second = first;
        first = cost;
        firstAt = index;
      } else if (cost < second) second = cost;
    }
    const pause = tuning.retryPauseMs + tuning.failurePriceMs;
    prices = estimates.map((_, index) => pause + (index === firstAt ? second : first));
  }
  return prices;
}
