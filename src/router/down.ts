/**
 * The chance that an arm is down. Results move it by Bayes' rule, and time lets it fall: an outage of age a ends within
 * another a with chance one half, so it lasts on for t with chance a / (a + t).
 */
export interface Down {
  /** The chance at `at`. */
  chance: number;
  /** When the present run of failures began; null: the last answer was a success. */
  since: number | null;
  at: number;
  /** When the latest attempt began that succeeded. */
  okFrom: number;
  /** Failures of this run that were put down to an outage rather than to the arm's success rate. */
  withheld: number;
}

/** How often something succeeds at an arm that is down: outages are not always complete. */
const OK_WHILE_DOWN = 0.02;
/** Of the failures that were put down to an outage, so many count against the success rate once it is over. */
const MOST_RETURNED = 1;

export function newDown(): Down {
  return { chance: 0, since: null, at: 0, okFrom: -Infinity, withheld: 0 };
}

/** The chance at `now`; `shortestMs` is the age that an outage has at least. */
export function chanceOfDown(down: Down, now: number, shortestMs: number): number {
  if (down.chance === 0 || down.since === null) return down.chance;
  const age = ageOf(down, shortestMs);
  return down.chance * (age / (age + Math.max(0, now - down.at)));
}

/** The age of the outage when it was last seen. */
export function ageOf(down: Down, shortestMs: number): number {
  return down.since === null ? shortestMs : Math.max(shortestMs, down.at - down.since);
}

/** A failure of an attempt that began at `from`. Returns the share of it that counts against the success rate. */
export function failedAt(
  down: Down,
  { from, now, before, failsWhenUp }: { from: number; now: number; before: number; failsWhenUp: number },
): number {
  // It began before something newer succeeded: it tells little of now.
  if (from < down.okFrom) return 0.5;
  const ifDown = before * (1 - OK_WHILE_DOWN);
  down.chance = ifDown / (ifDown + (1 - before) * Math.max(1e-3, failsWhenUp));
  down.since ??= from;
  down.at = now;
  down.withheld += down.chance;
  return 1 - down.chance;
}

/** A success of an attempt that began at `from`. Returns failures that count against the success rate after all. */
export function succeededAt(
  down: Down,
  { from, now, before, worksWhenUp }: { from: number; now: number; before: number; worksWhenUp: number },
): number {
  if (down.since !== null && from < down.since) return 0;
  const ifDown = before * OK_WHILE_DOWN;
  down.chance = ifDown / (ifDown + (1 - before) * Math.max(1e-3, worksWhenUp));
  const returned = Math.min(MOST_RETURNED, down.withheld);
  down.withheld = 0;
  down.okFrom = Math.max(down.okFrom, from);
  down.since = null;
  down.at = now;
  return returned;
}

/** Taken as out for long: a refused or used-up key. Its outage counts as `ageMs` old already. */
export function outFor(down: Down, now: number, ageMs: number): void {
  down.chance = 0.999;
  down.since = Math.min(down.since ?? now, now - ageMs);
  down.at = now;
}
