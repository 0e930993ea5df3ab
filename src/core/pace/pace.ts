/** A call that went: when, as far as is known. */
interface Gone {
  at: number;
  readonly lease: string;
  /** Its answer came, so that it surely reached the server before `at`. */
  settled: boolean;
}

/** The pace of one member. */
export interface Pace {
  /** Times of the latest turns that were reserved, no more of them than may go at once. */
  reserved: number[];
  /** The latest calls that went, as many; a turn may be told late. */
  gone: Gone[];
}

/** A call is taken to reach the server within this time, if its answer does not say that it took less. */
const ON_THE_WAY_MS = 100;

export function newPace(): Pace {
  return { reserved: [], gone: [] };
}

/**
 * Reserves the next turn at `rpm` calls a minute and tells how long to wait for it, in milliseconds. At most
 * n = max(1, rpm / 60) calls go at once, and never more than n in the time that n of them have: a server that counts
 * by the second sees no burst beyond the limit. (A sliding window over the last n calls.)
 */
export function reservePermit(pace: Pace, rpm: number, now: number): number {
  const delayMs = permitDelayMs(pace, rpm, now);
  pace.reserved = [...pace.reserved, now + delayMs].slice(-windowOf(rpm).atOnce);
  return delayMs;
}

/** How long a turn would have to wait that was reserved now, in milliseconds. */
export function permitDelayMs(pace: Pace, rpm: number, now: number): number {
  const { atOnce, windowMs } = windowOf(rpm);
  const oldest = pace.reserved.length >= atOnce ? pace.reserved[pace.reserved.length - atOnce]! : -Infinity;
  return Math.max(untilPermit(pace, rpm, now), oldest + windowMs - now);
}

/** How long a call still has to wait after those that really went. */
export function untilPermit(pace: Pace, rpm: number, now: number): number {
  const { atOnce, windowMs } = windowOf(rpm);
  if (pace.gone.length < atOnce) return 0;
  return Math.max(0, pace.gone[pace.gone.length - atOnce]!.at + windowMs - now);
}

/** The lease's call goes now. */
export function startPermit(pace: Pace, rpm: number, lease: string, now: number): void {
  pace.gone = [...pace.gone, { at: now, lease, settled: false }].slice(-windowOf(rpm).atOnce);
}

/**
 * The answer to a lease's call came: it reached the server by now at the latest. Waiting from there on keeps a call
 * that was slow on its way and a later one that was fast from meeting in one window of the server.
 */
export function settlePermit(pace: Pace, lease: string, now: number): void {
  const call = pace.gone.find((candidate) => candidate.lease === lease && !candidate.settled);
  if (!call) return;
  call.settled = true;
  call.at = Math.min(now, call.at + ON_THE_WAY_MS);
  pace.gone.sort((a, b) => a.at - b.at);
}

function windowOf(rpm: number): { atOnce: number; windowMs: number } {
  const atOnce = Math.max(1, Math.floor(rpm / 60));
  return { atOnce, windowMs: (atOnce * 60_000) / rpm };
}
