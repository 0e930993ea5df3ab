import type { OutcomeKind } from './types.ts';

/** Whose auth a request carried: the leased key's, the caller's own, or none. */
export const AUTH_SENT = ['leased', 'own', 'none'] as const;
export type AuthSent = (typeof AUTH_SENT)[number];

/** Whether a failure may lie in the machine that sent the request: an unknown host perhaps, no free socket surely. */
export const LOCALITIES = ['no', 'perhaps', 'yes'] as const;
type Locality = (typeof LOCALITIES)[number];

/** What one HTTP request came to: the one form of it, from where it is sent to the record and the broker. */
export interface RequestOutcome {
  readonly kind: OutcomeKind;
  readonly status: number | null;
  /** Until the whole answer was there (`gemba.fetch`: until it began); null where none came. */
  readonly durationMs: number | null;
  /** How long the server asks to wait; null: it does not say. */
  readonly retryAfterMs: number | null;
  /** Nothing of it reached a server: refused connection, unknown host. */
  readonly unsent: boolean;
  /** Code of the error that ended it, such as ECONNREFUSED, where one is known. */
  readonly code?: string | undefined;
  /** Whether it may have been this machine's own network; absent: no. */
  readonly local?: Locality | undefined;
  /** The limit that was met is the asked model's, not the whole key's; absent: not known. */
  readonly perModel?: boolean | undefined;
  readonly auth: AuthSent;
}

/** The outcome of one request of a call, as a client reports it to the broker. */
export interface RequestReport {
  readonly call: string;
  /** Which request of its call this is, from 1. */
  readonly request: number;
  /** Hash of a safe request, to compare its outcomes at other members; null for an unsafe one. */
  readonly signature: string | null;
  /** Numbers of its route and of its call, to compare it over the run; null where they are not known. */
  readonly route: number | null;
  readonly identity: number | null;
  /** The model that the call was for; absent: as the lease has it. */
  readonly model?: string | undefined;
  /** The member that the request went to, which the lease may have left since. */
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly outcome: RequestOutcome;
}
