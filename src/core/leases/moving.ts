import { held } from './holding.ts';
import { type Member, pickMember } from './selection.ts';
import type { Ask, Context, LeaseState, PoolState, Waiter } from '../state.ts';

/** Another member, as if the lease had already given up its own. */
export function pickWithout(
  pool: PoolState,
  lease: LeaseState,
  waiter: Waiter,
  context: Context,
): Member | null {
  for (const subject of held(lease)) subject.inUse--;
  const other = pickMember(pool, waiter, context);
  for (const subject of held(lease)) subject.inUse++;
  return other;
}

/** The wish of a lease that moves: what it has where possible, without what just failed. */
export function movingWaiter(
  lease: LeaseState,
  to: Ask,
  exclude: readonly string[],
  context: Context,
): Waiter {
  const { id, link, latest: spec, need, holder, testId } = lease;
  return {
    asks: [to],
    id,
    link,
    spec,
    need,
    holder,
    testId,
    since: context.now,
    place: 0,
    moving: true,
    isNew: false,
    yields: false,
    deadline: context.now + spec.acquireTimeoutMs,
    exclude: new Set(exclude),
    prefer: new Set(held(lease).map((subject) => subject.id)),
    avoid: new Set(),
    avoidUntil: 0,
  };
}
