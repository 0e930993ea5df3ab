import { monotonic, type Random } from '../core/clock.ts';
import { GembaError } from '../core/errors.ts';
import type { StoreAddress } from './address.ts';
import type { ClientFactory } from './client.ts';
import { down, NoAnswer, reasonOf, unreachable } from './failures.ts';
import { Line } from './connection.ts';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 500;
/** The first connection and all that is done on it. */
const START_MS = 2_500;

export interface ConnectionOptions {
  readonly address: StoreAddress;
  readonly client: ClientFactory;
  readonly random: Random;
  /** What must be done on a new line before it is used. */
  readonly prepare: (line: Line) => Promise<void>;
  readonly onState: (state: 'up' | 'down', why: string) => void;
}

/** Keeps a line to the server: a broken one is replaced in the background. */
export class Connection {
  readonly #options: ConnectionOptions;
  #line: Line | null = null;
  #reason = 'it was not reached yet';
  #downSince = 0;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  /** The line that is being made: it must not outlive the connection. */
  #next: Line | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The line in use. Throws `GEMBA_STORE_DOWN` where there is none. */
  get line(): Line {
    if (!this.#line) throw down(this.#options.address.shown, this.#reason);
    return this.#line;
  }

  get isUp(): boolean {
    return this.#line !== null;
  }

  /**
   * The first connection: an error here is the user's to repair, and comes within three seconds. In mid-run it is a
   * server that was lost, and will be back.
   */
  async open(inMidRun: boolean): Promise<void> {
    const { shown } = this.#options.address;
    const timer = setTimeout(() => this.#next?.close(new NoAnswer(START_MS).message), START_MS);
    try {
      await this.#connect();
    } catch (error) {
      if (inMidRun) return this.#wasLost();
      this.close();
      if (GembaError.is(error) && error.code !== 'GEMBA_STORE_DOWN') throw error;
      throw unreachable(shown, this.#reason);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#next?.close();
    this.#line?.close();
    this.#line = null;
  }

  async #connect(): Promise<void> {
    const { address, client, prepare } = this.#options;
    const line = new Line(address, client, (reason) => this.#broken(line, reason));
    this.#next = line;
    try {
      await line.connect();
      await prepare(line);
      if (line.broken !== undefined) throw down(address.shown, line.broken);
      this.#line = line;
    } catch (error) {
      line.close(reasonOf(error));
      throw error;
    } finally {
      this.#next = null;
    }
  }

  #broken(line: Line, reason: string): void {
    if (this.#closed) return;
    this.#reason = reason;
    if (this.#line !== line) return;
    this.#line = null;
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
      // Why is in #reason: those who wait are told by `line`.
      if (!this.#closed) this.#retryAfter(Math.min(LAST_RETRY_MS, afterMs * 2));
      return;
    }
    const seconds = ((monotonic() - this.#downSince) / 1_000).toFixed(1);
    this.#options.onState('up', `${this.#options.address.shown}: back after ${seconds} s`);
  }
}
