import { newProbeState } from './health/probe-state.ts';
import { HEALTHY } from './health/states.ts';
import type { Context, MemberState, PoolState } from './state.ts';

/** The subject of that identity; one never seen starts healthy, and level in the round with the others. */
export function memberStateOf(
  pool: PoolState,
  kind: MemberState['kind'],
  spec: { readonly id: string; readonly name: string },
  context: Context,
): MemberState {
  const address = `${kind}:${spec.id}`;
  const known = pool.members.get(address);
  if (known) return known;
  const member: MemberState = {
    kind,
    id: spec.id,
    name: spec.name,
    health: HEALTHY,
    inUse: 0,
    pass: 0,
    joins: true,
    faults: [],
    ejections: 0,
    ejectedAt: 0,
    proven: false,
    lastServedAt: 0,
    unreachableAt: -Infinity,
    refusals: 0,
    proofs: new Set(),
    trial: null,
    dirty: null,
    cleaning: null,
    accountFault: null,
    elsewhereUntil: 0,
    callsKnownFrom: context.callsKnownFrom,
    modelLimits: new Map(),
    probeState: newProbeState(),
    routerHandle: context.newHandle(pool.name, kind, spec.id),
  };
  pool.members.set(address, member);
  return member;
}

/** Its last calls were refused and none ever worked: others go first until that is decided. */
export function isSuspect(member: MemberState): boolean {
  return !member.proven && member.refusals > 0;
}
