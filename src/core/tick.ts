import { emitChanges } from './changes.ts';
import { changeHealth } from './health/change.ts';
import { lateProbes, reassignProbes } from './health/probe-results.ts';
import { nextProbe } from './health/probing.ts';
import { untilOf } from './health/states.ts';
import { lastDeadline, probeGraceDeadline, schedule } from './leases/queue.ts';
import { nextLook } from './pace/permits.ts';
import type { Context, Effect, HealthChange, PoolState } from './state.ts';

/** Time has passed: pauses end, trials begin, waits run out. */
export function tick(pool: PoolState, context: Context): Effect[] {
  const changes: HealthChange[] = [];
  for (const member of pool.members.values()) {
    if (member.elsewhereUntil <= context.now) member.elsewhereUntil = 0;
    for (const limits of member.modelLimits.values())
      if (limits.coolUntil <= context.now) limits.coolUntil = 0;
    const changed = changeHealth(pool, member, { type: 'tick' }, context.now, { baseMs: 0, maxMs: 0 });
    if (changed) changes.push(changed);
  }
  if (pool.storeDownUntil <= context.now) pool.storeDownUntil = 0;
  return [
    ...emitChanges(pool, changes),
    ...reassignProbes(pool, lateProbes(pool, context.now), context),
    ...schedule(pool, context),
  ];
}

/** When `tick` has something to do next, ms since the epoch. */
export function nextTick(pool: PoolState, now: number): number {
  let next = nextProbe(pool, now);
  for (const { health } of pool.members.values())
    if (health.state !== 'healthy') next = Math.min(next, untilOf(health) ?? Infinity);
  for (const waiter of pool.queue) {
    const { avoidUntil } = waiter;
    const deadline = lastDeadline(pool, waiter);
    const ends = deadline > now ? deadline : probeGraceDeadline(waiter);
    next = Math.min(next, ends, avoidUntil > now ? avoidUntil : Infinity);
  }
  if (pool.queue.length > 0) next = Math.min(next, modelPausesEnd(pool));
  if (pool.shared && pool.queue.length > 0)
    next = Math.min(next, pool.storeDownUntil || Infinity, elsewhereEnds(pool));
  for (const waiter of pool.permitQueue) next = Math.min(next, nextLook(pool, waiter, now));
  return next;
}

/** When the next pause of a key for one model ends. */
function modelPausesEnd(pool: PoolState): number {
  let next = Infinity;
  for (const { modelLimits } of pool.members.values()) {
    for (const { coolUntil } of modelLimits.values()) if (coolUntil > 0) next = Math.min(next, coolUntil);
  }
  return next;
}

/** When a member that another machine holds is worth asking for again. */
function elsewhereEnds(pool: PoolState): number {
  let next = Infinity;
  for (const { elsewhereUntil } of pool.members.values())
    if (elsewhereUntil > 0) next = Math.min(next, elsewhereUntil);
  return next;
}
