import type { Effect, PoolState, MemberState, LeaseWaiter } from '../../../../src/core/state.ts';
import type { EndpointSpec, KeySpec } from '../../../../src/core/types.ts';
import type { Clients } from './clients.ts';
import { carries, heldBy, holdersOf, isBoundTo } from './fit.ts';
import type { World } from '../world.ts';

/** What a pool looked like before an event. */
interface Before {
  readonly on: ReadonlyMap<string, readonly MemberState[]>;
  readonly ejections: ReadonlyMap<MemberState, number>;
  readonly queue: readonly LeaseWaiter[];
}

export interface Moment {
  readonly before: Before;
  readonly effects: readonly Effect[];
  readonly world: World;
  readonly clients: Clients;
}

export function rememberOutcome(pool: PoolState): Before {
  return {
    on: new Map([...pool.leases.values()].map((lease) => [lease.id, heldBy(lease)])),
    ejections: new Map([...pool.members.values()].map((member) => [member, member.ejections])),
    queue: [...pool.queue],
  };
}

/** What is wrong with a pool's books after an event. */
export function checkBooks(moment: Moment): string[] {
  return [limits, numbers, leases, grants].flatMap((check) => check(moment));
}

/** Nobody above a limit; one trial at a time. */
function limits({ world: { pool, spec } }: Moment): string[] {
  const wrong: string[] = [];
  for (const { kind, id, name, inUse, health, trial } of pool.members.values()) {
    const holders = holdersOf(pool, kind, id);
    if (inUse !== holders) wrong.push(`${name} counts ${inUse} holders and has ${holders}`);
    const limit = specOf([...spec.endpoints, ...spec.keys], id)?.maxConcurrent ?? Infinity;
    if (holders > limit) wrong.push(`${name} is held ${holders} times`);
    if (trial && !pool.leases.has(trial.lease)) wrong.push(`${name} waits for a lease that is gone`);
    if (health.state !== 'half-open' || health.probe === null) continue;
    const probe = pool.leases.get(health.probe);
    if (probe?.[kind]?.id !== id) wrong.push(`${name} is on trial by a lease that does not hold it`);
  }
  return wrong;
}

function numbers({ before, world: { pool, spec } }: Moment): string[] {
  const wrong: string[] = [];
  for (const member of pool.members.values()) {
    const { name, ejections } = member;
    if (!isSound(member)) wrong.push(`${name}: ${JSON.stringify(member)}`);
    if (ejections > (before.ejections.get(member) ?? ejections) + 1)
      wrong.push(`one fault of ${name} counts as ${ejections - before.ejections.get(member)!}`);
  }
  const { calls, retries } = pool.budget;
  if (retries > Math.max(3, calls * spec.retryBudget)) wrong.push(`${retries} retries of ${calls} calls`);
  return wrong;
}

/** Every number in it is one, and none is negative. */
function isSound(value: unknown): boolean {
  // -Infinity is a time that never was.
  if (typeof value === 'number') return (value >= 0 && value < Infinity) || value === -Infinity;
  if (typeof value !== 'object' || value === null) return true;
  return (value instanceof Map ? [...value.values()] : Object.values(value)).every(isSound);
}

/** Whoever was granted a lease has it, on the member that it was told; and no lease is nobody's. */
function leases({ world: { pool, spec, now }, clients }: Moment): string[] {
  const wrong: string[] = [];
  for (const { id, client, endpoint, key, fastPath, homeless } of clients.leases.values()) {
    const lease = pool.leases.get(id);
    if (lease?.client !== client) wrong.push(`${id} is lost`);
    if (!lease || lease.claim === 'pending') continue;
    const has = heldBy(lease);
    const waits = pool.queue.some((waiter) => waiter.id === id);
    if (homeless !== (has.length === 0) && !waits) wrong.push(`${id} is homeless only to one side`);
    if (has.length === 0) continue;
    if (lease.endpoint?.id !== (endpoint ?? undefined) || lease.key?.id !== (key ?? undefined))
      wrong.push(`${id} is on ${has.map(({ name }) => name).join('/')}, and was told ${endpoint}/${key}`);
    if (fastPath !== lease.fastPath)
      wrong.push(`${id} is told to be ${fastPath ? 'fastPath' : 'fast-path-ended'}, and is not`);
    const isUnrestricted = (member: MemberState): boolean => {
      const limits = member.modelLimits.get(lease.need['model'] ?? '');
      const rests = limits && (limits.learned !== null || limits.coolUntil > now);
      const paced = specOf([...spec.endpoints, ...spec.keys], member.id)?.rpm;
      return member.proven && member.health.state === 'healthy' && !rests && !paced;
    };
    if (lease.fastPath && !has.every(isUnrestricted)) wrong.push(`${id} goes freely where it must not`);
  }
  for (const { id, claim } of pool.leases.values())
    if (!clients.leases.has(id) && claim !== 'pending') wrong.push(`${id} is held by nobody`);
  return wrong;
}

/** Every question that has no answer yet is waiting for one, once. */
export function checkQuestions({ world: { pool }, clients }: Moment): string[] {
  const waiters = [...pool.queue, ...pool.claiming.values()];
  const waiting = [...waiters.flatMap(({ replyTo }) => replyTo), ...pool.permitQueue].map(({ ask }) => ask);
  const wrong = [...clients.open.values()]
    .filter(({ ask }) => waiting.filter((other) => other === ask).length !== 1)
    .map(({ kind, ask, lease }) => `${kind} ${ask} of ${lease} is forgotten`);
  if (waiting.length > clients.open.size) wrong.push('questions that nobody asks are waiting');
  return wrong;
}

/** What was given fits what was asked for, and was to be had. */
function grants({ before, effects, world: { pool, spec } }: Moment): string[] {
  const wrong: string[] = [];
  for (const lease of pool.leases.values()) {
    const had = before.on.get(lease.id) ?? [];
    const got = heldBy(lease).filter((member) => !had.includes(member));
    if (got.length === 0) continue;
    for (const { name, health } of got) {
      const onTrial = health.state === 'half-open' && health.probe === lease.id;
      if (health.state !== 'healthy' && !onTrial) wrong.push(`${lease.id} got ${name}, ${health.state}`);
    }
    const endpoint = specOf(spec.endpoints, lease.endpoint?.id);
    const key = specOf(spec.keys, lease.key?.id);
    if (!endpoint !== (spec.endpoints.length === 0)) wrong.push(`${lease.id} has no endpoint, or too much`);
    if (!key !== (spec.keys.length === 0)) wrong.push(`${lease.id} has no key, or too much`);
    if (endpoint && lease.onlyEndpoint !== null && endpoint.name !== lease.onlyEndpoint)
      wrong.push(`${lease.id} got ${endpoint.name}, which is not the endpoint that it must have`);
    if (key && !carries(key, lease.need)) wrong.push(`${lease.id} got ${key.name}, which it does not need`);
    if (key && endpoint && !isBoundTo(key, endpoint.name))
      wrong.push(`${lease.id} got ${key.name} at ${endpoint.name}`);
    for (const member of [endpoint, key])
      if (member && got.some(({ id }) => id === member.id) && !(member.enabled && member.weight > 0))
        wrong.push(`${lease.id} got ${member.name}, which is off`);
    const waiter = before.queue.find((other) => other.id === lease.id);
    const left = effects.some((effect) => effect.type === 'moved' && effect.lease === lease);
    if (waiter && !left && got.some(({ id }) => waiter.exclude.has(id)))
      wrong.push(`${lease.id} got what failed`);
  }
  return wrong;
}

function specOf<S extends EndpointSpec | KeySpec>(
  specs: readonly S[],
  id: string | undefined,
): S | undefined {
  return specs.find((spec) => spec.id === id);
}
