import { goesFreely, type Member } from './selection.ts';
import { rosterOf } from '../resolved-pool.ts';
import { type Context, isSuspect, type LeaseState, type PoolState, type Subject } from '../state.ts';

type Identity = Pick<LeaseState, 'id' | 'link' | 'spec' | 'need' | 'holder' | 'testId'>;

export function newLease(pool: PoolState, identity: Identity, context: Context): LeaseState {
  const { id, link, spec, need, holder, testId } = identity;
  return {
    id,
    link,
    spec,
    latest: spec,
    need,
    holder,
    testId,
    roster: rosterOf(pool, spec, context),
    endpoint: null,
    key: null,
    free: false,
    claim: 'none',
    grantedAt: context.now,
  };
}

/** Gives the lease a member of what its link has told last. */
export function holdLatest(pool: PoolState, lease: LeaseState, member: Member, context: Context): void {
  if (lease.spec !== lease.latest) {
    lease.spec = lease.latest;
    lease.roster = rosterOf(pool, lease.spec, context);
  }
  hold(lease, member);
}

/** Gives the lease its member. */
export function hold(lease: LeaseState, member: Member): void {
  lease.endpoint = member.endpoint;
  lease.key = member.key;
  lease.free = goesFreely(lease.roster, member, lease.need);
  if (lease.endpoint) take(lease, lease.endpoint);
  if (lease.key) take(lease, lease.key);
}

/**
 * Frees the lease's member. The gate of a suspect stays shut while its call is repeated elsewhere: that repetition
 * decides about it.
 */
export function letGo(pool: PoolState, lease: LeaseState): void {
  if (lease.endpoint) giveBack(pool, lease, lease.endpoint);
  if (lease.key) giveBack(pool, lease, lease.key);
  lease.endpoint = null;
  lease.key = null;
}

function giveBack(pool: PoolState, lease: LeaseState, subject: Subject): void {
  subject.inUse--;
  if (subject.gate?.lease === lease.id && !isSuspect(subject)) openGate(pool, subject);
  if (subject.health.state === 'half-open' && subject.health.probe === lease.id) {
    subject.health = { ...subject.health, probe: null };
  }
}

export function held(lease: LeaseState): Subject[] {
  return [lease.endpoint, lease.key].filter((subject) => subject !== null);
}

/** Others wait for this lease's attempt, which finds out whether the subject works. */
export function shutGate(pool: PoolState, subject: Subject, lease: LeaseState, now: number): void {
  subject.gate = { lease: lease.id, since: now };
  pool.gated.add(subject);
}

export function openGate(pool: PoolState, subject: Subject): void {
  subject.gate = null;
  pool.gated.delete(subject);
}

function take(lease: LeaseState, subject: Subject): void {
  subject.inUse++;
  subject.pass += 1 / Math.max(1e-6, lease.roster.of.get(subject)?.weight ?? 1);
  if (subject.health.state === 'half-open' && subject.health.probe === null) {
    subject.health = { ...subject.health, probe: lease.id };
  }
}
