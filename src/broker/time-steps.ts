import type * as zod from 'zod';
import type { Clock } from '../core/clock.ts';
import { readRegularSync } from '../shared/read-regular.ts';
import { parseEach } from '../shared/parse-each.ts';
import { z } from '../shared/zod.ts';

/** So many steps before the present one are remembered: servers take no older codes, and clocks are set back by less. */
export const REMEMBERED_STEPS = 200;
/** A secret that was not used for so long is forgotten: no server takes codes as old. */
const UNUSED_MS = 24 * 3_600_000;
/** Secrets that are kept at most. */
const MAX_SECRETS = 20_000;

const step = z.number().int().nonnegative();
const saved = z.object({ secret: z.string(), at: z.number(), steps: z.array(step) });

/** The steps that were given of one secret, as the cache file has them: a hash of it, a date, numbers. */
export type SavedSteps = zod.infer<typeof saved>;

/** A span of time steps of one-time codes, by number. */
interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * Time steps of one-time codes (RFC 6238): each step of a secret is given once, over all clients and runs of this machine.
 * Secrets are known by a hash.
 */
export class TimeSteps {
  readonly #given = new Map<string, { at: number; steps: Set<number> }>();
  readonly #now: Clock;
  readonly #onGiven: () => void;

  /** `now` gives dates; `onGiven` keeps what was given, at once: a step must not be given again after a crash. */
  constructor(now: Clock, onGiven: () => void) {
    this.#now = now;
    this.#onGiven = onGiven;
  }

  /** The first step of the span that nobody has had; null where all were given. */
  take(secret: string, { first, last }: Span): number | null {
    const { steps } = this.#given.get(secret) ?? { steps: new Set<number>() };
    let next = first;
    while (next <= last && steps.has(next)) next++;
    if (next > last) return null;
    for (const old of steps) if (old < first - REMEMBERED_STEPS) steps.delete(old);
    steps.add(next);
    this.#given.delete(secret);
    this.#given.set(secret, { at: this.#now(), steps });
    if (this.#given.size > MAX_SECRETS) this.#given.delete(this.#given.keys().next().value!);
    this.#onGiven();
    return next;
  }

  restore(all: readonly SavedSteps[]): void {
    for (const { secret, at, steps } of all)
      if (this.#now() - at < UNUSED_MS) this.#given.set(secret, { at, steps: new Set(steps) });
  }

  get saved(): SavedSteps[] {
    return [...this.#given].map(([secret, { at, steps }]) => ({ secret, at, steps: [...steps] }));
  }
}

/** What brokers before gave, or nothing where the file is missing or damaged. */
export function readSteps(file: string): SavedSteps[] {
  try {
    const { steps } = z.object({ steps: z.array(z.unknown()) }).parse(JSON.parse(readRegularSync(file)));
    return parseEach(saved, steps);
  } catch {
    return [];
  }
}
