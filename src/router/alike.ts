import { OUT } from './choose.ts';
import type { Estimate } from './estimate.ts';

/** A share of the shorter time, and milliseconds, within which two times count as the same. */
const SAME_TIME = { share: 0.1, ms: 5 };
/** Success rates within so much of each other count as the same. */
const SAME_RATE = 0.01;
/** So many standard deviations of a difference may be chance. */
const CHANCE = 2;

/**
 * Members that do not differ in success, nor in time, beyond the margin and what is uncertain about them: leases are
 * shared out among them by their weights.
 */
export function alike(one: Estimate, other: Estimate): boolean {
  return isUp(one) && isUp(other) && succeedAlike(one, other) && takeAlike(one, other);
}

function isUp({ down }: Estimate): boolean {
  return down <= OUT;
}

function succeedAlike(one: Estimate, other: Estimate): boolean {
  const chance = CHANCE * Math.hypot(one.rateDeviation, other.rateDeviation);
  return Math.abs(one.works - other.works) <= Math.max(SAME_RATE, chance);
}

function takeAlike(one: Estimate, other: Estimate): boolean {
  const chance = CHANCE * Math.hypot(one.okMs * one.timeDeviation, other.okMs * other.timeDeviation);
  const margin = Math.max(SAME_TIME.ms, SAME_TIME.share * Math.min(one.okMs, other.okMs), chance);
  return Math.abs(one.okMs - other.okMs) <= margin;
}
