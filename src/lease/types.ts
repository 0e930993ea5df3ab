import type { Outcome } from '../fixtures/lease/plain-lease.ts';
import type { PlainLease } from '../fixtures/lease/plain-lease.ts';

export interface OpenOptions {
  /**
   * Path of the configuration, relative to the current folder; the variable GEMBA_CONFIG overrides it.
   * @default the nearest gemba.config.json from the current folder upward
   */
  config?: string | undefined;
  /** Who holds the leases, for `gemba status`, the live page and refusals. @default the script's file name */
  holder?: string | undefined;
}

export interface LeaseOptions {
  /** @default the only pool, else the one named `default` */
  pool?: string | undefined;
  /** Labels that the key must carry, also `model`. */
  need?: Record<string, string> | undefined;
  /** The endpoint that it must have, by name. @default any */
  endpoint?: string | undefined;
  /** How long to wait for a free member, in milliseconds. @default the pool's `acquireTimeout` */
  timeoutMs?: number | undefined;
}

/** The options of `fetch`, with a lease. */
export type FetchInit = RequestInit & {
  /** The lease that the call goes through. @default one of the default pool, taken once and held until `close` */
  lease?: PlainLease;
  /** Whether doing it twice does no more than doing it once. @default as its method has it */
  idempotent?: boolean;
};

export interface OpenGemba {
  /** Takes a lease, and waits for it as tests do. Held until it is released, `close`, or the end of the process. */
  lease(options?: LeaseOptions): Promise<PlainLease>;
  /**
   * WHATWG fetch through a lease: relative addresses go to the leased endpoint with the leased key. Requests that fail
   * are repeated by the rules of `gemba.fetch` in tests, and count for health and routing.
   */
  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response>;
  /** Notes the outcome of a call that was made by other means. */
  record(outcome: Outcome): void;
  /** Gives back all leases and ends the connections. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
