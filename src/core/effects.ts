import type { Effect, LeaseState, ReplyTo } from './state.ts';

export function granted(to: ReplyTo, lease: LeaseState, waitedMs: number): Effect {
  return { type: 'granted', to, lease, waitedMs };
}

/** Why a lease is lost that is on no books. */
export const UNKNOWN_LEASE = 'the broker does not have it on its books any more';
