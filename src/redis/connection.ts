import { monotonic } from '../core/clock.ts';
import type { GembaError } from '../core/errors.ts';
import type { StoreAddress } from './address.ts';
import type { ClientFactory, RedisClient } from './client.ts';
import { down, StoreTimeoutError, reasonOf } from './failures.ts';
import { type ScriptCall, evaluate } from './script.ts';

/** Clients wait for ever for a server that hangs: this long, and it counts as down. */
const ANSWER_MS = 2_000;

/** One connection to the server, good until its first failure. Everything that fails says `GEMBA_STORE_DOWN`. */
export class RedisConnection {
  readonly #client: RedisClient;
  readonly #address: StoreAddress;
  readonly #onBroken: (reason: string) => void;
  /** Why it is broken, once it is. */
  #broken: string | undefined;
  /** When the latest answer came, on the monotonic clock. */
  heardAt = monotonic();

  constructor(address: StoreAddress, factory: ClientFactory, onBroken: (reason: string) => void) {
    this.#address = address;
    this.#onBroken = onBroken;
    this.#client = factory(address, ANSWER_MS);
    this.#client.on('error', (error) => this.#breakFor(error));
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
    if (this.#broken !== undefined) throw down(this.#address.shown, this.#broken);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new StoreTimeoutError(ANSWER_MS)), ANSWER_MS);
    });
    try {
      const result = await Promise.race([work(), late]);
      this.heardAt = monotonic();
      return result;
    } catch (error) {
      throw this.#breakFor(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #breakFor(error: unknown): GembaError {
    const reason = this.#broken ?? reasonOf(error);
    this.#end(reason);
    return down(this.#address.shown, reason);
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
