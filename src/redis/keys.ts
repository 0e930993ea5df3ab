/** The names of a project's keys and channels. */
export interface Keys {
  readonly epoch: string;
  readonly tokens: string;
  readonly facts: string;
  readonly learned: string;
  /** What each machine holds, in its own words. */
  readonly boards: string;
  readonly holders: (member: string) => string;
  readonly waiters: (member: string) => string;
  readonly pace: (member: string) => string;
  /** The time steps of a secret that were given. */
  readonly steps: (secret: string) => string;
  /** What calls use of a budget, until when each counts, and the sums of the day that ends at that date. */
  readonly budget: (name: string, untilDate: number) => readonly [string, string, string];
  readonly wakeChannel: string;
  readonly factChannel: string;
}

/**
 * All keys of a project carry one hash tag, so that a cluster keeps them together. What exclusivity rests on (epoch,
 * tokens, holders) never expires by itself: a server short of memory may evict keys that have a time to live.
 * Channels know no databases, so they name theirs.
 */
export function keysOf(project: string, database: number): Keys {
  const prefix = `gemba:{${project.replace(/[{}%\s]/g, encodeURIComponent)}}:`;
  return {
    epoch: `${prefix}epoch`,
    tokens: `${prefix}tokens`,
    facts: `${prefix}facts`,
    learned: `${prefix}learned`,
    boards: `${prefix}boards`,
    holders: (member) => `${prefix}slot:${member}`,
    waiters: (member) => `${prefix}want:${member}`,
    pace: (member) => `${prefix}pace:${member}`,
    steps: (secret) => `${prefix}steps:${secret}`,
    budget: (name, untilDate) => [
      `${prefix}used:${name}`,
      `${prefix}ends:${name}`,
      `${prefix}day:${untilDate}:${name}`,
    ],
    wakeChannel: `${prefix}${database}:wake`,
    factChannel: `${prefix}${database}:fact`,
  };
}
