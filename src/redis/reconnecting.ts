import { monotonic, type Random } from '../core/clock.ts';
import { GembaError } from '../core/errors.ts';
import type { StoreAddress } from './address.ts';
import type { ClientFactory } from './client.ts';
import { StoreDownError, reasonOf, unreachable } from './failures.ts';
import { RedisConnection } from './connection.ts';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 500;

export interface ReconnectingOptions {
  readonly address: StoreAddress;
  readonly client: ClientFactory;
  readonly random: Random;
  /** What must be done on a new line before it is used. */
  readonly prepare: (redis: RedisConnection) => Promise<void>;
  readonly onState: (state: 'up' | 'down', why: string) => void;
}

/** Keeps a line to the server: a broken one is replaced in the background. */
export class ReconnectingConnection {
  readonly #options: ReconnectingOptions;
  #redis: RedisConnection | null = null;
  #reason = 'it was not reached yet';
  #downSince = 0;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  /** The line that is being made: it must not outlive the connection. */
  #next: RedisConnection | null = null;

  constructor(options: ReconnectingOptions) {
    this.#options = options;
  }

  /** The line in use. Throws `GEMBA_STORE_DOWN` where there is none. */
  get redis(): RedisConnection {
    if (!this.#redis) throw new StoreDownError(this.#options.address.shown, this.#reason);
    return this.#redis;
  }

  get isUp(): boolean {
    return this.#redis !== null;
  }

  /**
   * The first connection: an error here is the user's to repair, and comes after three seconds without an answer. In
   * mid-run it is a server that was lost, and will be back.
   */
  async open(inMidRun: boolean): Promise<void> {
    const { shown } = this.#options.address;
    try {
      await this.#connect();
    } catch (error) {
      if (inMidRun) return this.#wasLost();
      this.close();
      if (GembaError.is(error) && error.code !== 'GEMBA_STORE_DOWN') throw error;
      throw unreachable(shown, reasonOf(error));
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#next?.close();
    this.#redis?.close();
    this.#redis = null;
  }

  async #connect(): Promise<void> {
    const { address, client, prepare } = this.#options;
    const redis = new RedisConnection(address, client, (reason) => this.#broken(redis, reason));
    this.#next = redis;
    try {
      await redis.connect();
      await prepare(redis);
      if (redis.broken !== undefined) throw new StoreDownError(address.shown, redis.broken);
      this.#redis = redis;
    } catch (error) {
      redis.close(reasonOf(error));
      throw error;
    } finally {
      this.#next = null;
    }
  }

  #broken(redis: RedisConnection, reason: string): void {
    if (this.#closed) return;
    this.#reason = reason;
    if (this.#redis !== redis) return;
    this.#redis = null;
    this.#wasLost();
  }

  #wasLost(): void {
    this.#downSince = monotonic();
    this.#options.onState('down', `${this.#options.address.shown}: ${this.#reason}`);
    this.#retryAfter(FIRST_RETRY_MS);
  }

  #retryAfter(ms: number): void {
    // Many machines lose the same server at once.
    const delayMs = ms * (0.5 + this.#options.random() / 2);
    this.#retry = setTimeout(() => void this.#reconnect(ms), delayMs);
  }

  async #reconnect(afterMs: number): Promise<void> {
    try {
      await this.#connect();
    } catch {
      // Why is in #reason: those who wait are told by `redis`.
      if (!this.#closed) this.#retryAfter(Math.min(LAST_RETRY_MS, afterMs * 2));
      return;
    }
    const seconds = ((monotonic() - this.#downSince) / 1_000).toFixed(1);
    this.#options.onState('up', `${this.#options.address.shown}: back after ${seconds} s`);
  }
}
