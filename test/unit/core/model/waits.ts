import { tick } from '../../../../src/core/pool.ts';
import { type Effect, type LeaseWaiter } from '../../../../src/core/state.ts';
import { stuckLinks } from './circles.ts';
import { checkQuestions, type Moment } from './check.ts';
import { carries, fittingInTime, fittingNow, heldBy, isBoundTo } from './fit.ts';
import { pauseOf } from './pacing.ts';
import type { World } from '../world.ts';

/** A call waits for another's attempt this long at most. */
const TRIAL_MS = 3_000;

/** What is wrong with those that wait after an event, and with those that do not wait any more. */
export function checkWaits(moment: Moment): string[] {
  return [checkQuestions, queue, refusals, permitQueue].flatMap((check) => check(moment));
}

/** Nobody waits while something fits, nor in vain, nor beyond its time. */
function queue({ world: { pool, now } }: Moment): string[] {
  if (now < pool.storeDownUntil) return [];
  return pool.queue.flatMap((waiter) => {
    const fitting = fittingNow(pool, waiter, now);
    if (fitting !== null) return [`${waiter.id} waits while ${fitting} fits`];
    if (waiter.deadline <= now) return [`${waiter.id} waits beyond its time`];
    if (waiter.avoidUntil > now || fittingInTime(pool, waiter) !== null) return [];
    return [`${waiter.id} waits in vain`];
  });
}

/** Nobody is refused while something fits, nor before its time unless nothing can fit in it. */
function refusals({ before, effects, world: { pool, now } }: Moment): string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== 'refused' || now < pool.storeDownUntil) return [];
    const { timedOut, deadlock, waitedMs, to } = effect;
    if (!(waitedMs >= 0 && waitedMs < Infinity)) return [`question ${to.ask} waited for ${waitedMs} ms`];
    const waiter = before.queue.find(({ replyTo }) => replyTo.some(({ ask }) => ask === to.ask));
    if (!waiter) return [];
    if (deadlock)
      return stuckLinks(pool, before.queue).has(waiter.client)
        ? []
        : [`${waiter.id} can go on, and was refused`];
    const fitting = fittingNow(pool, waiter, now);
    if (fitting !== null) return [`${waiter.id} was refused while ${fitting} fits`];
    if (timedOut ? now >= waiter.deadline : fittingInTime(pool, waiter) === null) return [];
    return [`${waiter.id} was refused before its time`];
  });
}

/**
 * A call waits for nothing but its member's pace or pause, or the attempt of another lease on it; or on the one that it
 * would leave for.
 */
function permitQueue({ world: { pool, now } }: Moment): string[] {
  return pool.permitQueue.flatMap(({ lease: id, since, movable, dueAt }) => {
    const lease = pool.leases.get(id);
    if (lease?.claim === 'pending') return [];
    const own = lease ? heldBy(lease) : [];
    if (own.length === 0 && pool.queue.some((waiter) => waiter.id === id)) return [];
    if ((dueAt ?? 0) > now || own.some((member) => pauseOf(member, lease!, now) > 0)) return [];
    const leaves =
      movable && own.some(({ health, refusals: count }) => health.state !== 'healthy' || count > 0);
    const shut = (leaves ? [...pool.members.values()] : own).some(
      ({ trial }) => trial && trial.lease !== id && now - trial.since < TRIAL_MS,
    );
    return shut && now - since < TRIAL_MS ? [] : [`a call of ${id} waits for nothing`];
  });
}

/** Nobody is served with what one waits for that asked before; leases that lost their member go first. */
export function checkOrder({ before, world: { pool, spec, now }, clients }: Moment): string[] {
  const position = ({ replyTo: [first] }: LeaseWaiter): number =>
    first!.ask - (clients.moves.has(first!.ask) ? Number.MAX_SAFE_INTEGER : 0);
  const served = before.queue.filter(({ id }) => {
    const lease = pool.leases.get(id);
    if (!lease || heldBy(lease).length === 0 || (before.on.get(id) ?? []).length > 0) return false;
    // A suspect is only for those that can have nothing else in their time.
    return !lease.key || lease.key.proven || lease.key.refusals === 0;
  });
  const suits = (waiter: LeaseWaiter, id: string): boolean => {
    const { endpoint, key } = pool.leases.get(id)!;
    const label = spec.keys.find((member) => member.id === key?.id);
    const rests = [endpoint, key].some(
      (member) => (member?.modelLimits.get(waiter.need['model'] ?? '')?.coolUntil ?? 0) > now,
    );
    if (rests) return false;
    const unwanted = [...waiter.exclude, ...(now < waiter.avoidUntil ? waiter.avoid : [])];
    if (unwanted.some((member) => member === endpoint?.id || member === key?.id)) return false;
    if (waiter.onlyEndpoint !== null && endpoint && endpoint.name !== waiter.onlyEndpoint) return false;
    return !label || (carries(label, waiter.need) && (!endpoint || isBoundTo(label, endpoint.name)));
  };
  return served.flatMap((waiter) =>
    before.queue
      .filter(
        (other) =>
          position(other) < position(waiter) && pool.queue.includes(other) && suits(other, waiter.id),
      )
      .map((other) => `${waiter.id} was served before ${other.id}`),
  );
}

/** The tick: time ends no quarantine and no disablement, and nobody comes back from an ejection without a trial. */
export function tickSoundly({ pool, context }: World): Effect[] {
  const states = new Map([...pool.members.values()].map((member) => [member, member.health.state]));
  const effects = tick(pool, context);
  for (const [{ name, health }, was] of states) {
    const lasting = was === 'quarantined' || was === 'disabled';
    if (lasting && health.state !== was) throw new Error(`time ended that ${name} was ${was}`);
    const tried = was === 'ejected' || was === 'exhausted';
    if (tried && health.state === 'healthy') throw new Error(`${name} came back without a trial`);
  }
  return effects;
}
