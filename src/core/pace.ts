/** The pace of one member: when its latest calls went, or will go. */
export interface Pace {
  /** Reserved turns, ms since the epoch, the latest last; no more of them than may go at once. */
  turns: number[];
}

/**
 * Reserves the next turn at `rpm` calls a minute and tells how long to wait for it, in milliseconds. At most
 * n = max(1, rpm / 60) calls go at once, and never more than n in the time that n of them have: a server that counts
 * by the second sees no burst beyond the limit. (A sliding window over the last n calls.)
 */
export function reserveTurn(pace: Pace, rpm: number, now: number): number {
  const atOnce = Math.max(1, Math.floor(rpm / 60));
  const windowMs = (atOnce * 60_000) / rpm;
  const oldest = pace.turns.length >= atOnce ? pace.turns[pace.turns.length - atOnce]! : -Infinity;
  const turn = Math.max(now, oldest + windowMs);
  pace.turns = [...pace.turns, turn].slice(-atOnce);
  return turn - now;
}
