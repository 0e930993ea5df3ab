/**
 * The longest and largest values: the configuration, the public functions and the wire take theirs from this one list, so
 * that what one of them accepts the others accept, too.
 */
export const LIMITS = {
  /** Characters of a name: of a pool, an endpoint, a key, a label, a model, a quota group. */
  name: 200,
  /** Characters of any other text: an address, a path, a title, a message. */
  text: 2_000,
  /** Characters of the reason of a reservation. */
  reason: 200,
  /** Characters of a file's path. */
  path: 10_000,
  /** Characters of a secret: node:http accepts 16 KB of headers in all. */
  secret: 8_000,
  /** Endpoints, or keys, of one pool; and members of all pools together. */
  members: 10_000,
  allMembers: 20_000,
  /** Leases at once, weights, priorities, requests a minute and the like. */
  amount: 1_000_000,
  /** The smallest weight and rate that are not 0. */
  fraction: 0.0001,
  /** Requests or tokens of a day, tokens a minute. */
  budget: 1_000_000_000_000,
  /** Bigger ones overflow a Node timer, which then fires at once: 596 hours. */
  durationMs: 2_147_483_647,
} as const;
