import type { OutcomeKind } from '../types.ts';

/** Calls and retries of a pool over a run, to keep retries from multiplying an outage. */
export interface RetryBudget {
  calls: number;
  retries: number;
}

/** Retries that are always allowed, so that small runs can recover at all (as Envoy's min_retry_concurrency). */
const ALWAYS_ALLOWED = 3;

/** Takes one retry out of the budget, or says false where `ratio` retries per call are used up. */
export function takeRetry(budget: RetryBudget, ratio: number): boolean {
  if (budget.retries + 1 > Math.max(ALWAYS_ALLOWED, ratio * budget.calls)) return false;
  budget.retries++;
  return true;
}

/** A limit says which key, or when, to try next: a call that follows that does not multiply an outage. */
export function drawsOnBudget(kind: OutcomeKind): boolean {
  return kind !== 'rate-limit' && kind !== 'exhausted';
}
