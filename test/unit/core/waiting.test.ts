import { describe, expect, it } from 'vitest';
import { administer } from '../../../src/core/admin.ts';
import { endDeadlocks } from '../../../src/core/pool.ts';
import type { KeySpec } from '../../../src/core/types.ts';
import { endpoint, key, poolSpec, refusalOf, World } from './world.ts';

const exclusive = { maxConcurrent: 1 };

describe('tests that wait for each other', () => {
  const refused = (world: World): string[] =>
    endDeadlocks([world.pool], world.context).flatMap((effect) =>
      effect.type === 'refused' ? effect.to.client : [],
    );
  /** Two tests that each hold one key and want another. */
  const inCircle = (...others: KeySpec[]): World => {
    const keys = [key('one', exclusive), key('two', exclusive), ...others];
    const world = new World(poolSpec({ endpoints: [endpoint('eu')], keys }));
    for (const lease of ['a1', 'b1', 'a2', 'b2']) {
      world.now += 10;
      world.acquireLease(lease, { to: { client: lease.slice(0, 1), ask: 1 } });
    }
    return world;
  };

  it('are found though the pool has keys that no wait makes free', () => {
    expect(refused(inCircle(key('off', { enabled: false }), key('drained', { weight: 0 })))).toEqual(['b']);
  });

  it('are found though a free key does not work at any endpoint of theirs', () => {
    expect(refused(inCircle(key('bound', { endpoints: ['us'] })))).toEqual(['b']);
  });

  it('are told by the one that can give back what it holds, whoever asked last', () => {
    const world = inCircle();
    for (const waiter of world.pool.queue) Object.assign(waiter, { canYield: waiter.client === 'a' });
    expect(refused(world)).toEqual(['a']);
    world.releaseLease('a1');
    expect(world.on('b2')).toBe('eu/one');
  });

  it('are told apart from one that wants more than there is', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive)] }));
    for (const lease of ['a1', 'a2']) world.acquireLease(lease, { to: { client: 'a', ask: 1 } });
    expect(endDeadlocks([world.pool], world.context)).toMatchObject([{ type: 'refused', deadlock: 'own' }]);
    expect(endDeadlocks([inCircle().pool], world.context)).toMatchObject([{ deadlock: 'circle' }]);
  });

  it('are not taken for waiting where a key comes back in time', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive), key('three')] }));
    world.acquireLease('c');
    world.acquireLease('d');
    world.acquireLease('e');
    world.request('e', { kind: 'exhausted', status: 429, retryAfterMs: 20_000 });
    for (const lease of ['c', 'd'])
      world.acquireLease(`${lease}2`, { to: { client: `link-${lease}`, ask: 1 } });
    expect(refused(world)).toEqual([]);
  });
});

describe('a key that was refused and never worked', () => {
  /** Its only call so far was refused; the other key is held by `b`. */
  const suspected = (other: Partial<KeySpec>): World => {
    const world = new World(
      poolSpec({ endpoints: [endpoint('eu')], keys: [key('suspect'), key('other', other)] }),
    );
    world.acquireLease('a', { exclude: ['other#k'] });
    world.acquireLease('b', { exclude: ['suspect#k'] });
    world.request('a', { kind: 'auth', status: 401 });
    world.releaseLease('a');
    return world;
  };

  it('waits for its chance as long as another is to be had in time', () => {
    const world = suspected(exclusive);
    world.acquireLease('c');
    expect(world.on('c')).toBeNull();
    world.releaseLease('b');
    expect(world.on('c')).toBe('eu/other');
  });

  it('is used at once where the other comes back too late', () => {
    const world = suspected(exclusive);
    world.acquireLease('c', { timeoutMs: 5_000 });
    world.request('b', { kind: 'exhausted', status: 429, retryAfterMs: 60_000 });
    expect(world.on('c')).toBe('eu/suspect');
  });

  it('is used at once where the other does not work at any endpoint', () => {
    const world = suspected({ endpoints: ['us'] });
    world.acquireLease('c');
    expect(world.on('c')).toBe('eu/suspect');
  });
});

describe('a wait', () => {
  it('is refused at once where the model rests for longer, though the key is back before', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    world.acquireLease('a', { need: { model: 'm' } });
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 90_000 });
    world.request('a', { kind: 'exhausted', status: 429, retryAfterMs: 40 });
    world.acquireLease('b', { need: { model: 'm' }, timeoutMs: 3_000 });
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: false });
  });
});

describe('a call that takes its lease to another member', () => {
  it('has the lease told of it, though it still has to wait there', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 30 }), key('two', { rpm: 30 })] }));
    for (const lease of ['a', 'b']) {
      world.acquireLease(lease);
      world.requestPermit(lease);
      world.request(lease, { kind: 'ok', status: 200 });
    }
    const told = world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 30_000 });
    expect(told.map(({ type }) => type)).toEqual(['changed']);
    expect(world.requestPermit('a')).toMatchObject([{ type: 'moved', lease: { id: 'a' } }]);
    expect(world.on('a')).toBe('two');
  });
});

describe('a reset', () => {
  const reset = (world: World, name: string): unknown =>
    administer(world.pool, world.spec, 'reset', name, world.context);

  it('forgets no call that went: the next one still keeps to the pace', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 30 })] }));
    world.acquireLease('a');
    world.requestPermit('a');
    world.request('a', { kind: 'ok', status: 200 });
    reset(world, 'one');
    expect(world.requestPermit('a')).toEqual([]);
    world.pass(2_100);
    expect(world.effects.filter(({ type }) => type === 'permit')).toHaveLength(2);
  });

  it('that cuts an ejection short does not make the next one longer', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu'), endpoint('us')] }));
    const eject = (): number => {
      world.acquireLease('a', { exclude: ['us#e'] });
      world.request('a', { kind: 'network', unsent: true });
      world.releaseLease('a');
      const { health } = world.pool.members.get('endpoint:eu#e')!;
      return 'until' in health ? health.until - world.now : 0;
    };
    const lengths = [eject()];
    reset(world, 'eu');
    lengths.push(eject());
    expect(lengths).toEqual([15_000, 15_000]);
  });
});
