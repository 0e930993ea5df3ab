import type { Estimate } from './estimate.ts';

/** Numbers of further attempts that are looked ahead. */
const LOOK_AHEAD = [1, 3, 10];

/**
 * What a try is worth beyond its own cost, in milliseconds: the knowledge gradient (Frazier, Powell and Dayanik 2008)
 * over the requests that are still to come. One attempt rarely changes the order, so several are looked ahead, and the
 * best value per attempt counts. `gap` is how much worse the arm looks than the best of the others.
 */
export function worthOfTrying(estimate: Estimate, price: number, gap: number, horizon: number): number {
  const { rateDeviation, rateWeight, timeDeviation, timeWeight, okMs, failMs, works, turn, down, inFlight } =
    estimate;
  const byRate = turn * (1 - down) * rateDeviation * Math.max(0, failMs + price - okMs);
  const byTime = works * okMs * timeDeviation;
  // Attempts in flight will have told part of it: what is left to learn is less.
  const rateSquare = (byRate * byRate * rateWeight) / (rateWeight + inFlight);
  const timeSquare = (byTime * byTime * timeWeight) / (timeWeight + inFlight);
  let best = 0;
  for (const tries of LOOK_AHEAD) {
    if (tries >= horizon) break;
    const variance =
      (rateSquare * tries) / (tries + rateWeight + inFlight) +
      (timeSquare * tries) / (tries + timeWeight + inFlight);
    const value = ((horizon - tries) / tries) * expectedGain(Math.abs(gap), Math.sqrt(variance));
    if (value > best) best = value;
  }
  return best;
}

/** What the requests to come gain where a probe finds the arm up; `rival` is the cost of the best without it. */
export function worthOfProbing(
  { down, rate, okMs, failMs, turn }: Estimate,
  price: number,
  rival: number,
  horizon: number,
): number {
  const whenUp = turn * (rate * okMs + (1 - rate) * (failMs + price)) + (1 - turn) * price;
  return horizon * (1 - down) * Math.max(0, rival - whenUp);
}

/** E[(X - gap)+] for X normal about 0; the normal's tail by the logistic approximation. */
function expectedGain(gap: number, deviation: number): number {
  if (!(deviation > 0)) return 0;
  const z = gap / deviation;
  if (z > 4) return 0;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return Math.max(0, deviation * (density - z / (1 + Math.exp(1.702 * z))));
}
