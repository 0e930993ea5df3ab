import { resetLimits } from '../pace/model-limits.ts';
import type { HealthChange, MemberState, PoolState } from '../state.ts';
import type { PoolSpec } from '../types.ts';
import { markUnavailable } from './probe-state.ts';
import {
  type Health,
  type HealthEvent,
  isUnavailable,
  nextHealth,
  RESERVATION_OVER,
  remainingEjections,
  untilOf,
  whyOf,
} from './states.ts';

/** Applies a health event; returns the change where the state changed. */
export function changeHealth(
  pool: PoolState,
  member: MemberState,
  event: HealthEvent,
  now: number,
  policy: PoolSpec['ejection'],
): HealthChange | null {
  const before = member.health;
  // No probe signs in: what one finds says nothing of that.
  if (event.type === 'recover' && member.accountFault) return null;
  if (event.type === 'reset') member.accountFault = null;
  if (event.type === 'fault' && before.state !== 'ejected') {
    member.ejections = remainingEjections(member.ejections, now - member.ejectedAt, policy);
  }
  member.health = nextHealth(before, event, now, member.ejections, policy);
  if (event.type === 'fault' && member.health.state === 'ejected' && before.state !== 'ejected') {
    member.ejections++;
    member.ejectedAt = untilOf(member.health) ?? now;
  }
  if (event.type === 'reset') Object.assign(member, { faults: [], ejections: 0, refusals: 0 });
  if (event.type === 'recover') Object.assign(member, { faults: [], refusals: 0 });
  if (event.type === 'reset') for (const limits of member.modelLimits.values()) resetLimits(limits);
  if (event.type === 'reset' || event.type === 'recover') member.proofs.clear();
  const { state } = member.health;
  if (isUnavailable(before.state) && !isUnavailable(state)) levelPass(pool, member);
  const recheckAfterMs = event.type === 'quarantine' ? (event.recheckAfterMs ?? 0) : 0;
  if (state !== before.state && (state === 'ejected' || state === 'quarantined'))
    markUnavailable(member.probeState, now, recheckAfterMs);
  // It takes its share from now on, and makes up for nothing.
  if (state === 'healthy' && before.state !== 'healthy') member.joins = true;
  if (event.type === 'fault' && event.isSeenByProbes) member.probeState.sawFault = true;
  if (member.health.state === before.state && untilOf(member.health) === untilOf(before)) return null;
  const saysWhy = event.type === 'recover' || event.type === 'reset' || event.type === 'end-reservation';
  return {
    member,
    pool: pool.name,
    endpoint: member.kind === 'endpoint' ? member.name : null,
    key: member.kind === 'key' ? member.name : null,
    from: before.state,
    to: member.health.state,
    why: (saysWhy && event.why) || whyOf(member.health) || recovery(before),
    until: untilOf(member.health),
  };
}

/** It takes its share from now on, and is not given what it missed. */
function levelPass(pool: PoolState, member: MemberState): void {
  const passes = [...pool.members.values()]
    .filter((other) => other !== member && other.kind === member.kind && !isUnavailable(other.health.state))
    .map(({ pass }) => pass);
  if (passes.length > 0) member.pass = Math.max(member.pass, Math.min(...passes));
}

function recovery(before: Health): string {
  if (before.state === 'reserved') return RESERVATION_OVER;
  if (before.state === 'cooling') return 'its pause is over';
  if (before.state === 'half-open') return 'its trial went well';
  return 'reset';
}
