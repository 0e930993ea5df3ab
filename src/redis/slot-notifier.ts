/** How long the broker may take to ask for a place that is kept for it; after that it goes to the next. */
const PASS_AFTER_MS = 25;

export interface SlotNotifierOptions {
  readonly broker: string;
  readonly onWake: (members: readonly string[]) => void;
  /** Gives a place that is kept for this broker to the next one. */
  readonly pass: (member: string) => void;
}

/**
 * Who is woken for a freed slot: the broker that has wanted it the longest at once, the others when its time is over,
 * in case it died. A broker that does not ask in time passes the place on.
 */
export class SlotNotifier {
  readonly #options: SlotNotifierOptions;
  /** Members that this broker was refused and not woken for since. */
  readonly #wanted = new Set<string>();
  /** How often each was asked for. */
  readonly #asked = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isClosed = false;

  constructor(options: SlotNotifierOptions) {
    this.#options = options;
  }

  asked(members: readonly string[]): void {
    for (const member of members) this.#asked.set(member, (this.#asked.get(member) ?? 0) + 1);
  }

  refused(members: readonly string[]): void {
    for (const member of members) this.#wanted.add(member);
  }

  /**
   * Takes a message of the channel; one that is not understood was not meant. It may have come with the very answer
   * that refuses the slot, and that is read first.
   */
  hear(message: string): void {
    const { member, broker, forMs } = parse(message);
    if (typeof member !== 'string' || typeof forMs !== 'number') return;
    setImmediate(() => this.#hear(member, broker, forMs));
  }

  #hear(member: string, broker: unknown, forMs: number): void {
    if (this.#isClosed) return;
    if (broker === this.#options.broker) return this.#take(member);
    if (this.#wanted.has(member)) this.#after(member, forMs + PASS_AFTER_MS, () => this.#wake(member));
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #take(member: string): void {
    const before = this.#asked.get(member);
    this.#after(member, PASS_AFTER_MS, () => {
      if (this.#asked.get(member) === before) this.#options.pass(member);
    });
    this.#wake(member);
  }

  #wake(member: string): void {
    this.#wanted.delete(member);
    this.#options.onWake([member]);
  }

  #after(member: string, ms: number, work: () => void): void {
    clearTimeout(this.#timers.get(member));
    const timer = setTimeout(() => {
      if (this.#timers.get(member) === timer) this.#timers.delete(member);
      work();
    }, ms);
    this.#timers.set(member, timer);
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
