import { claim } from './slots.ts';
import { type Effect, granted } from './effects.ts';
import { holdLatest, newLease } from './holding.ts';
import { freeFrom, mayKnowSoon, pickMember, refusals, type Wanted } from './members.ts';
import { probeDeadline, startProbes } from './probing.ts';
import { isOutdated } from './revision.ts';
import type { Context, PoolState, Waiter } from './subject.ts';
import { takeTurn } from './turns.ts';

const NOBODY: ReadonlySet<string> = new Set();

/** Who does not wait for a free member waits for all that to be known whether there is one: for one probe at most. */
export function patience({ since, spec }: Waiter): number {
  return probeDeadline(spec, since);
}

/** Puts a waiter where it belongs: behind those that came before it, and leases that lost their member go first. */
export function enqueue(pool: PoolState, waiter: Waiter): void {
  const isAfter = (other: Waiter): boolean =>
    other.moving === waiter.moving ? other.since > waiter.since : waiter.moving;
  const place = pool.queue.findIndex(isAfter);
  pool.queue.splice(place === -1 ? pool.queue.length : place, 0, waiter);
}

/** Serves the queue in order, skipping those that nothing fits now: nobody blocks others that want something else. */
export function pump(pool: PoolState, context: Context): Effect[] {
  const effects = startProbes(pool, context);
  while (takeTurns(pool, effects, context));
  if (pool.queue.length > 0) {
    pool.queue = pool.queue.filter((waiter) => {
      const served = serve(pool, waiter, context);
      effects.push(...served);
      return served.length === 0;
    });
  }
  return effects;
}

/** Gives out turns; true where a lease left its member for one, so that its other calls may go now too. */
function takeTurns(pool: PoolState, effects: Effect[], context: Context): boolean {
  let moved = false;
  if (pool.turns.length === 0) return moved;
  pool.turns = pool.turns.filter((waiter) => {
    const lease = pool.leases.get(waiter.lease);
    const { endpoint, key } = lease ?? {};
    const answer = takeTurn(pool, waiter, context);
    moved ||= lease?.endpoint !== endpoint || lease?.key !== key;
    effects.push(...answer);
    return answer.length === 0;
  });
  return moved && pool.turns.length > 0;
}

function serve(pool: PoolState, waiter: Waiter, context: Context): Effect[] {
  const { now } = context;
  if (now < pool.storeDownUntil && now < waiter.deadline) return [];
  if (isOutdated(pool, waiter.spec))
    return now < waiter.deadline ? [] : refuse(pool, waiter, waiter, context);
  const wanted =
    waiter.avoid.size === 0 || avoiding(pool, waiter, context) ? waiter : { ...waiter, avoid: NOBODY };
  const member = pickMember(pool, wanted, context);
  const waitedMs = now - waiter.since;
  if (member) {
    const lease = pool.leases.get(waiter.id) ?? newLease(pool, waiter, context);
    const claiming = claim(pool, lease, member, waiter, context);
    if (claiming) return claiming;
    holdLatest(pool, lease, member, context);
    pool.leases.set(lease.id, lease);
    return waiter.asks.map((to) => granted(to, lease, waitedMs));
  }
  const freeAt = freeFrom(pool, wanted, context);
  const hopeless = freeAt !== null && freeAt > waiter.deadline && waiter.avoidUntil <= now;
  if (now < waiter.deadline && !hopeless) return [];
  if (now < patience(waiter) && mayKnowSoon(pool, wanted, context)) return [];
  return refuse(pool, waiter, wanted, context);
}

function refuse(pool: PoolState, waiter: Waiter, wanted: Wanted, context: Context): Effect[] {
  const reasons = refusals(pool, wanted, context);
  const timedOut = context.now >= waiter.deadline;
  const waitedMs = context.now - waiter.since;
  return waiter.asks.map((to) => ({ type: 'refused', to, timedOut, deadlock: false, waitedMs, reasons }));
}

/** A rerun waits for other members only where one of them can be free in time. */
function avoiding(pool: PoolState, waiter: Waiter, context: Context): boolean {
  if (context.now >= waiter.avoidUntil) return false;
  const others = { ...waiter, exclude: new Set([...waiter.exclude, ...waiter.avoid]) };
  const freeAt = freeFrom(pool, others, context);
  return freeAt === null || freeAt <= waiter.avoidUntil;
}
