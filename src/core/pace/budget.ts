import type { BudgetSpec } from '../types.ts';

/*
 * What the calls of a key use up: tokens of a minute, and requests and tokens of a day. A call reserves what it is expected
 * to use, and its answer settles that. The minute is a window that slides, over what was used up to its end.
 */

/** What one request uses, or is expected to use. */
interface Charge {
  readonly id: string;
  readonly lease: string;
  tokens: number;
  /** When it was settled, or began. */
  at: number;
  isOpen: boolean;
}

/** What was used of the quota of a key, or of a group of keys, for one model. */
export interface Budget {
  /** Those of the last minute, and the open ones. */
  charges: Charge[];
  /** The day's own; it ends at `until`. */
  day: { until: number; calls: number; tokens: number };
  /** By how much answers exceed what is expected of them: later calls reserve as much more. */
  excess: number;
}

/** What a call asks for. */
export interface Spending {
  readonly id: string;
  readonly lease: string;
  /** The tokens that it is expected to use; 0: not known, or none. */
  readonly tokens: number;
}

/** Whether a call may go: after a while (Infinity: when another call ends), or not on this day. */
export type Leave = { readonly waitMs: number } | { readonly usedUp: string };

const MINUTE_MS = 60_000;
/** What was found out about answers is forgotten by so much with each. */
const FADE = 0.99;

export function newBudget(): Budget {
  return { charges: [], day: { until: 0, calls: 0, tokens: 0 }, excess: 1 };
}

/** Begins a new day where the old one is over; `nextDay` is when the new one ends. */
export function beginDay(budget: Budget, now: number, nextDay: () => number): void {
  if (budget.day.until <= now) budget.day = { until: nextDay(), calls: 0, tokens: 0 };
}

/** The day's budget that nothing is left of, in words; null while there is some. */
export function usedUp({ day }: Budget, { daily }: BudgetSpec): string | null {
  if (daily?.calls !== undefined && day.calls >= daily.calls) return `${daily.calls} requests`;
  return daily?.tokens !== undefined && day.tokens >= daily.tokens ? `${daily.tokens} tokens` : null;
}

/** Whether a call may go now. */
export function leaveFor(budget: Budget, spec: BudgetSpec, spending: Spending, now: number): Leave {
  forgetOld(budget, now);
  const gone = usedUp(budget, spec);
  if (gone !== null) return { usedUp: gone };
  const { daily, tpm } = spec;
  const others = budget.charges.filter(({ id }) => id !== spending.id);
  if (daily?.tokens !== undefined) {
    const wanted = expected(budget, spending, daily.tokens);
    if (budget.day.tokens + wanted > daily.tokens) {
      const mayGetLess = others.some(({ isOpen }) => isOpen);
      return mayGetLess ? { waitMs: Infinity } : { usedUp: `${daily.tokens} tokens` };
    }
  }
  return { waitMs: tpm === undefined ? 0 : untilFree(others, tpm, expected(budget, spending, tpm), now) };
}

/** The call goes: it counts from now on. */
export function spend(budget: Budget, spending: Spending, now: number): void {
  forgetOld(budget, now);
  const known = budget.charges.find(({ id }) => id === spending.id);
  if (known) return;
  const tokens = expected(budget, spending, Infinity);
  const { id, lease } = spending;
  budget.charges.push({ id, lease, tokens, at: now, isOpen: tokens > 0 });
  budget.day.calls++;
  budget.day.tokens += tokens;
}

/** Its answer used so many tokens; null: as many as were expected. One that is not known is counted as it is. */
export function settle(
  budget: Budget,
  { id, tokens }: { readonly id: string; readonly tokens: number | null },
  now: number,
): boolean {
  const charge = budget.charges.find((candidate) => candidate.id === id && candidate.isOpen);
  if (!charge) return false;
  if (tokens !== null && tokens > 0) {
    const planned = charge.tokens / budget.excess;
    budget.excess = Math.max(1, 1 + (budget.excess - 1) * FADE, tokens / Math.max(1, planned));
  }
  const used = tokens ?? charge.tokens;
  budget.day.tokens = Math.max(0, budget.day.tokens + used - charge.tokens);
  Object.assign(charge, { tokens: used, at: now, isOpen: false });
  return true;
}

/** Tokens that were used by other ways than a call of ours. */
export function charge(budget: Budget, { id, lease, tokens }: Spending, now: number): void {
  budget.charges.push({ id, lease, tokens, at: now, isOpen: false });
  budget.day.tokens += tokens;
}

/** A lease is over: nobody settles its calls any more. */
export function settleAll(budget: Budget, lease: string, now: number): void {
  for (const charge of budget.charges)
    if (charge.isOpen && charge.lease === lease) Object.assign(charge, { at: now, isOpen: false });
}

function forgetOld(budget: Budget, now: number): void {
  budget.charges = budget.charges.filter(({ at, isOpen }) => isOpen || at > now - MINUTE_MS);
}

/** What is expected of a call, by what is known of its like; never more than there is in all. */
function expected({ excess }: Budget, { tokens }: Spending, most: number): number {
  return Math.min(most, Math.ceil(tokens * excess));
}

/** How long until so many tokens are free. */
function untilFree(charges: readonly Charge[], tpm: number, wanted: number, now: number): number {
  let over = wanted - tpm;
  for (const { tokens } of charges) over += tokens;
  if (over <= 0) return 0;
  const settled = charges.filter(({ isOpen }) => !isOpen).sort((one, other) => one.at - other.at);
  for (const { tokens, at } of settled) {
    over -= tokens;
    if (over <= 0) return Math.max(1, Math.ceil(at + MINUTE_MS - now) + 1);
  }
  return Infinity;
}
