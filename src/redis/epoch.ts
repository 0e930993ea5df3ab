import { systemClock } from '../core/clock.ts';
import { openCall, readOpen } from './commands.ts';
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
  /** When new claims are allowed, on this machine's clock. */
  readyAt = 0;
  notices: readonly string[] = [];

  constructor(options: ServerEpochOptions) {
    this.#options = options;
  }

  get run(): string {
    return this.#run;
  }

  /** Finds out which server this is, and makes its epoch where it has none. */
  open(redis: RedisConnection): Promise<void> {
    this.#opening ??= this.#open(redis).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(redis: RedisConnection): Promise<void> {
    const { keys, ttlMs, freshMs } = this.#options;
    const info = await redis.send(['INFO'], readServer);
    const askedAt = systemClock();
    const { now, ready } = await redis.run(
      openCall(keys, info, { seen: this.#run, ttlMs, freshMs }),
      readOpen,
    );
    this.#offset = now - (askedAt + systemClock()) / 2;
    this.#run = info.run;
    this.notices = info.notices;
    this.readyAt = this.toLocal(ready);
  }

  /** A time of this machine's clock on the server's. */
  toServer(at: number): number {
    return Math.round(at + this.#offset);
  }

  toLocal(at: number): number {
    return Math.round(at - this.#offset);
  }
}
