import type { Clock } from '../core/clock.ts';

const LONGEST_MS = 60_000;

/** Rings when something is due by time alone. */
export class DeadlineTimer {
  readonly #now: Clock;
  readonly #due: () => number;
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isSetting = false;
  #isStopped = false;

  /** `due` tells when it is to ring, ms since the epoch; Infinity: not at all. */
  constructor(now: Clock, due: () => number, onDue: () => void) {
    this.#now = now;
    this.#due = due;
    this.#onDue = onDue;
  }

  /** Reschedules, once for all messages that arrived together. */
  set(): void {
    if (this.#isSetting || this.#isStopped) return;
    this.#isSetting = true;
    process.nextTick(() => this.#set());
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #set(): void {
    this.#isSetting = false;
    clearTimeout(this.#timer);
    const due = this.#due();
    if (this.#isStopped || !Number.isFinite(due)) return;
    const wait = Math.min(Math.max(0, due - this.#now()), LONGEST_MS);
    this.#timer = setTimeout(() => {
      this.#onDue();
      this.set();
    }, wait);
    this.#timer.unref();
  }
}
