import { schedule } from './queue.ts';
import { freeFrom, refusals } from './selection.ts';
import { isOutdated } from '../revision.ts';
import type {
  Context,
  Effect,
  LeaseState,
  LeaseWaiter,
  MemberState,
  PoolState,
  ResolvedMember,
} from '../state.ts';

/** Ends waits that go round in a circle: one of the tests in it is refused. */
export function endDeadlocks(pools: Iterable<PoolState>, context: Context): Effect[] {
  const all = [...pools];
  const effects: Effect[] = [];
  for (let found = findDeadlock(all, context); found; found = findDeadlock(all, context)) {
    const { pool, waiter, isOwn } = found;
    pool.queue = pool.queue.filter((other) => other !== waiter);
    const reasons = refusals(pool, waiter, context);
    const waitedMs = context.now - waiter.since;
    for (const to of waiter.replyTo)
      effects.push({
        type: 'refused',
        to,
        timedOut: false,
        deadlock: isOwn ? 'own' : 'circle',
        waitedMs,
        reasons,
      });
    effects.push(...schedule(pool, context));
  }
  return effects;
}

interface PendingWait {
  readonly pool: PoolState;
  readonly waiter: LeaseWaiter;
}

/** A wait to be ended. */
interface Deadlock extends PendingWait {
  /** Its test waits for itself alone: for more than there is. */
  readonly isOwn: boolean;
}

/**
 * Finds tests that hold leases and wait for each other's in a circle, over all pools, and names the wait to end: the
 * last of those that can yield, else the last; null where all waits can end. A worker that waits for nothing goes on and
 * gives back what it holds; whoever waits for such a one goes on too, and so forth: who is left over waits for ever.
 */
function findDeadlock(pools: Iterable<PoolState>, context: Context): Deadlock | null {
  const all = [...pools];
  const waits = all.flatMap((pool) => pool.queue.map((waiter) => ({ pool, waiter })));
  const holding = holdingClients(all);
  // Most of the time nobody who waits holds anything.
  if (!waits.some(({ waiter }) => holding.has(waiter.client))) return null;
  const holders = holdersOf(all);
  const stuck = new Set(waits.map(({ waiter }) => waiter.client));
  for (let freed = true; freed;) {
    freed = false;
    for (const { pool, waiter } of waits) {
      if (!stuck.has(waiter.client) || !canEnd(pool, waiter, holders, stuck, context)) continue;
      stuck.delete(waiter.client);
      freed = true;
    }
  }
  const circle = waits.filter(({ waiter }) => stuck.has(waiter.client) && holding.has(waiter.client));
  const yielding = circle.filter(({ waiter }) => waiter.canYield);
  const last = (yielding.length > 0 ? yielding : circle).reduce<PendingWait | null>(
    (latest, wait) => (latest && latest.waiter.since > wait.waiter.since ? latest : wait),
    null,
  );
  return last && { ...last, isOwn: circle.every(({ waiter }) => waiter.client === last.waiter.client) };
}

function holdingClients(pools: readonly PoolState[]): ReadonlySet<string> {
  const holding = new Set<string>();
  for (const { leases } of pools)
    for (const { client, endpoint, key } of leases.values()) if (endpoint || key) holding.add(client);
  return holding;
}

/** Some member that would do is free, comes back with time, or is held by somebody who goes on. */
function canEnd(
  pool: PoolState,
  waiter: LeaseWaiter,
  holders: ReadonlyMap<MemberState, readonly LeaseState[]>,
  stuck: ReadonlySet<string>,
  context: Context,
): boolean {
  // It is told what it may have within milliseconds.
  if (isOutdated(pool, waiter.spec)) return true;
  const frees = ({ member, spec }: ResolvedMember): boolean => {
    const { health } = member;
    const trial =
      health.state === 'half-open' && health.probe !== null ? pool.leases.get(health.probe) : null;
    if (trial && stuck.has(trial.client)) return false;
    // A call ends by itself.
    const kept = (holders.get(member) ?? []).filter((lease) => stuck.has(lease.client) && !lease.forCall);
    return kept.length < (spec.maxConcurrent ?? Infinity);
  };
  const freeAt = freeFrom(pool, waiter, context, frees);
  return freeAt === null || freeAt <= waiter.deadline;
}

function holdersOf(pools: readonly PoolState[]): Map<MemberState, LeaseState[]> {
  const holders = new Map<MemberState, LeaseState[]>();
  for (const pool of pools) {
    for (const lease of pool.leases.values()) {
      for (const member of [lease.endpoint, lease.key]) {
        if (member) holders.set(member, [...(holders.get(member) ?? []), lease]);
      }
    }
  }
  return holders;
}
