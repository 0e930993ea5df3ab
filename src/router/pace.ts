/**
 * What an arm's 429s taught of its limit, seen as a token bucket: at a 429 it is empty, and from then on it fills at a
 * rate that the calls served between 429s tell.
 */
export interface LearnedLimit {
  /** Tokens that came, and in what time: faded sums over the intervals between refusals. No time: no limit seen. */
  tokens: number;
  timeMs: number;
  /** When the latest refused call went: the bucket was empty then. */
  emptyAt: number;
  /** Calls that went since then and were not refused. */
  taken: number;
  /** Asked to wait until then. */
  until: number;
  /** Calls served before the first refusal, and when the first of them went. */
  served: number;
  firstAt: number;
}

/** The first refusal comes after a burst that the bucket held: the rate is lower than what was served until then. */
const FIRST_ESTIMATE = 1;
/** How much of the sums is kept at each refusal. */
const KEPT = 0.8;
/** Without any estimate a refusal is taken as one call a second. */
const UNKNOWN_MS = 1_000;
/** Tokens that make a call safe: an estimate is never exact. */
const NEEDED = 1.2;
/** How sharply a call is refused that comes before its token. */
const SHARPNESS = 6;
const UNLIKELY = 0.01;

export function newLearnedLimit(): LearnedLimit {
  return { tokens: 0, timeMs: 0, emptyAt: 0, taken: 0, until: 0, served: 0, firstAt: -1 };
}

/** The chance that a call which goes now is not refused. */
export function chanceOfTurn(pace: LearnedLimit, now: number): number {
  if (now < pace.until) return UNLIKELY;
  if (pace.timeMs === 0) return 1;
  const missing = Math.min(20, NEEDED - tokensAt(pace, now));
  return UNLIKELY + (1 - 2 * UNLIKELY) / (1 + Math.exp(SHARPNESS * missing));
}

/** A call goes. */
export function takeTurn(pace: LearnedLimit, now: number): void {
  if (pace.firstAt < 0) pace.firstAt = now;
  if (pace.timeMs > 0) pace.taken++;
}

/** The call that went at `from` was served. */
export function servedAt(pace: LearnedLimit, from: number): void {
  if (pace.timeMs === 0) {
    pace.served++;
    return;
  }
  const since = from - pace.emptyAt;
  // As many calls were served as tokens came, at least: one may have been there, and one is still being decided.
  const came = pace.taken - 1.5;
  if (since > 0 && came > rateOf(pace) * since) pace.tokens = (came / since) * pace.timeMs;
}

/** The call that went at `from` was refused; `waitMs` is what the server asked for. */
export function refusedAt(pace: LearnedLimit, from: number, now: number, waitMs: number | null): void {
  if (waitMs !== null) askedToWait(pace, now + waitMs);
  if (pace.timeMs === 0) return refusedFirst(pace, from, waitMs);
  pace.taken = Math.max(0, pace.taken - 1);
  // Of the same burst as the refusal before.
  if (from <= pace.emptyAt) return;
  pace.tokens = pace.tokens * KEPT + pace.taken;
  pace.timeMs = pace.timeMs * KEPT + (from - pace.emptyAt);
  pace.emptyAt = from;
  pace.taken = 0;
}

/** The server named a time before which nothing will be served. */
export function askedToWait(pace: LearnedLimit, until: number): void {
  pace.until = Math.max(pace.until, until);
}

/** When a token is there again, ms since the epoch. */
export function turnAt(pace: LearnedLimit): number {
  if (pace.timeMs === 0) return pace.until;
  const [from, missing] =
    pace.until > pace.emptyAt ? [pace.until, pace.taken] : [pace.emptyAt, 1 + pace.taken];
  return from + Math.max(0, missing) / Math.max(1e-9, rateOf(pace));
}

function refusedFirst(pace: LearnedLimit, from: number, waitMs: number | null): void {
  const seen = from - pace.firstAt;
  const known = seen > 0 && pace.served > 0;
  // The asked wait is the rest of a token's time, of which half is missing on average.
  pace.timeMs = known ? seen : 2 * (waitMs ?? UNKNOWN_MS / 2) || UNKNOWN_MS;
  pace.tokens = known ? FIRST_ESTIMATE * pace.served : 1;
  pace.emptyAt = from;
}

function rateOf(pace: LearnedLimit): number {
  return pace.tokens / pace.timeMs;
}

function tokensAt(pace: LearnedLimit, now: number): number {
  // At the end of an asked wait one token is there, whatever the rate.
  if (pace.until > pace.emptyAt) return 1 + (now - pace.until) * rateOf(pace) - pace.taken;
  return (now - pace.emptyAt) * rateOf(pace) - pace.taken;
}
