import type { LearnedPace } from './learned-pace.ts';
import { newPace, type Pace } from './pace.ts';
import type { MemberState } from '../state.ts';
import type { Need } from '../types.ts';

/** What vendors count per key and model: its pace, its refusals, its pause. Calls without a model have a lane too. */
export interface ModelLimits {
  readonly pace: Pace;
  /** Times of the calls that were served last. */
  readonly served: number[];
  /** The pace that refusals taught. */
  learned: LearnedPace | null;
  /** Throttled answers since its last success. */
  throttles: number;
  /** Until when the server wants no calls for this model. */
  coolUntil: number;
}

/** Forgets what the server was taken to want; calls that went are counted on. */
export function resetLimits(limits: ModelLimits): void {
  Object.assign(limits, { learned: null, throttles: 0, coolUntil: 0 });
}

export function limitsOf(member: MemberState, need: Need): ModelLimits {
  const model = need['model'] ?? '';
  const known = member.modelLimits.get(model);
  if (known) return known;
  const limits: ModelLimits = { pace: newPace(), served: [], learned: null, throttles: 0, coolUntil: 0 };
  member.modelLimits.set(model, limits);
  return limits;
}
