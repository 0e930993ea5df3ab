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
}
