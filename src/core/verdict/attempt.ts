import type { CallRequest } from './recovery.ts';

/** One request of an attempt, as the rules of verdicts see it. */
export interface AttemptRequest extends CallRequest {
  readonly endpoint: string | null;
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
  /** Until the answer was there; null where none came. */
  readonly durationMs: number | null;
  /** How long it took, whatever came of it. */
  readonly elapsedMs: number;
  /** Nothing of it reached a server. */
  readonly unsent: boolean;
  /** The attempt had an error before it ended. */
  readonly afterError: boolean;
  /** Its pool speaks a vendor's protocol: the product is no part of that server. */
  readonly ofVendor: boolean;
  /** The model that it was for, where limits are kept per model. */
  readonly model?: string | undefined;
}

/** A fault that ended its call: all that the rules look at of it. */
export type EndedCall = Pick<
  AttemptRequest,
  | 'pool'
  | 'endpoint'
  | 'key'
  | 'kind'
  | 'status'
  | 'at'
  | 'method'
  | 'route'
  | 'identity'
  | 'unsent'
  | 'afterError'
  | 'ofVendor'
  | 'model'
>;

/** A document, `fetch` or `request` that another origin than the leased one ended, by a 5xx or without an answer. */
export type ForeignFault = Pick<
  AttemptRequest,
  'kind' | 'status' | 'at' | 'method' | 'route' | 'unsent' | 'afterError'
> & { readonly origin: string };

/** That a pool had no member to give, and no other pool or strategy did instead. */
export interface UnmetLease {
  readonly pool: string;
  /**
   * The test or the configuration asks for what there is not: an unknown pool, a label that no key carries; or no account
   * could sign in, without a fault of the network or the server.
   */
  readonly isMistake: boolean;
  readonly why: string;
}

/** A member by its names. */
export interface MemberName {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
}

/** A failed attempt of a test: what the rules go by, besides the run's view of its routes. */
export interface FailedAttempt {
  readonly crashed: boolean;
  readonly timedOut: boolean;
  /** Its requests, successes too. */
  readonly requests: number;
  /** In the order in which they ended. */
  readonly ended: readonly EndedCall[];
  readonly foreign: readonly ForeignFault[];
  readonly unmet: readonly UnmetLease[];
  /** Members that refusals had put out of service at its end, by key or, where there is none, by endpoint. */
  readonly outOfService: readonly MemberName[];
  /** Its duration without the waits that extended its timeout. */
  readonly ownMs: number;
  /** What recovered faults, and waits that did not extend its timeout, took of that. */
  readonly lostMs: number;
}
