import { hasFastPath } from './selection.ts';
import { type Grant, type Context, type LeaseState, type PoolState, type MemberState } from '../state.ts';
import { resolvePool } from '../resolved-pool.ts';
import { isSuspect } from '../members.ts';

type Identity = Pick<LeaseState, 'id' | 'client' | 'spec' | 'need' | 'holder' | 'testId'> & {
  readonly onlyEndpoint?: string | null | undefined;
  readonly resets?: boolean | undefined;
  readonly forCall?: boolean | undefined;
};

export function newLease(pool: PoolState, identity: Identity, context: Context): LeaseState {
  const {
    id,
    client,
    spec,
    need,
    onlyEndpoint = null,
    holder,
    testId,
    resets = false,
    forCall = false,
  } = identity;
  return {
    id,
    client,
    spec,
    latest: spec,
    need,
    onlyEndpoint,
    holder,
    testId,
    resolved: resolvePool(pool, spec, context),
    endpoint: null,
    key: null,
    fastPath: false,
    resets,
    forCall,
    claim: 'none',
    grantedAt: context.now,
  };
}

/** Gives the lease a member of what its link has told last. */
export function assignLatest(pool: PoolState, lease: LeaseState, grant: Grant, context: Context): void {
  if (lease.spec !== lease.latest) {
    lease.spec = lease.latest;
    lease.resolved = resolvePool(pool, lease.spec, context);
  }
  assign(lease, grant);
}

/** Gives the lease its member. */
export function assign(lease: LeaseState, grant: Grant): void {
  lease.endpoint = grant.endpoint;
  lease.key = grant.key;
  lease.fastPath = hasFastPath(lease.resolved, grant, lease.need);
  if (lease.endpoint && !lease.forCall) occupy(lease, lease.endpoint);
  if (lease.key) occupy(lease, lease.key);
  if (lease.resets && lease.key?.dirty) lease.key.cleaning ??= lease.id;
}

/**
 * Frees the lease's member. The gate of a suspect stays shut while its call is repeated elsewhere: that repetition
 * decides about it.
 */
export function freeGrant(pool: PoolState, lease: LeaseState): void {
  if (lease.endpoint) freeMember(pool, lease, lease.endpoint);
  if (lease.key) freeMember(pool, lease, lease.key);
  lease.endpoint = null;
  lease.key = null;
}

function freeMember(pool: PoolState, lease: LeaseState, member: MemberState): void {
  if (member !== lease.endpoint || !lease.forCall) member.inUse--;
  if (member.cleaning === lease.id) member.cleaning = null;
  if (member.trial?.lease === lease.id && !isSuspect(member)) endTrial(pool, member);
  if (member.health.state === 'half-open' && member.health.probe === lease.id) {
    member.health = { ...member.health, probe: null };
  }
}

export function membersOf(lease: LeaseState): MemberState[] {
  return [lease.endpoint, lease.key].filter((member) => member !== null);
}

/** Others wait for this lease's attempt, which finds out whether the subject works. */
export function beginTrial(pool: PoolState, member: MemberState, lease: LeaseState, now: number): void {
  member.trial = { lease: lease.id, since: now };
  pool.gated.add(member);
}

export function endTrial(pool: PoolState, member: MemberState): void {
  member.trial = null;
  pool.gated.delete(member);
}

function occupy(lease: LeaseState, member: MemberState): void {
  member.inUse++;
  member.pass += 1 / Math.max(1e-6, lease.resolved.of.get(member)?.weight ?? 1);
  if (member.health.state === 'half-open' && member.health.probe === null) {
    member.health = { ...member.health, probe: lease.id };
  }
}
