import { monotonic } from '../core/clock.ts';
import type { StoreAddress } from './address.ts';
import type { ClientFactory, RedisClient } from './client.ts';
import { isRefusal, StoreDownError, StoreTimeoutError, reasonOf } from './failures.ts';
import { type ScriptCall, evaluate } from './script.ts';

/** Clients wait for ever for a server that hangs: without any answer for this long it counts as down. */
const ANSWER_MS = 3_000;
/** A timer that fires so late shows that this process stood still: what came meanwhile is read first. */
const LATE_MS = 500;

/** One connection to the server, good until its first failure. Everything that fails says `GEMBA_STORE_DOWN`. */
export class RedisConnection {
  readonly #client: RedisClient;
  readonly #address: StoreAddress;
  readonly #onBroken: (reason: string) => void;
  /** Why it is broken, once it is. */
  #broken: string | undefined;
  /** When the latest answer came, on the monotonic clock. */
  heardAt: number = monotonic();

  constructor(address: StoreAddress, factory: ClientFactory, onBroken: (reason: string) => void) {
    this.#address = address;
    this.#onBroken = onBroken;
    this.#client = factory(address, ANSWER_MS);
    this.#client.on('error', (error) => void this.#breakFor(error));
    // The way to the server is one answer, the greeting over it another.
    this.#client.on('connect', () => (this.heardAt = monotonic()));
  }

  get broken(): string | undefined {
    return this.#broken;
  }

  async connect(): Promise<void> {
    await this.#guard(() => this.#client.connect());
  }

  /** Runs a script; `read` understands its answer. */
  async run<T>(call: ScriptCall, read: (answer: unknown) => T): Promise<T> {
    return this.#guard(async () => read(await evaluate((command) => this.#command(command), call)));
  }

  /** Sends a command; `read` understands its answer. */
  async send<T>(command: readonly string[], read: (answer: unknown) => T): Promise<T> {
    return this.#guard(async () => read(await this.#command(command)));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    await this.#guard(() => this.#client.subscribe(channel, listener));
  }

  close(reason = 'it was closed'): void {
    this.#end(reason);
  }

  #command(command: readonly string[]): Promise<unknown> {
    return this.#client.sendCommand([...command]);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#broken !== undefined) throw new StoreDownError(this.#address.shown, this.#broken);
    try {
      const result = await this.#inTime(work());
      this.heardAt = monotonic();
      return result;
    } catch (error) {
      if (!isRefusal(error)) throw this.#breakFor(error);
      // The server answers: what it refuses says nothing of its other keys.
      this.heardAt = monotonic();
      throw new StoreDownError(this.#address.shown, reasonOf(error));
    }
  }

  /** A server that is far away, or has much to do, gives some answer all the while. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const askedAt = monotonic();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const wait = (ms: number): void => {
        const dueAt = monotonic() + ms;
        timer = setTimeout(() => {
          const now = monotonic();
          const leftMs = Math.max(askedAt, this.heardAt) + ANSWER_MS - now;
          if (now - dueAt > LATE_MS) wait(LATE_MS);
          else if (leftMs > 0) wait(leftMs);
          else reject(new StoreTimeoutError(ANSWER_MS));
        }, ms);
      };
      wait(ANSWER_MS);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #breakFor(error: unknown): StoreDownError {
    const reason = this.#broken ?? reasonOf(error);
    this.#end(reason);
    return new StoreDownError(this.#address.shown, reason);
  }

  #end(reason: string): void {
    if (this.#broken !== undefined) return;
    this.#broken = reason;
    try {
      this.#client.destroy();
    } catch {
      // It had closed itself already.
    }
    this.#onBroken(reason);
  }
}
