/** A pace that a server's refusals taught: calls a minute, and since when. */
export interface LearnedPace {
  rpm: number;
  at: number;
}

/** Fewer calls in the second before a refusal were not too many: it has another reason, and teaches no pace. */
const FEWEST = 3;
const WINDOW_MS = 1_000;
/** Vendors count by the minute. */
const MINUTE_MS = 60_000;
const KEEP = 120;
/** After this long without a refusal the pace is raised by a tenth: additive increase, multiplicative decrease. */
const RAISE_AFTER_MS = 10_000;
const RAISE = 1.1;
/** A pace that was raised this far teaches nothing any more. */
const FORGET_AFTER_RAISES = 24;

/** Notes that a call was served, and keeps the times of the last ones. */
export function noteServed(served: number[], now: number): void {
  if (served.push(now) > KEEP) served.splice(0, KEEP / 2);
}

/**
 * What a refusal teaches: the server took this many calls in the second before it, so that is the pace. It is never
 * raised by a refusal, and the refusals of one burst teach once. `waitMs` is given where a refusal can only be about the
 * pace, as under a vendor's protocol: then a few calls teach too.
 */
export function learnPace(
  present: LearnedPace | null,
  served: readonly number[],
  now: number,
  waitMs: number | null = null,
): LearnedPace | null {
  if (present && now - present.at < WINDOW_MS) return present;
  const taken = served.filter((at) => now - at < WINDOW_MS).length;
  const rpm = taken >= FEWEST ? taken * (MINUTE_MS / WINDOW_MS) : slowPace(served, now, waitMs);
  if (rpm === null) return present;
  return { rpm: Math.min(rpm, present ? currentPace(present, now) : Infinity), at: now };
}

/** The next call is served this long after the last one; and a minute takes as many as the last one took. */
function slowPace(served: readonly number[], now: number, waitMs: number | null): number | null {
  const last = served.at(-1);
  if (waitMs === null || last === undefined || now - last > MINUTE_MS) return null;
  const taken = served.filter((at) => now - at < MINUTE_MS).length;
  return Math.max(taken, MINUTE_MS / (now + waitMs - last));
}

/** The pace by now, as it rises while no refusal comes; Infinity where it is forgotten. */
export function currentPace(learned: LearnedPace, now: number): number {
  const raises = Math.floor((now - learned.at) / RAISE_AFTER_MS);
  return raises > FORGET_AFTER_RAISES ? Infinity : learned.rpm * RAISE ** raises;
}
