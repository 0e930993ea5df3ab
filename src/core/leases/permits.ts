import type { Effect } from '../effects.ts';
import { holdLatest } from './holding.ts';
import type { Member } from './selection.ts';
import { type Roster, rosterOf } from '../resolved-pool.ts';
import type { Context, LeaseState, PoolState, Subject, Waiter } from '../state.ts';

/** A place that is limited over all machines: it takes a claim in the shared store. */
export interface Slot {
  readonly subject: string;
  readonly limit: number;
}

/** What a lease on that member has to claim. */
export function slotsOf(pool: PoolState, roster: Roster, member: Member): Slot[] {
  return [member.endpoint, member.key].flatMap((subject) => {
    if (subject === null) return [];
    const limit = subject.health.state === 'half-open' ? 1 : roster.of.get(subject)?.spec.maxConcurrent;
    return limit === undefined ? [] : [{ subject: addressOf(pool, subject), limit }];
  });
}

/** Holds the member for the waiter until the shared store has answered. */
export function claim(
  pool: PoolState,
  lease: LeaseState,
  member: Member,
  waiter: Waiter,
  context: Context,
): Effect[] | null {
  if (!pool.shared) return null;
  const slots = slotsOf(pool, rosterOf(pool, waiter.spec, context), member);
  if (slots.length === 0) return null;
  holdLatest(pool, lease, member, context);
  lease.claim = 'pending';
  pool.leases.set(lease.id, lease);
  pool.claiming.set(lease.id, waiter);
  return [{ type: 'claim', lease, slots }];
}

/** The name of a subject in the shared store. */
export function addressOf(pool: PoolState, subject: Subject): string {
  return `${pool.name}/${subject.kind}:${subject.id}`;
}
