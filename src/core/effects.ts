import type { Slot } from './leases/slots.ts';
import type { Refusal } from './leases/selection.ts';
import type { ReplyTo, HealthChange, LeaseState, Probe } from './state.ts';

/** It waited for a test that waits for it in turn, or for what its own test holds. */
export type DeadlockKind = 'circle' | 'own';

/** What a pool wants done after an event: answers to links, and news. */
export type Effect =
  | { readonly type: 'granted'; readonly to: ReplyTo; readonly lease: LeaseState; readonly waitedMs: number }
  | {
      readonly type: 'permit';
      readonly to: ReplyTo;
      readonly lease: LeaseState;
      readonly delayMs: number;
      /** Paces that all machines share: the shared store tells the further wait. */
      readonly paces: readonly { readonly member: string; readonly rpm: number }[];
    }
  | { readonly type: 'stay'; readonly to: ReplyTo; readonly why: string }
  | {
      readonly type: 'refused';
      readonly to: ReplyTo;
      readonly timedOut: boolean;
      readonly deadlock: DeadlockKind | null;
      readonly waitedMs: number;
      readonly reasons: readonly Refusal[];
    }
  /** The shared store is to be asked; its answer comes back as claimGranted, claimRefused or claimFailed. */
  | { readonly type: 'claim'; readonly lease: LeaseState; readonly slots: readonly Slot[] }
  | { readonly type: 'unclaim'; readonly lease: string }
  /** A link is to send this probe; the result comes back as probed, or as probesLost or probedElsewhere. */
  | { readonly type: 'probe'; readonly probe: Probe }
  /** The lease's calls must ask for turns from now on. */
  | { readonly type: 'fast-path-ended'; readonly lease: LeaseState }
  /** The lease has another member now, before any answer says so. */
  | { readonly type: 'moved'; readonly lease: LeaseState }
  | { readonly type: 'changed'; readonly change: HealthChange };

export function granted(to: ReplyTo, lease: LeaseState, waitedMs: number): Effect {
  return { type: 'granted', to, lease, waitedMs };
}
