/** How long the broker may take to ask for a place that is kept for it; after that it goes to the next. */
const PASS_AFTER_MS = 25;

export interface WakesOptions {
  readonly broker: string;
  readonly onWake: (subjects: readonly string[]) => void;
  /** Gives a place that is kept for this broker to the next one. */
  readonly pass: (subject: string) => void;
}

/**
 * Who is woken for a freed slot: the broker that has wanted it the longest at once, the others when its time is over,
 * in case it died. A broker that does not ask in time passes the place on.
 */
export class Wakes {
  readonly #options: WakesOptions;
  /** Subjects that this broker was refused and not woken for since. */
  readonly #wanted = new Set<string>();
  /** How often each was asked for. */
  readonly #asked = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isClosed = false;

  constructor(options: WakesOptions) {
    this.#options = options;
  }

  asked(subjects: readonly string[]): void {
    for (const subject of subjects) this.#asked.set(subject, (this.#asked.get(subject) ?? 0) + 1);
  }

  refused(subjects: readonly string[]): void {
    for (const subject of subjects) this.#wanted.add(subject);
  }

  /**
   * Takes a message of the channel; one that is not understood was not meant. It may have come with the very answer
   * that refuses the slot, and that is read first.
   */
  hear(message: string): void {
    const { subject, broker, forMs } = parse(message);
    if (typeof subject !== 'string' || typeof forMs !== 'number') return;
    setImmediate(() => this.#hear(subject, broker, forMs));
  }

  #hear(subject: string, broker: unknown, forMs: number): void {
    if (this.#isClosed) return;
    if (broker === this.#options.broker) return this.#take(subject);
    if (this.#wanted.has(subject)) this.#after(subject, forMs + PASS_AFTER_MS, () => this.#wake(subject));
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #take(subject: string): void {
    const before = this.#asked.get(subject);
    this.#after(subject, PASS_AFTER_MS, () => {
      if (this.#asked.get(subject) === before) this.#options.pass(subject);
    });
    this.#wake(subject);
  }

  #wake(subject: string): void {
    this.#wanted.delete(subject);
    this.#options.onWake([subject]);
  }

  #after(subject: string, ms: number, work: () => void): void {
    clearTimeout(this.#timers.get(subject));
    const timer = setTimeout(() => {
      if (this.#timers.get(subject) === timer) this.#timers.delete(subject);
      work();
    }, ms);
    this.#timers.set(subject, timer);
  }
}

function parse(message: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
