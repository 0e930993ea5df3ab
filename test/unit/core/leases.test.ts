import { describe, expect, it } from 'vitest';
import { endDeadlocks } from '../../../src/core/pool.ts';
import { endpoint, key, poolSpec, refusalOf, World } from './world.ts';

const exclusive = { maxConcurrent: 1 };

describe('leases', () => {
  it('never give an exclusive key to two holders, and serve waiters in order', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    for (const lease of ['a', 'b', 'c', 'd']) world.acquireLease(lease);
    expect(['a', 'b', 'c', 'd'].map((lease) => world.on(lease))).toEqual(['one', 'two', null, null]);
    world.releaseLease('b');
    expect(['c', 'd'].map((lease) => world.on(lease))).toEqual(['two', null]);
    world.drop('a');
    expect(world.on('d')).toBe('one');
  });

  it('are granted once, however often they are asked for, and to their own link only', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    world.acquireLease('a');
    world.acquireLease('a');
    world.acquireLease('a', { to: { client: 'a stranger', ask: 1 } });
    expect(world.effects.map((effect) => effect.type)).toEqual(['granted', 'granted', 'stay']);
    world.acquireLease('b');
    expect([world.on('a'), world.on('b')]).toEqual(['one', 'two']);
  });

  it('skip a waiter whose need nothing fits, and serve those behind it', () => {
    const spec = poolSpec({
      keys: [key('admin', { ...exclusive, labels: { role: 'admin' } }), key('viewer', exclusive)],
    });
    const world = new World(spec);
    world.acquireLease('first', { need: { role: 'admin' } });
    world.acquireLease('second', { need: { role: 'admin' } });
    world.acquireLease('third');
    expect(['first', 'second', 'third'].map((lease) => world.on(lease))).toEqual(['admin', null, 'viewer']);
  });

  it('pair a key only with the endpoints that it is bound to', () => {
    const spec = poolSpec({
      endpoints: [endpoint('eu'), endpoint('us')],
      keys: [key('us-only', { endpoints: ['us'] })],
    });
    const world = new World(spec);
    world.acquireLease('a');
    expect(world.on('a')).toBe('us/us-only');
  });

  it('stay at the endpoint that they must have, with a key that works there, also when they move', () => {
    const spec = poolSpec({
      endpoints: [endpoint('eu'), endpoint('us'), endpoint('apac')],
      keys: [key('any'), key('other'), key('eu-only', { endpoints: ['eu'] })],
    });
    const world = new World(spec);
    for (const lease of ['a', 'b', 'c', 'd']) world.acquireLease(lease, { onlyEndpoint: 'us' });
    const at = ['a', 'b', 'c', 'd'].map((lease) => world.on(lease));
    expect(at).toEqual(['us/any', 'us/other', 'us/any', 'us/other']);
    world.moveLease('a', ['any#k']);
    expect(world.on('a')).toBe('us/other');
    world.acquireLease('e', { onlyEndpoint: 'nowhere' });
    expect(refusalOf(world.effects)).toMatchObject({
      timedOut: false,
      reasons: [{ name: 'nowhere', why: 'the configuration in force has no such endpoint' }],
    });
  });

  it('leave out what is disabled or drained', () => {
    const world = new World(
      poolSpec({
        endpoints: [endpoint('off', { enabled: false }), endpoint('drained', { weight: 0 }), endpoint('on')],
      }),
    );
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    expect(['a', 'b', 'c'].map((lease) => world.on(lease))).toEqual(['on', 'on', 'on']);
  });

  it('spread by weight', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('small'), endpoint('large', { weight: 3 })] }));
    for (let lease = 0; lease < 40; lease++) world.acquireLease(`${lease}`);
    const large = Array.from({ length: 40 }, (_, lease) => world.on(`${lease}`)).filter(
      (name) => name === 'large',
    );
    expect(large).toHaveLength(30);
  });

  it('are refused after the wait, with the reason of each member', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive)] }));
    world.acquireLease('a', { holder: 'orders › creates' });
    world.acquireLease('b', { timeoutMs: 5_000 });
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
    world.acquireLease('a');
    world.request('a', { kind: 'auth', status: 401 });
    world.acquireLease('b');
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: false, waitedMs: 0 });
  });

  it('of a rerun avoid what the test failed on, for two seconds at most', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    world.acquireLease('first', { testId: 'test' });
    world.releaseLease('first', true);
    world.acquireLease('other');
    world.acquireLease('holder');
    expect([world.on('other'), world.on('holder')]).toEqual(['two', 'one']);
    world.releaseLease('holder');
    world.acquireLease('rerun', { testId: 'test' });
    expect(world.on('rerun')).toBeNull();
    world.pass(1_900);
    expect(world.on('rerun')).toBeNull();
    world.pass(200);
    expect(world.on('rerun')).toBe('one');
  });
});

describe('tests that take several leases', () => {
  const replyTo = (world: World, lease: string, client: string): void =>
    world.acquireLease(lease, { to: { client, ask: 1 } });
  const end = (world: World): string[] =>
    endDeadlocks([world.pool], world.context).map((effect) =>
      effect.type === 'refused' ? effect.to.client : effect.type,
    );

  it('and wait for each other in a circle are told at once: who asked last is refused', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    replyTo(world, 'a1', 'a');
    replyTo(world, 'b1', 'b');
    replyTo(world, 'a2', 'a');
    expect(end(world)).toEqual([]);
    world.now += 10;
    replyTo(world, 'b2', 'b');
    expect(end(world)).toEqual(['b']);
    expect(end(world)).toEqual([]);
    world.releaseLease('b1');
    expect(world.on('a2')).toBe('two');
  });

  it('wait on where one holder goes on', () => {
    const keys = [key('one', exclusive), key('two', exclusive), key('three', exclusive)];
    const world = new World(poolSpec({ keys }));
    for (const client of ['a', 'b', 'c']) replyTo(world, `${client}1`, client);
    for (const client of ['a', 'b']) replyTo(world, `${client}2`, client);
    expect(end(world)).toEqual([]);
  });
});

describe('a rerun', () => {
  it('does not wait where its test failed on all there is', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('only')], keys: [key('one'), key('two')] }));
    world.acquireLease('first', { testId: 'test' });
    world.releaseLease('first', true);
    world.acquireLease('rerun', { testId: 'test' });
    expect(world.on('rerun')).toBe('only/two');
    world.releaseLease('rerun', true);
    world.acquireLease('again', { testId: 'test' });
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
    world.acquireLease('a');
    expect(world.on('a')).toBe('eu/one');
    world.request('a', { kind: 'network', unsent: true });
    world.moveLease('a', ['eu#e']);
    expect(world.on('a')).toBe('us/one');
  });

  it('waits for another key where its own never worked, and gives that back meanwhile', () => {
    const world = new World(poolSpec({ keys: [key('one', exclusive), key('two', exclusive)] }));
    world.acquireLease('a');
    world.acquireLease('b');
    world.request('a', { kind: 'auth', status: 401 });
    world.moveLease('a', ['one#k'], 'auth', false);
    expect(world.on('a')).toBeNull();
    world.releaseLease('b');
    expect(world.on('a')).toBe('two');
  });

  it('stays where nothing else fits', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    world.acquireLease('a');
    expect(world.moveLease('a', ['one#k'], 'auth', false)).toMatchObject([
      { type: 'stay', why: 'no other member fits' },
    ]);
    expect(world.on('a')).toBe('one');
  });

  it('stays where the retry budget is used up', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu'), endpoint('us')] }));
    world.acquireLease('a');
    const answers = Array.from({ length: 5 }, (_, requestPermit) => {
      world.request('a', { kind: 'server', status: 503, call: `c${requestPermit}` });
      return world.moveLease('a', [world.pool.leases.get('a')!.endpoint!.id], 'server', false)[0]!.type;
    });
    expect(answers).toEqual(['granted', 'granted', 'granted', 'stay', 'stay']);
  });

  it.each(['rate-limit', 'exhausted'] as const)(
    'draws on no budget where the key has met a limit: %s',
    (kind) => {
      const keys = Array.from({ length: 6 }, (_, index) => key(`k${index}`));
      const world = new World(poolSpec({ keys }));
      world.acquireLease('a');
      const answers = Array.from({ length: 5 }, (_, call) => {
        world.request('a', { kind, status: 429, retryAfterMs: 60_000, call: `c${call}` });
        return world.moveLease('a', [world.pool.leases.get('a')!.key!.id], kind, false)[0]!.type;
      });
      expect(answers).toEqual(Array(5).fill('granted'));
      expect(world.pool.budget.retries).toBe(0);
    },
  );
});

describe('turns', () => {
  it('let one attempt at a time find out whether an unproven member works', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    expect(world.requestPermit('a')).toHaveLength(1);
    expect(world.requestPermit('b')).toHaveLength(0);
    expect(world.requestPermit('c')).toHaveLength(0);
    const freed = world.request('a', { kind: 'ok', status: 200 });
    expect(freed.map((effect) => effect.type)).toEqual(['permit', 'permit']);
  });

  it('move on to another member when that attempt shows that nothing answers', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu'), endpoint('us')] }));
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    expect([world.on('a'), world.on('c')]).toEqual(['eu', 'eu']);
    world.requestPermit('a');
    world.requestPermit('c');
    world.request('a', { kind: 'network', unsent: true });
    expect([world.state('eu'), world.on('c')]).toEqual(['ejected', 'us']);
  });

  it('do not go to and fro between two members of which neither has worked', () => {
    const world = new World(poolSpec({ keys: [key('one'), key('two')] }));
    for (const lease of ['a', 'b', 'c', 'd']) world.acquireLease(lease);
    for (const lease of ['a', 'b']) world.requestPermit(lease);
    for (const lease of ['c', 'd']) expect(world.requestPermit(lease)).toEqual([]);
    for (const lease of ['a', 'b']) world.request(lease, { kind: 'auth', status: 401 });
    world.pass(4_000);
    expect(world.effects.filter((effect) => effect.type === 'permit')).toHaveLength(4);
  });

  it('do not wait for ever for an attempt that hangs', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
    world.acquireLease('a');
    world.acquireLease('b');
    world.requestPermit('a');
    world.requestPermit('b');
    const before = world.effects.length;
    world.pass(3_100);
    expect(world.effects.slice(before)).toMatchObject([{ type: 'permit', delayMs: 0 }]);
  });

  it('are paced by rpm over all leases, without a burst beyond the limit', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 300 })] }));
    for (let lease = 0; lease < 12; lease++) world.acquireLease(`${lease}`);
    const start = world.now;
    const permitQueue: number[] = [];
    const note = (): void => {
      const count = world.effects.filter((effect) => effect.type === 'permit').length;
      while (permitQueue.length < count) permitQueue.push(world.now - start);
    };
    world.requestPermit('0');
    note();
    world.request('0', { kind: 'ok', status: 200 });
    for (let lease = 1; lease < 12; lease++) world.requestPermit(`${lease}`);
    for (let step = 0; step < 50; step++) {
      note();
      world.pass(50);
    }
    expect(permitQueue).toEqual([0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000, 2000, 2000]);
  });

  it('wait out a pause of their key, where the lease cannot move, and then go at its pace', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 60 })] }));
    world.acquireLease('a');
    world.acquireLease('b');
    world.requestPermit('a');
    world.request('a', { kind: 'ok', status: 200 });
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 2_000 });
    expect([world.requestPermit('a', false), world.requestPermit('b', false)]).toEqual([[], []]);
    const permitQueue = (): number => world.effects.filter((effect) => effect.type === 'permit').length;
    world.pass(1_999);
    expect(permitQueue()).toBe(1);
    world.pass(2);
    expect(permitQueue()).toBe(2);
    world.pass(990);
    expect(permitQueue()).toBe(2);
    world.pass(20);
    expect(permitQueue()).toBe(3);
  });
});
