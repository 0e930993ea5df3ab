import type { Effect, LeaseState, ReplyTo } from './state.ts';

export function granted(to: ReplyTo, lease: LeaseState, waitedMs: number): Effect {
  return { type: 'granted', to, lease, waitedMs };
}
