import { describe, expect, it } from 'vitest';
import { endDeadlocks } from '../../../src/core/pool.ts';
import { endpoint, key, poolSpec, refusalOf, World } from './world.ts';

const exclusive = { maxConcurrent: 1 };

describe('leases', () => {
  it('never give an exclusive key to two holders, and serve waiters in order', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    for (const lease of ['a', 'b', 'c', 'd']) world.acquire(lease);
    expect(['a', 'b', 'c', 'd'].map((lease) => world.on(lease))).toEqual(['one', 'two', null, null]);
    world.release('b');
    expect(['c', 'd'].map((lease) => world.on(lease))).toEqual(['two', null]);
    world.drop('a');
    expect(world.on('d')).toBe('one');
  });

  it('are granted once, however often they are asked for, and to their own link only', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    world.acquire('a');
    world.acquire('a');
    world.acquire('a', { to: { link: 'a stranger', ask: 1 } });
    expect(world.effects.map((effect) => effect.type)).toEqual(['granted', 'granted', 'stay']);
    world.acquire('b');
    expect([world.on('a'), world.on('b')]).toEqual(['one', 'two']);
  });

  it('skip a waiter whose need nothing fits, and serve those behind it', () => {
    const spec = poolSpec({
      keys: [key('admin', { ...exclusive, labels: { role: 'admin' } }), key('viewer', exclusive)],
    });
    const world = new World(spec);
    world.acquire('first', { need: { role: 'admin' } });
    world.acquire('second', { need: { role: 'admin' } });
    world.acquire('third');
    expect(['first', 'second', 'third'].map((lease) => world.on(lease))).toEqual(['admin', null, 'viewer']);
  });

  it('pair a key only with the endpoints that it is bound to', () => {
    const spec = poolSpec({
      endpoints: [endpoint('eu'), endpoint('us')],
      keys: [key('us-only', { endpoints: ['us'] })],
    });
    const world = new World(spec);
    world.acquire('a');
    expect(world.on('a')).toBe('us/us-only');
  });

  it('leave out what is disabled or drained', () => {
    const world = new World(
      poolSpec({
        endpoints: [endpoint('off', { enabled: false }), endpoint('drained', { weight: 0 }), endpoint('on')],
      }),
    );
    for (const lease of ['a', 'b', 'c']) world.acquire(lease);
    expect(['a', 'b', 'c'].map((lease) => world.on(lease))).toEqual(['on', 'on', 'on']);
  });

  it('spread by weight', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('small'), endpoint('large', { weight: 3 })] }));
    for (let lease = 0; lease < 40; lease++) world.acquire(`${lease}`);
    const large = Array.from({ length: 40 }, (_, lease) => world.on(`${lease}`)).filter(
      (name) => name === 'large',
    );
    expect(large).toHaveLength(30);
  });

  it('are refused after the wait, with the reason of each member', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive)] }));
    world.acquire('a', { holder: 'orders › creates' });
    world.acquire('b', { timeoutMs: 5_000 });
    world.pass(4_999);
    expect(refusalOf(world.effects)).toBeUndefined();
    world.pass(2);
    expect(refusalOf(world.effects)).toMatchObject({
      timedOut: true,
      reasons: [{ name: 'one', why: 'held by "orders › creates"' }],
    });
  });

  it('are refused at once where no wait can help', () => {
    const world = new World(poolSpec({ protocol: 'openai', keys: [key('one')] }));
    world.acquire('a');
    world.attempt('a', { kind: 'auth', status: 401 });
    world.acquire('b');
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: false, waitedMs: 0 });
  });

  it('of a rerun avoid what the test failed on, for two seconds at most', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    world.acquire('first', { testId: 'test' });
    world.release('first', true);
    world.acquire('other');
    world.acquire('holder');
    expect([world.on('other'), world.on('holder')]).toEqual(['two', 'one']);
    world.release('holder');
    world.acquire('rerun', { testId: 'test' });
    expect(world.on('rerun')).toBeNull();
    world.pass(1_900);
    expect(world.on('rerun')).toBeNull();
    world.pass(200);
    expect(world.on('rerun')).toBe('one');
  });
});

describe('tests that take several leases', () => {
  const asks = (world: World, lease: string, link: string): void =>
    world.acquire(lease, { to: { link, ask: 1 } });
  const end = (world: World): string[] =>
    endDeadlocks([world.pool], world.context).map((effect) =>
      effect.type === 'refused' ? effect.to.link : effect.type,
    );

  it('and wait for each other in a circle are told at once: who asked last is refused', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    asks(world, 'a1', 'a');
    asks(world, 'b1', 'b');
    asks(world, 'a2', 'a');
    expect(end(world)).toEqual([]);
    world.now += 10;
    asks(world, 'b2', 'b');
    expect(end(world)).toEqual(['b']);
    expect(end(world)).toEqual([]);
    world.release('b1');
    expect(world.on('a2')).toBe('two');
  });

  it('wait on where one holder goes on', () => {
    const keys = [key('one', exclusive), key('two', exclusive), key('three', exclusive)];
    const world = new World(poolSpec({ keys }));
    for (const link of ['a', 'b', 'c']) asks(world, `${link}1`, link);
    for (const link of ['a', 'b']) asks(world, `${link}2`, link);
    expect(end(world)).toEqual([]);
  });
});

describe('a rerun', () => {
  it('does not wait where its test failed on all there is', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('only')], keys: [key('one'), key('two')] }));
    world.acquire('first', { testId: 'test' });
    world.release('first', true);
    world.acquire('rerun', { testId: 'test' });
    expect(world.on('rerun')).toBe('only/two');
    world.release('rerun', true);
    world.acquire('again', { testId: 'test' });
    expect(world.on('again')).not.toBeNull();
  });
});

describe('moving', () => {
  it('keeps the key where only the endpoint failed', () => {
    const spec = poolSpec({
      endpoints: [endpoint('eu'), endpoint('us')],
      keys: [key('one', exclusive), key('two')],
    });
    const world = new World(spec);
    world.acquire('a');
    expect(world.on('a')).toBe('eu/one');
    world.attempt('a', { kind: 'network', unsent: true });
    world.move('a', ['eu#e']);
    expect(world.on('a')).toBe('us/one');
  });

  it('waits for another key where its own never worked, and gives that back meanwhile', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    world.acquire('a');
    world.acquire('b');
    world.attempt('a', { kind: 'auth', status: 401 });
    world.move('a', ['one#k'], 'auth', false);
    expect(world.on('a')).toBeNull();
    world.release('b');
    expect(world.on('a')).toBe('two');
  });

  it('stays where nothing else fits', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    world.acquire('a');
    expect(world.move('a', ['one#k'], 'auth', false)).toMatchObject([
      { type: 'stay', why: 'no other member fits' },
    ]);
    expect(world.on('a')).toBe('one');
  });

  it('stays where the retry budget is used up', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu'), endpoint('us')] }));
    world.acquire('a');
    const answers = Array.from({ length: 5 }, (_, turn) => {
      world.attempt('a', { kind: 'server', status: 503, call: `c${turn}` });
      return world.move('a', [world.pool.leases.get('a')!.endpoint!.id], 'server', false)[0]!.type;
    });
    expect(answers).toEqual(['granted', 'granted', 'granted', 'stay', 'stay']);
  });
});

describe('turns', () => {
  it('let one attempt at a time find out whether an unproven member works', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
    for (const lease of ['a', 'b', 'c']) world.acquire(lease);
    expect(world.turn('a')).toHaveLength(1);
    expect(world.turn('b')).toHaveLength(0);
    expect(world.turn('c')).toHaveLength(0);
    const freed = world.attempt('a', { kind: 'ok', status: 200 });
    expect(freed.map((effect) => effect.type)).toEqual(['turn', 'turn']);
  });

  it('move on to another member when that attempt shows that nothing answers', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu'), endpoint('us')] }));
    for (const lease of ['a', 'b', 'c']) world.acquire(lease);
    expect([world.on('a'), world.on('c')]).toEqual(['eu', 'eu']);
    world.turn('a');
    world.turn('c');
    world.attempt('a', { kind: 'network', unsent: true });
    expect([world.state('eu'), world.on('c')]).toEqual(['ejected', 'us']);
  });

  it('do not go to and fro between two members of which neither has worked', () => {
    const world = new World(poolSpec({ keys: [key('one'), key('two')] }));
    for (const lease of ['a', 'b', 'c', 'd']) world.acquire(lease);
    for (const lease of ['a', 'b']) world.turn(lease);
    for (const lease of ['c', 'd']) expect(world.turn(lease)).toEqual([]);
    for (const lease of ['a', 'b']) world.attempt(lease, { kind: 'auth', status: 401 });
    world.pass(4_000);
    expect(world.effects.filter((effect) => effect.type === 'turn')).toHaveLength(4);
  });

  it('do not wait for ever for an attempt that hangs', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
    world.acquire('a');
    world.acquire('b');
    world.turn('a');
    world.turn('b');
    const before = world.effects.length;
    world.pass(3_100);
    expect(world.effects.slice(before)).toMatchObject([{ type: 'turn', delayMs: 0 }]);
  });

  it('are paced by rpm over all leases, without a burst beyond the limit', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 300 })] }));
    for (let lease = 0; lease < 12; lease++) world.acquire(`${lease}`);
    const start = world.now;
    const turns: number[] = [];
    const note = (): void => {
      const count = world.effects.filter((effect) => effect.type === 'turn').length;
      while (turns.length < count) turns.push(world.now - start);
    };
    world.turn('0');
    note();
    world.attempt('0', { kind: 'ok', status: 200 });
    for (let lease = 1; lease < 12; lease++) world.turn(`${lease}`);
    for (let step = 0; step < 50; step++) {
      note();
      world.pass(50);
    }
    expect(turns).toEqual([0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000, 2000, 2000]);
  });

  it('wait out a pause of their key, where the lease cannot move, and then go at its pace', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 60 })] }));
    world.acquire('a');
    world.acquire('b');
    world.turn('a');
    world.attempt('a', { kind: 'ok', status: 200 });
    world.attempt('a', { kind: 'rate-limit', status: 429, retryAfterMs: 2_000 });
    expect([world.turn('a', false), world.turn('b', false)]).toEqual([[], []]);
    const turns = (): number => world.effects.filter((effect) => effect.type === 'turn').length;
    world.pass(1_999);
    expect(turns()).toBe(1);
    world.pass(2);
    expect(turns()).toBe(2);
    world.pass(990);
    expect(turns()).toBe(2);
    world.pass(20);
    expect(turns()).toBe(3);
  });
});
