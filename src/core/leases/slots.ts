import {
  type Effect,
  type Context,
  type LeaseState,
  type PoolState,
  type MemberState,
  type LeaseWaiter,
  type ResolvedPool,
  type Grant,
  type Slot,
} from '../state.ts';
import { assignLatest } from './holding.ts';
import { resolvePool } from '../resolved-pool.ts';

/** What a lease on that member has to claim. */
export function slotsOf(pool: PoolState, resolved: ResolvedPool, grant: Grant, forCall = false): Slot[] {
  return [forCall ? null : grant.endpoint, grant.key].flatMap((member) => {
    if (member === null) return [];
    const limit = member.health.state === 'half-open' ? 1 : resolved.of.get(member)?.spec.maxConcurrent;
    return limit === undefined ? [] : [{ member: addressOf(pool, member), limit }];
  });
}

/** Holds the member for the waiter until the shared store has answered. */
export function claim(
  pool: PoolState,
  lease: LeaseState,
  grant: Grant,
  waiter: LeaseWaiter,
  context: Context,
): Effect[] | null {
  if (!pool.shared) return null;
  const slots = slotsOf(pool, resolvePool(pool, waiter.spec, context), grant, waiter.forCall);
  if (slots.length === 0) return null;
  assignLatest(pool, lease, grant, context);
  lease.claim = 'pending';
  pool.leases.set(lease.id, lease);
  pool.claiming.set(lease.id, waiter);
  return [{ type: 'claim', lease, slots }];
}

/** The name of a subject in the shared store. */
export function addressOf(pool: PoolState, member: MemberState): string {
  return `${pool.name}/${member.kind}:${member.id}`;
}
