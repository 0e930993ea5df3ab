import { describe, expect, it } from 'vitest';
import { claimFailed, claimGranted, claimRefused } from '../../../src/core/leases/claims.ts';
import type { Effect } from '../../../src/core/state.ts';
import type { KeySpec } from '../../../src/core/types.ts';
import { key, poolSpec, refusalOf, World } from './world.ts';

const exclusive = { maxConcurrent: 1 };
const types = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type);

/** A pool whose limits hold over several machines. */
function sharedWorld(...keys: KeySpec[]): World {
  const world = new World(poolSpec({ keys }));
  world.pool.shared = true;
  return world;
}

/** Asks for a lease, and the store grants it. */
function take(world: World, lease: string): void {
  world.acquireLease(lease);
  claimGranted(world.pool, lease, world.context);
}

describe('a lease that moves while machines share a store', () => {
  /** `a` left `one` for `two`, which the store was asked for. */
  const moving = (): World => {
    const world = sharedWorld(key('one', exclusive), key('two', exclusive));
    take(world, 'a');
    const from = world.on('a')!;
    expect(types(world.moveLease('a', [`${from}#k`], 'exhausted', false))).toEqual(['unclaim', 'claim']);
    return world;
  };

  it('sends no call to a member before the store has granted it', () => {
    const world = moving();
    expect(world.requestPermit('a')).toEqual([]);
    expect(types(claimGranted(world.pool, 'a', world.context))).toEqual(['granted', 'permit']);
  });

  it('stays a lease where the store refuses: its calls wait for the next member', () => {
    const world = moving();
    world.requestPermit('a');
    expect(claimRefused(world.pool, 'a', ['api/key:two#k', 'api/key:one#k'], null, world.context)).toEqual(
      [],
    );
    expect(world.pool.leases.has('a')).toBe(true);
    world.pass(1_000);
    expect(types(world.effects)).toContain('claim');
    expect(types(claimGranted(world.pool, 'a', world.context))).toEqual(['granted', 'permit']);
  });

  it('answers everyone who asked, also when it is given back meanwhile', () => {
    const world = moving();
    world.acquireLease('a', { to: { client: 'link-a', ask: 90 } });
    expect(types(world.releaseLease('a'))).toEqual(['stay', 'stay']);
    expect(types(claimGranted(world.pool, 'a', world.context))).toEqual(['unclaim']);
  });

  it('gives up its claim where it goes to a member that needs none', () => {
    const world = sharedWorld(key('one', exclusive), key('open'));
    world.acquireLease('a', { exclude: ['open#k'] });
    claimGranted(world.pool, 'a', world.context);
    world.request('a', { kind: 'exhausted', status: 429 });
    expect(types(world.requestPermit('a'))).toEqual(['unclaim', 'moved', 'permit']);
  });
});

describe('while the shared store does not answer', () => {
  it('a wait ends at its time, and says why', () => {
    const world = sharedWorld(key('one', exclusive));
    world.acquireLease('a', { timeoutMs: 600 });
    for (let tries = 0; tries < 9; tries++) {
      claimFailed(world.pool, 'a', 'its memory is full (OOM)', world.context);
      world.pass(100);
    }
    expect(refusalOf(world.effects)).toMatchObject({
      timedOut: true,
      reasons: [{ name: 'the shared store', why: 'its memory is full (OOM)' }],
    });
  });

  it('those that wait keep their order', () => {
    const world = sharedWorld(key('one', exclusive));
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    claimFailed(world.pool, 'a', 'its memory is full (OOM)', world.context);
    expect(world.pool.queue.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });
});
