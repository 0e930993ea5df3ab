import { describe, expect, it } from 'vitest';
import { claimGranted } from '../../../src/core/leases/claims.ts';
import { acquireLease, releaseLease } from '../../../src/core/pool.ts';
import { type Effect } from '../../../src/core/state.ts';
import { updateSpec } from '../../../src/core/leases/update-spec.ts';
import type { PoolSpec } from '../../../src/core/types.ts';
import { key, poolSpec, refusalOf, World } from './world.ts';

const specOf = (revision: string, ...names: string[]): PoolSpec =>
  poolSpec({ revision, keys: names.map((name) => key(name, { maxConcurrent: 1 })) });

/** The edit is in force from now on; links tell their pools one by one. */
function edit(world: World, revision: string): void {
  world.pool.revision = revision;
}

function tell(world: World, lease: string, spec: PoolSpec | null): Effect[] {
  return updateSpec(world.pool, `link-${lease}`, spec, world.context);
}

function worldOf(...names: string[]): World {
  const world = new World(specOf('r1', ...names));
  edit(world, 'r1');
  return world;
}

describe('a revision in force', () => {
  it('grants nothing to a link that has not told its pools of it, and then at once', () => {
    const world = worldOf('one');
    world.acquireLease('a');
    edit(world, 'r2');
    world.releaseLease('a');
    world.acquireLease('b');
    expect(world.on('b')).toBeNull();
    tell(world, 'b', specOf('r2', 'two'));
    expect(world.on('b')).toBe('two');
  });

  it('lets who holds go on, and go over to its own members only', () => {
    const world = worldOf('one', 'two');
    world.acquireLease('a');
    const held = world.on('a');
    edit(world, 'r2');
    expect(world.moveLease('a', [`${held}#k`])).toMatchObject([{ type: 'stay' }]);
    tell(world, 'a', specOf('r2', 'three'));
    expect(world.on('a')).toBe(held);
    world.moveLease('a', [`${held}#k`]);
    expect(world.on('a')).toBe('three');
    expect(world.pool.leases.get('a')!.spec.revision).toBe('r2');
  });

  it('ends the wait for a pool that is gone, and says so', () => {
    const world = worldOf('one');
    world.acquireLease('a');
    world.acquireLease('b');
    edit(world, 'r2');
    const refusal = refusalOf(tell(world, 'b', null));
    expect(refusal?.reasons).toEqual([
      { name: 'api', why: 'the configuration in force has no such pool', cause: 'off' },
    ]);
  });

  it('still lets a wait run out', () => {
    const world = worldOf('one');
    world.acquireLease('a');
    world.acquireLease('b', { timeoutMs: 500 });
    edit(world, 'r2');
    world.pass(600);
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: true });
  });

  it('gives back what the shared store granted for an older one', () => {
    const world = worldOf('one');
    world.pool.shared = true;
    world.acquireLease('a');
    expect(world.effects).toMatchObject([{ type: 'claim' }]);
    edit(world, 'r2');
    expect(claimGranted(world.pool, 'a', world.context)).toEqual([{ type: 'unclaim', lease: 'a' }]);
    expect(tell(world, 'a', specOf('r2', 'two'))).toMatchObject([
      { type: 'claim', slots: [{ member: 'api/key:two#k' }] },
    ]);
    expect(claimGranted(world.pool, 'a', world.context)).toMatchObject([{ type: 'granted' }]);
  });

  it('keeps the health of a member that was renamed, and calls it by its new name', () => {
    const world = worldOf('one', 'two');
    world.acquireLease('a');
    const [name] = [world.on('a')!];
    world.request('a', { kind: 'exhausted', status: 402 });
    expect(world.state(name)).toBe('exhausted');
    edit(world, 'r2');
    const spec = specOf('r2', 'one', 'two');
    const renamed = {
      ...spec,
      keys: spec.keys.map((each) => ({ ...each, name: each.name === name ? 'new' : each.name })),
    };
    tell(world, 'a', renamed);
    world.acquireLease('b', { spec: renamed });
    expect(world.on('b')).not.toBe('new');
    expect(world.state('new')).toBe('exhausted');
  });

  it('forgets what a test failed on when it begins anew, not when it is run again', () => {
    const world = new World(poolSpec({ keys: [key('one'), key('two')] }));
    const { pool, spec, context } = world;
    const request = { to: { client: 'l', ask: 1 }, spec, need: {}, holder: 't', testId: 't', timeoutMs: 1 };
    acquireLease(pool, { ...request, lease: 'a', isFirst: true }, context);
    releaseLease(pool, 'a', true, context);
    acquireLease(pool, { ...request, lease: 'b', isFirst: false }, context);
    expect(pool.failedOn.get('t')?.size).toBe(1);
    acquireLease(pool, { ...request, lease: 'c', isFirst: true }, context);
    expect(pool.failedOn.has('t')).toBe(false);
  });
});
