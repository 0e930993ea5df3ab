/** A turn that was reserved: when the call went, or will go, as far as is known. */
interface Turn {
  at: number;
  readonly lease: string;
  /** Its answer came, so that it surely reached the server before `at`. */
  settled: boolean;
}

/** The pace of one member: its latest turns, no more of them than may go at once, the oldest first. */
export interface Pace {
  turns: Turn[];
}

/** A call is taken to reach the server within this time, if its answer does not say that it took less. */
const ON_THE_WAY_MS = 100;

/**
 * Reserves the next turn at `rpm` calls a minute and tells how long to wait for it, in milliseconds. At most
 * n = max(1, rpm / 60) calls go at once, and never more than n in the time that n of them have: a server that counts
 * by the second sees no burst beyond the limit. (A sliding window over the last n calls.)
 */
export function reserveTurn(pace: Pace, rpm: number, now: number, lease: string): number {
  const atOnce = Math.max(1, Math.floor(rpm / 60));
  const windowMs = (atOnce * 60_000) / rpm;
  const oldest = pace.turns.length >= atOnce ? pace.turns[pace.turns.length - atOnce]!.at : -Infinity;
  const at = Math.max(now, oldest + windowMs);
  pace.turns = [...pace.turns, { at, lease, settled: false }].slice(-atOnce);
  return at - now;
}

/**
 * The answer to a lease's call came: it reached the server by now at the latest. Waiting from there on keeps a call
 * that was slow on its way and a later one that was fast from meeting in one window of the server.
 */
export function settleTurn(pace: Pace, lease: string, now: number): void {
  const turn = pace.turns.find(
    (candidate) => candidate.lease === lease && !candidate.settled && candidate.at <= now,
  );
  if (!turn) return;
  turn.settled = true;
  turn.at = Math.min(now, turn.at + ON_THE_WAY_MS);
  pace.turns.sort((a, b) => a.at - b.at);
}
