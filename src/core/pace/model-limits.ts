import type { MemberState, ModelLimits } from '../state.ts';
import type { Need } from '../types.ts';
import { newPace } from './pace.ts';

/** Forgets what the server was taken to want; calls that went are counted on. */
export function resetLimits(limits: ModelLimits): void {
  Object.assign(limits, { learned: null, throttles: 0, coolUntil: 0 });
}

export function limitsOf(member: MemberState, need: Need): ModelLimits {
  const model = need['model'] ?? '';
  const known = member.modelLimits.get(model);
  if (known) return known;
  const pace = newPace(member.callsKnownFrom);
  const limits: ModelLimits = { pace, served: [], learned: null, throttles: 0, coolUntil: 0 };
  member.modelLimits.set(model, limits);
  return limits;
}
