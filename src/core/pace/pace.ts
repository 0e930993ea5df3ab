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
  /** Calls that are not known may have gone until then. */
  readonly knownFrom: number;
}

/** How calls at a rate are spread: so many at once, and as many again after the window. */
export interface PaceWindow {
  readonly atOnce: number;
  readonly windowMs: number;
}

/** A call is taken to reach the server within this time, if its answer does not say that it took less. */
const ON_THE_WAY_MS = 100;

export function newPace(knownFrom = -Infinity): Pace {
  return { reserved: [], gone: [], knownFrom };
}

/**
 * The largest bursts that a rate allows: in any minute no more calls go than `rpm`, and in any second no more than
 * max(1, ⌈rpm / 60⌉), whichever way a server counts. Calls one by one keep to that at every rate.
 */
export function windowOf(rpm: number): PaceWindow {
  const aMinute = rpm < 1 ? rpm : Math.floor(rpm);
  const aSecond = Math.max(1, Math.ceil(rpm / 60));
  for (let atOnce = aSecond; atOnce > 1; atOnce--) {
    const windowMs = inMicroseconds((atOnce * 60_000) / aMinute);
    if (aMinute % atOnce === 0 && atOnce * Math.ceil(1_000 / windowMs) <= aSecond)
      return { atOnce, windowMs };
  }
  return { atOnce: 1, windowMs: inMicroseconds(60_000 / aMinute) };
}

/** Rounded up: a sum of windows must not fall short of the minute by what a fraction loses. */
function inMicroseconds(ms: number): number {
  return Math.ceil(ms * 1_000) / 1_000;
}

/** Reserves the next turn at `rpm` calls a minute; how long to wait for it, in milliseconds. */
export function reservePermit(pace: Pace, rpm: number, now: number): number {
  const delayMs = permitDelayMs(pace, rpm, now);
  pace.reserved = [...pace.reserved, now + delayMs].slice(-windowOf(rpm).atOnce);
  return delayMs;
}

/** How long a turn would have to wait that was reserved now, in milliseconds. */
export function permitDelayMs(pace: Pace, rpm: number, now: number): number {
  const { atOnce, windowMs } = windowOf(rpm);
  const oldest = pace.reserved.at(-atOnce) ?? pace.knownFrom;
  return Math.max(untilPermit(pace, rpm, now), oldest + windowMs - now);
}

/** How long a call still has to wait after those that really went. */
export function untilPermit(pace: Pace, rpm: number, now: number): number {
  const { atOnce, windowMs } = windowOf(rpm);
  const oldest = pace.gone.at(-atOnce)?.at ?? pace.knownFrom;
  return Math.max(0, oldest + windowMs - now);
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
