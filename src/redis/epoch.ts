import { steadyClock } from '../core/clock.ts';
import { openCall, readOpen, type Reopens } from './commands.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './connection.ts';
import { readServer } from './server.ts';

export interface ServerEpochOptions {
  readonly keys: Keys;
  readonly ttlMs: number;
  readonly freshMs: number;
}

/** Which life of the server this broker deals with, and how its clock goes. */
export class ServerEpoch {
  readonly #options: ServerEpochOptions;
  /** The server's run id; empty before the first time. */
  #run = '';
  #offset = 0;
  #opening: Promise<void> | null = null;
  /** When new claims are allowed, on this broker's clock. */
  readyAt = 0;
  notices: readonly string[] = [];

  constructor(options: ServerEpochOptions) {
    this.#options = options;
  }

  get run(): string {
    return this.#run;
  }

  /** The present time of the server, if nobody has set its clock. */
  get serverNow(): number {
    return this.toServer(steadyClock());
  }

  /** Finds out which server this is, and makes its epoch where it has none. `why` it is done anew. */
  open(redis: RedisConnection, why?: Reopens): Promise<void> {
    this.#opening ??= this.#open(redis, why === 'CLOCK').finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(redis: RedisConnection, isClockSet: boolean): Promise<void> {
    const { keys, ttlMs, freshMs } = this.#options;
    const info = await redis.send(['INFO'], readServer);
    const askedAt = steadyClock();
    const terms = { seen: this.#run, ttlMs, freshMs, isClockSet };
    const { now, ready } = await redis.run(openCall(keys, info, terms), readOpen);
    this.noteTime(now, askedAt);
    this.#run = info.run;
    this.notices = info.notices;
    this.readyAt = this.toLocal(ready);
  }

  /** The server answered to what was asked then, at that time of its own: clocks drift. */
  noteTime(now: number, askedAt: number): void {
    this.#offset = now - (askedAt + steadyClock()) / 2;
  }

  /** A time of this broker's clock on the server's. */
  toServer(at: number): number {
    return Math.round(at + this.#offset);
  }

  toLocal(at: number): number {
    return Math.round(at - this.#offset);
  }
}
