import { membersOf } from './holding.ts';
import { pickGrant } from './selection.ts';
import {
  type Grant,
  type ReplyTo,
  type Context,
  type LeaseState,
  type PoolState,
  type LeaseWaiter,
} from '../state.ts';

/** Another member, as if the lease had already given up its own. */
export function pickWithout(
  pool: PoolState,
  lease: LeaseState,
  waiter: LeaseWaiter,
  context: Context,
): Grant | null {
  for (const member of membersOf(lease)) member.inUse--;
  const other = pickGrant(pool, waiter, context);
  for (const member of membersOf(lease)) member.inUse++;
  return other;
}

/** The wish of a lease that moves: what it has where possible, without what just failed. */
export function movingWaiter(
  lease: LeaseState,
  to: ReplyTo,
  exclude: readonly string[],
  context: Context,
  mostMs = Infinity,
): LeaseWaiter {
  const { id, client, latest: spec, need, onlyEndpoint, holder, testId } = lease;
  return {
    replyTo: [to],
    id,
    client,
    spec,
    need,
    onlyEndpoint,
    holder,
    testId,
    since: context.now,
    position: 0,
    moving: true,
    isNew: false,
    canYield: false,
    resets: lease.resets,
    forCall: lease.forCall,
    deadline: context.now + Math.min(mostMs, spec.acquireTimeoutMs),
    exclude: new Set(exclude),
    prefer: new Set(membersOf(lease).map((member) => member.id)),
    avoid: new Set(),
    avoidUntil: 0,
  };
}
