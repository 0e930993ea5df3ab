import { describe, expect, it } from 'vitest';
import { administer, statusOf } from '../../../src/core/admin.ts';
import { healthOf } from '../../../src/core/health/states.ts';
import { applyRemoteHealth } from '../../../src/core/leases/claims.ts';
import type { Effect } from '../../../src/core/state.ts';
import type { AdminAction, Reservation } from '../../../src/core/types.ts';
import { key, poolSpec, World } from './world.ts';

const TWO_HOURS: Reservation = { forMs: 7_200_000, reason: 'Ana debugs the checkout' };

function worldOf(...names: string[]): World {
  return new World(poolSpec({ keys: names.map((name) => key(name, { maxConcurrent: 1 })) }));
}

function act(world: World, action: AdminAction, name: string, reservation?: Reservation): string[] {
  const effects = administer(world.pool, world.spec, action, name, world.context, reservation) ?? [];
  world.effects.push(...effects);
  return changesOf(effects);
}

function changesOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) =>
    effect.type === 'changed' ? [`${effect.change.from} → ${effect.change.to}: ${effect.change.why}`] : [],
  );
}

function stateOf(world: World, name: string): string {
  return statusOf(world.pool, world.spec, world.context).members.find((member) => member.name === name)!
    .state;
}

describe('a reserved member', () => {
  it('is given to nobody, until its time is over', () => {
    const world = worldOf('one');
    expect(act(world, 'reserve', 'one', { ...TWO_HOURS, forMs: 30_000 })).toEqual([
      'healthy → reserved: Ana debugs the checkout',
    ]);
    world.acquireLease('a');
    expect(world.on('a')).toBeNull();
    world.pass(29_999);
    expect(stateOf(world, 'one')).toBe('reserved');
    world.pass(1);
    expect(world.on('a')).toBe('one');
    expect(changesOf(world.effects).at(-1)).toBe('reserved → healthy: its reservation is over');
  });

  it('refuses at once where it is the last for longer than a lease waits, with reason and end', () => {
    const world = worldOf('one');
    act(world, 'reserve', 'one', TWO_HOURS);
    world.acquireLease('a');
    const refused = world.effects.find(({ type }) => type === 'refused');
    const until = new Date(world.now + TWO_HOURS.forMs).toISOString();
    expect(refused).toMatchObject({
      timedOut: false,
      reasons: [{ name: 'one', why: `reserved until ${until}: Ana debugs the checkout`, cause: 'off' }],
    });
  });

  it('stays with the lease that holds it, and goes to no other afterwards', () => {
    const world = worldOf('one');
    world.acquireLease('a');
    act(world, 'reserve', 'one', { ...TWO_HOURS, forMs: 50_000 });
    expect(world.on('a')).toBe('one');
    world.acquireLease('b');
    world.releaseLease('a');
    expect(world.on('b')).toBeNull();
    expect(act(world, 'enable', 'one')).toEqual(['reserved → healthy: its reservation was ended by hand']);
    expect(world.on('b')).toBe('one');
  });

  it('can be reserved anew for another time', () => {
    const world = worldOf('one');
    act(world, 'reserve', 'one', TWO_HOURS);
    act(world, 'reserve', 'one', { forMs: 1_000, reason: 'only a moment' });
    const [member] = statusOf(world.pool, world.spec, world.context).members;
    expect(member).toMatchObject({ state: 'reserved', why: 'only a moment', until: world.now + 1_000 });
  });

  it('has the health afterwards that it would have without', () => {
    const world = worldOf('one', 'two');
    const member = world.pool;
    act(world, 'disable', 'two');
    world.acquireLease('a');
    world.request('a', { kind: 'exhausted', status: 402, retryAfterMs: 3_600_000 });
    expect(stateOf(world, 'one')).toBe('exhausted');
    act(world, 'reserve', 'one', { ...TWO_HOURS, forMs: 1_000 });
    world.pass(1_000);
    expect(stateOf(world, 'one')).toBe('exhausted');
    act(world, 'reserve', 'one', { ...TWO_HOURS, forMs: 1_000 });
    expect(act(world, 'reset', 'one')).toEqual([]);
    expect(stateOf(world, 'one')).toBe('reserved');
    world.pass(1_000);
    expect(stateOf(world, 'one')).toBe('healthy');
    expect(member.members.size).toBe(2);
  });

  it('is disabled where a person says so, which no reservation ends', () => {
    const world = worldOf('one');
    act(world, 'reserve', 'one', TWO_HOURS);
    act(world, 'disable', 'one');
    expect(act(world, 'reserve', 'one', TWO_HOURS)).toEqual([]);
    world.pass(TWO_HOURS.forMs + 1);
    expect(stateOf(world, 'one')).toBe('disabled');
  });

  it('is so on other machines, until another word of it comes', () => {
    const world = worldOf('one');
    world.acquireLease('a', { timeoutMs: 1 });
    world.releaseLease('a');
    const hear = (until: number, why = 'Ana'): string[] =>
      changesOf(applyRemoteHealth(world.pool, 'key:one#k', healthOf('reserved', until, why), world.context));
    expect(hear(world.now + 60_000)).toEqual(['healthy → reserved: Ana']);
    expect(hear(world.now + 60_400)).toEqual([]);
    expect(hear(world.now + 5_000)).toEqual(['reserved → reserved: Ana']);
    world.pass(5_000);
    expect(stateOf(world, 'one')).toBe('healthy');
    expect(hear(world.now - 1)).toEqual([]);
  });
});
