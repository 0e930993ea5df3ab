import type { Socket } from 'node:net';
import { monotonic } from '../core/clock.ts';
import { SILENT_S } from './countdown.ts';

const TICK_MS = 1_000;
/** A tick that is later than this shows that this process stood still: nothing of it counts against the broker. */
const LATE_MS = 3 * TICK_MS;
/** The broker is asked for a sign of life after this many ticks without any. */
const PING_AFTER = 3;

export interface PulseWatchOptions {
  /** Whether something is expected of the broker. */
  readonly isWaiting: () => boolean;
  readonly ping: (socket: Socket) => void;
  /** About once a second while something is expected, unless this process stood still. */
  readonly onTick: () => void;
  /** The broker said nothing for ten seconds, and was asked. */
  readonly onSilent: (socket: Socket) => void;
}

/** Watches whether the broker of a connection answers, while something is expected of it. */
export class PulseWatch {
  readonly #options: PulseWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;
  #socket: Socket | null = null;
  #hasHeard = false;
  #silentTicks = 0;

  constructor(options: PulseWatchOptions) {
    this.#options = options;
  }

  /** Something is expected from now on. */
  start(): void {
    if (this.#timer) return;
    this.#tickedAt = monotonic();
    this.#silentTicks = 0;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  follow(socket: Socket): void {
    this.#socket = socket;
    this.#silentTicks = 0;
    this.start();
  }

  leave(socket: Socket): void {
    if (this.#socket === socket) this.#socket = null;
  }

  heard(): void {
    this.#hasHeard = true;
  }

  #tick(): void {
    const now = monotonic();
    const isLate = now - this.#tickedAt > LATE_MS;
    this.#tickedAt = now;
    if (!this.#options.isWaiting()) return this.stop();
    if (isLate || this.#hasHeard) this.#silentTicks = 0;
    this.#hasHeard = false;
    if (isLate) return;
    this.#options.onTick();
    const socket = this.#socket;
    if (!socket) return;
    if (++this.#silentTicks >= PING_AFTER) this.#options.ping(socket);
    if (this.#silentTicks <= SILENT_S) return;
    this.#silentTicks = 0;
    this.#options.onSilent(socket);
  }
}
