import { goesFreely, type Member, specOf } from './members.ts';
import { isSuspect, type LeaseState, type Subject, type Waiter } from './subject.ts';

export function newLease(waiter: Waiter, now: number): LeaseState {
  const { lease: id, link, spec, need, holder, testId } = waiter;
  return { id, link, spec, need, holder, testId, endpoint: null, key: null, free: false, grantedAt: now };
}

/** Gives the lease its member. */
export function hold(lease: LeaseState, member: Member): void {
  lease.endpoint = member.endpoint;
  lease.key = member.key;
  lease.free = goesFreely(member, lease.spec);
  for (const subject of held(lease)) {
    subject.inUse++;
    subject.pass +=
      1 / Math.max(1e-6, specOf([...lease.spec.endpoints, ...lease.spec.keys], subject)?.weight ?? 1);
    if (subject.health.state === 'half-open' && subject.health.probe === null) {
      subject.health = { ...subject.health, probe: lease.id };
    }
  }
}

/**
 * Frees the lease's member. The gate of a suspect stays shut while its call is repeated elsewhere: that repetition
 * decides about it.
 */
export function letGo(lease: LeaseState): void {
  for (const subject of held(lease)) {
    subject.inUse--;
    if (subject.gate?.lease === lease.id && !isSuspect(subject)) subject.gate = null;
    if (subject.health.state === 'half-open' && subject.health.probe === lease.id) {
      subject.health = { ...subject.health, probe: null };
    }
  }
  lease.endpoint = null;
  lease.key = null;
}

export function held(lease: LeaseState): Subject[] {
  return [lease.endpoint, lease.key].filter((subject) => subject !== null);
}
