import { OUTCOME_KINDS } from '../core/types.ts';

/** The latest moment that a date can hold. */
export const MAX_TIME = 8.64e15;
/** A path longer than this is cut. */
export const MAX_RECORDED_PATH = 200;

/**
 * One request: [milliseconds after the record's `startedAt`, index into `leases`, index into OUTCOME_KINDS, status
 * or 0, duration in ms or, where no response came, minus the time that passed, index of its call within the attempt of the
 * test, waited ms before it, index into `targets` or -1, hash of its query and body or 0 where it has neither,
 * REQUEST_FLAGS]. The last two are left out where they are 0. In the order in which they ended.
 */
export type RecordedRequest = [
  after: number,
  lease: number,
  kind: number,
  status: number,
  durationMs: number,
  call: number,
  waitedMs: number,
  target?: number,
  payload?: number,
  flags?: number,
];

/** What else is known of a request, as bits. */
export const REQUEST_FLAGS = {
  /** Nothing of it reached a server. */
  unsent: 1,
  /** The attempt had an error already when it ended: it is no evidence of why the attempt failed. */
  afterError: 2,
  /** It was sent to sign in, or to reset an account: it is in no total. */
  signIn: 4,
} as const;

const ROW_LENGTH = { min: 7, max: 10 };

export function isRecordedRequest(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < ROW_LENGTH.min || value.length > ROW_LENGTH.max) return false;
  if (!value.every((item) => typeof item === 'number' && Math.abs(item) <= MAX_TIME)) return false;
  const [, lease, kind, status, , call, , target = -1, payload = 0, flags = 0] = value as RecordedRequest;
  if (![lease, kind, status, call, target, payload, flags].every(Number.isInteger)) return false;
  return kind >= 0 && kind < OUTCOME_KINDS.length && target >= -1;
}
