import { describe, expect, it } from 'vitest';
import type { FlatReport } from '../../harness/request-report.ts';
import { endpoint, key, poolSpec, refusalOf, World } from './world.ts';

const EU = 'eu#e';

function twoOfEach(): World {
  const world = new World(
    poolSpec({ endpoints: [endpoint('eu'), endpoint('us')], keys: [key('one'), key('two')], retryBudget: 1 }),
  );
  world.acquireLease('a');
  world.acquireLease('b');
  expect([world.on('a'), world.on('b')]).toEqual(['eu/one', 'us/two']);
  return world;
}

describe('an endpoint', () => {
  it('is ejected by the first refused connection', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'network', unsent: true });
    expect(world.state('eu')).toBe('ejected');
    expect(world.state('one')).toBe('healthy');
  });

  it('is ejected by soft faults in a row, which a success interrupts', () => {
    const world = twoOfEach();
    for (const kind of ['server', 'timeout', 'ok', 'network', 'server'] as const)
      world.request('a', { kind, status: 503 });
    expect(world.state('eu')).toBe('healthy');
    world.request('a', { kind: 'timeout' });
    expect(world.state('eu')).toBe('ejected');
  });

  it('is not ejected by soft faults where it is the last one that serves', () => {
    const world = twoOfEach();
    world.request('b', { kind: 'network', unsent: true });
    for (let fault = 0; fault < 10; fault++) world.request('a', { kind: 'server', status: 502 });
    expect([world.state('eu'), world.state('us')]).toEqual(['healthy', 'ejected']);
  });

  it('that is the only one is ejected by a refused connection and an unknown host, by nothing else', () => {
    const alone = (report: FlatReport): string => {
      const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
      world.acquireLease('a');
      for (let fault = 0; fault < 10; fault++) world.request('a', report);
      return world.state('eu');
    };
    expect(alone({ kind: 'network', unsent: true })).toBe('ejected');
    expect(alone({ kind: 'network', unsent: true, local: 'perhaps' })).toBe('ejected');
    expect(alone({ kind: 'network', unsent: true, local: 'yes' })).toBe('healthy');
    expect(alone({ kind: 'server', status: 503 })).toBe('healthy');
    expect(alone({ kind: 'timeout' })).toBe('healthy');
    expect(alone({ kind: 'network' })).toBe('healthy');
    expect(alone({ kind: 'rate-limit', status: 429, retryAfterMs: 3_600_000 })).toBe('healthy');
  });

  it('that is the only one and refuses connections is waited for by no lease, and held leases go on', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
    world.acquireLease('held');
    world.request('held', { kind: 'network', unsent: true, code: 'ECONNREFUSED' });
    world.acquireLease('next');
    expect(refusalOf(world.effects)).toMatchObject({
      timedOut: false,
      reasons: [{ name: 'eu', why: expect.stringContaining('it refuses connections (ECONNREFUSED)') }],
    });
    expect(world.requestPermit('held')).toMatchObject([{ type: 'permit' }]);
    world.request('held', { kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('healthy');
    world.acquireLease('later');
    expect(world.on('later')).toBe('eu');
  });

  it('that is the only one is tried by one lease once its time is over', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu')] }));
    world.acquireLease('a');
    world.request('a', { kind: 'network', unsent: true });
    world.pass(15_000);
    expect(world.state('eu')).toBe('half-open');
    world.acquireLease('trial');
    world.acquireLease('other');
    expect([world.on('trial'), world.on('other')]).toEqual(['eu', null]);
    world.request('trial', { kind: 'network', unsent: true });
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: false });
  });

  it('that answers on trial is back where no other one serves, whatever it answers', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'network', unsent: true });
    world.pass(10_000);
    world.request('b', { kind: 'network', unsent: true });
    world.pass(5_000);
    world.acquireLease('trial');
    expect([world.on('trial'), world.state('us')]).toEqual(['eu/one', 'ejected']);
    world.request('trial', { kind: 'server', status: 503 });
    expect(world.state('eu')).toBe('healthy');
  });

  it('that returns takes its share at once, and makes up for nothing', () => {
    const world = new World(poolSpec({ endpoints: ['eu', 'us', 'ap'].map((name) => endpoint(name)) }));
    const take = (count: number): Record<string, number> => {
      const taken: Record<string, number> = { eu: 0, us: 0, ap: 0 };
      for (let index = 0; index < count; index++) {
        const lease = `lease-${world.now}-${index}`;
        world.acquireLease(lease);
        taken[world.on(lease)!]!++;
        world.releaseLease(lease);
      }
      return taken;
    };
    world.acquireLease('first');
    const gone = world.on('first')!;
    world.request('first', { kind: 'network', unsent: true });
    expect(take(200)[gone]).toBe(0);
    world.request('first', { kind: 'ok', status: 200 });
    const after = take(90);
    expect(after).toEqual({ eu: 30, us: 30, ap: 30 });
  });

  it('is not blamed for an answer that every endpoint gives', () => {
    const world = twoOfEach();
    for (let round = 0; round < 10; round++) {
      world.request('a', { kind: 'server', status: 500, signature: 'GET /boom' });
      world.request('b', { kind: 'server', status: 500, signature: 'GET /boom' });
    }
    expect([world.state('eu'), world.state('us')]).toEqual(['healthy', 'healthy']);
  });

  it('gets back what was counted when the others turn out to fail alike', () => {
    const world = twoOfEach();
    for (let fault = 0; fault < 3; fault++)
      world.request('a', { kind: 'server', status: 500, signature: 'GET /boom' });
    expect(world.state('eu')).toBe('ejected');
    world.request('b', { kind: 'server', status: 500, signature: 'GET /boom' });
    expect(world.state('eu')).toBe('healthy');
  });

  it('stays out for twice as long each time, and comes back by one trial', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'network', unsent: true });
    world.releaseLease('a');
    world.pass(14_999);
    expect(world.state('eu')).toBe('ejected');
    world.pass(2);
    expect(world.state('eu')).toBe('half-open');
    world.acquireLease('trial');
    world.acquireLease('other');
    expect([world.on('trial'), world.on('other')]).toEqual([
      expect.stringContaining('eu/'),
      expect.stringContaining('us/'),
    ]);
    world.request('trial', { kind: 'server', status: 503 });
    expect(world.state('eu')).toBe('ejected');
    world.releaseLease('trial');
    world.pass(29_000);
    expect(world.state('eu')).toBe('ejected');
    world.pass(1_100);
    world.acquireLease('again');
    world.request('again', { kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('healthy');
  });

  it('is on trial again when the trial ended without an answer', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'network', unsent: true });
    world.releaseLease('a');
    world.pass(15_001);
    world.acquireLease('trial');
    world.drop('trial');
    world.acquireLease('next');
    expect(world.on('next')).toMatch(/^eu\//);
  });
});

describe('a key', () => {
  it('is quarantined when the same call passes with another key, and no timer brings it back', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'auth', status: 401, call: 'c', signature: 'GET /orders' });
    expect(world.state('one')).toBe('healthy');
    world.moveLease('a', ['one#k'], 'auth', false);
    expect(world.on('a')).toBe('eu/two');
    world.request('a', { kind: 'ok', status: 200, call: 'c', request: 2, signature: 'GET /orders' });
    expect(world.state('one')).toBe('quarantined');
    world.pass(100 * 86_400_000);
    expect(world.state('one')).toBe('quarantined');
  });

  it('is quarantined when two safe calls are refused that another key passed before, though no lease could move', () => {
    const world = twoOfEach();
    world.request('b', { kind: 'ok', status: 200, signature: 'GET /orders' });
    world.request('a', { kind: 'auth', status: 401, signature: 'GET /orders' });
    expect(world.state('one')).toBe('healthy');
    world.request('a', { kind: 'auth', status: 401, signature: 'GET /orders' });
    expect(world.state('one')).toBe('quarantined');
  });

  it.each([401, 403])('is not blamed for a %s that other keys get too', (status) => {
    const world = twoOfEach();
    for (let call = 0; call < 20; call++) {
      world.request('a', { kind: 'auth', status, call: `c${call}`, signature: 'GET /admin' });
      world.request('b', { kind: 'auth', status, call: `c${call}`, request: 2, signature: 'GET /admin' });
    }
    expect([world.state('one'), world.state('two')]).toEqual(['healthy', 'healthy']);
  });

  it('is not blamed for one 401 once it has worked, nor for a call with other auth', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'ok', status: 200 });
    world.request('a', { kind: 'auth', status: 401, call: 'c', signature: 's' });
    world.request('b', { kind: 'ok', status: 200, call: 'c', signature: 's' });
    for (let call = 0; call < 9; call++) world.request('a', { kind: 'auth', status: 401, auth: 'own' });
    expect(world.state('one')).toBe('healthy');
  });

  it('is not compared with a key of other labels', () => {
    const keys = [key('viewer', { labels: { role: 'viewer' } }), key('admin', { labels: { role: 'admin' } })];
    const world = new World(poolSpec({ endpoints: [endpoint('eu')], keys }));
    world.acquireLease('a');
    world.acquireLease('b');
    world.request('a', { kind: 'auth', status: 403, call: 'c', signature: 's' });
    world.request('b', { kind: 'ok', status: 200, call: 'c', request: 2, signature: 's' });
    expect([world.state('viewer'), world.state('admin')]).toEqual(['healthy', 'healthy']);
  });

  it('is quarantined at once where the protocol is a vendor’s', () => {
    const world = new World(poolSpec({ protocol: 'openai', keys: [key('one')] }));
    world.acquireLease('a');
    world.request('a', { kind: 'auth', status: 401 });
    expect(world.state('one')).toBe('quarantined');
  });

  it('pauses with all keys of its quota group for as long as the server asks, the later deadline winning', () => {
    const keys = [key('one', { quotaGroup: 'project' }), key('two', { quotaGroup: 'project' }), key('three')];
    const world = new World(poolSpec({ endpoints: [endpoint('eu')], keys }));
    world.acquireLease('a');
    world.acquireLease('b');
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 10_000 });
    world.request('b', { kind: 'rate-limit', status: 429, retryAfterMs: 1_000 });
    expect(['one', 'two'].map((name) => world.state(name))).toEqual(['cooling', 'cooling']);
    world.pass(9_000);
    expect(world.state('two')).toBe('cooling');
    world.pass(1_100);
    expect(['one', 'two'].map((name) => world.state(name))).toEqual(['healthy', 'healthy']);
  });

  it('pauses for one model only, where the calls name one', () => {
    const world = new World(poolSpec({ keys: [key('one'), key('two')] }));
    world.acquireLease('a', { need: { model: 'flash' } });
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 5_000 });
    world.acquireLease('pro', { need: { model: 'pro' } });
    for (const lease of ['b', 'c', 'd']) world.acquireLease(lease, { need: { model: 'flash' } });
    expect(['b', 'c', 'd'].map((lease) => world.on(lease))).toEqual(['two', 'two', 'two']);
    expect([world.state('one'), world.on('a')]).toEqual(['healthy', 'one']);
    world.pass(5_001);
    world.acquireLease('e', { need: { model: 'flash' } });
    expect(world.on('e')).toBe('one');
  });

  it('with a used-up quota is out for an hour, and its endpoint is not blamed', () => {
    const world = twoOfEach();
    world.request('a', { kind: 'exhausted', status: 402 });
    expect([world.state('one'), world.state('eu')]).toEqual(['exhausted', 'healthy']);
    world.pass(3_599_000);
    expect(world.state('one')).toBe('exhausted');
    world.pass(2_000);
    expect(world.state('one')).toBe('half-open');
  });

  it('stays quarantined whatever succeeds afterwards', () => {
    const world = new World(poolSpec({ protocol: 'openai', keys: [key('one'), key('two')] }));
    world.acquireLease('a');
    world.request('a', { kind: 'auth', status: 401 });
    world.request('a', { kind: 'ok', status: 200 });
    expect(world.state('one')).toBe('quarantined');
  });
});

describe('a caller', () => {
  it.each(['caller', 'ok'] as const)('that gets %s answers harms nobody', (kind) => {
    const world = twoOfEach();
    for (let call = 0; call < 50; call++) world.request('a', { kind, status: 404 });
    expect([world.state('eu'), world.state('one')]).toEqual(['healthy', 'healthy']);
    expect(world.pool.members.get(`endpoint:${EU}`)!.proven).toBe(true);
  });
});

describe('many keys that fail alike at one endpoint', () => {
  const six = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => key(name));

  /** Six leases, the keys in turn, all asked for one endpoint after the other. */
  function vendor(endpoints = [endpoint('eu'), endpoint('us')], keys = six): World {
    const world = new World(poolSpec({ protocol: 'openai', endpoints, keys }));
    for (const { name } of keys) world.acquireLease(name);
    return world;
  }

  function refuse(world: World, lease: string, where: string): void {
    world.request(lease, { kind: 'auth', status: 401, endpoint: `${where}#e`, key: `${lease}#k` });
  }

  it('are restored, and the endpoint is blamed', () => {
    const world = vendor();
    const states = (...names: string[]): string[] => names.map((name) => world.state(name));
    for (const name of ['one', 'two', 'three']) refuse(world, name, 'eu');
    expect(states('one', 'two', 'three', 'eu')).toEqual([...Array<string>(3).fill('quarantined'), 'healthy']);
    refuse(world, 'four', 'eu');
    expect(states('one', 'two', 'three', 'four', 'us')).toEqual(Array(5).fill('healthy'));
    expect(states('eu')).toEqual(['ejected']);
  });

  it('are restored where it is the only endpoint too, which goes on, and say so once', () => {
    const world = vendor([endpoint('eu')]);
    for (const name of ['one', 'two', 'three', 'four']) refuse(world, name, 'eu');
    const changes = world.effects.filter(({ type }) => type === 'changed').length;
    for (const { name } of six) refuse(world, name, 'eu');
    expect([...six.map(({ name }) => name), 'eu'].map((name) => world.state(name))).toEqual(
      Array(7).fill('healthy'),
    );
    expect(world.effects.filter(({ type }) => type === 'changed')).toHaveLength(changes);
  });

  it('stay quarantined where another key is accepted there, and where they are few or far apart', () => {
    const accepted = vendor();
    refuse(accepted, 'one', 'eu');
    refuse(accepted, 'two', 'eu');
    accepted.request('six', { kind: 'ok', status: 200, endpoint: 'eu#e', key: 'six#k' });
    refuse(accepted, 'three', 'eu');
    expect(['one', 'two', 'three', 'eu'].map((name) => accepted.state(name))).toEqual([
      'quarantined',
      'quarantined',
      'quarantined',
      'healthy',
    ]);
    const slow = vendor();
    for (const name of ['one', 'two', 'three', 'four']) {
      refuse(slow, name, 'eu');
      slow.pass(20_000);
    }
    expect(['one', 'two', 'three', 'eu'].map((name) => slow.state(name))).toEqual([
      'quarantined',
      'quarantined',
      'quarantined',
      'healthy',
    ]);
    const few = vendor([endpoint('eu'), endpoint('us')], six.slice(0, 2));
    for (const name of ['one', 'two']) refuse(few, name, 'eu');
    expect(['one', 'two'].map((name) => few.state(name))).toEqual(['quarantined', 'quarantined']);
  });

  it('are restored under plain HTTP where the other endpoint takes the same request', () => {
    const world = new World(poolSpec({ endpoints: [endpoint('eu'), endpoint('us')], keys: six.slice(0, 4) }));
    for (const { name } of six.slice(0, 4)) world.acquireLease(name);
    const facts = { signature: 'GET /orders' };
    world.request('four', { kind: 'ok', status: 200, endpoint: 'us#e', key: 'four#k', ...facts });
    for (const name of ['one', 'two', 'three'])
      world.request(name, { kind: 'auth', status: 401, endpoint: 'eu#e', key: `${name}#k`, ...facts });
    expect(['one', 'two', 'three', 'eu'].map((name) => world.state(name))).toEqual([
      'healthy',
      'healthy',
      'healthy',
      'ejected',
    ]);
  });

  it('cool the endpoint where all of them are throttled there at once', () => {
    const world = vendor(undefined, six.slice(0, 3));
    const throttle = (name: string): void => {
      const facts = { kind: 'rate-limit', status: 429, retryAfterMs: 8_000 } as const;
      world.request(name, { ...facts, endpoint: 'eu#e', key: `${name}#k` });
    };
    throttle('one');
    throttle('two');
    expect(['one', 'two', 'eu'].map((name) => world.state(name))).toEqual(['cooling', 'cooling', 'healthy']);
    throttle('three');
    expect(['one', 'two', 'three', 'eu'].map((name) => world.state(name))).toEqual([
      'healthy',
      'healthy',
      'healthy',
      'cooling',
    ]);
  });
});

describe('an exhausted quota', () => {
  it('is gone for all keys of its group', () => {
    const keys = [key('one', { quotaGroup: 'project' }), key('two', { quotaGroup: 'project' }), key('three')];
    const world = new World(poolSpec({ keys }));
    world.acquireLease('a');
    world.request('a', { kind: 'exhausted', status: 429, retryAfterMs: 7_200_000 });
    expect(['one', 'two', 'three'].map((name) => world.state(name))).toEqual([
      'exhausted',
      'exhausted',
      'healthy',
    ]);
    world.pass(7_199_000);
    expect(world.state('two')).toBe('exhausted');
  });

  it('of one model leaves the key to the others', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    world.acquireLease('a', { need: { model: 'pro' } });
    world.request('a', { kind: 'exhausted', status: 429, perModel: true });
    world.releaseLease('a');
    world.acquireLease('b', { need: { model: 'flash' } });
    expect([world.state('one'), world.on('b')]).toEqual(['healthy', 'one']);
    world.releaseLease('b');
    world.acquireLease('c', { need: { model: 'pro' } });
    expect(world.on('c')).toBeNull();
  });
});

describe('a machine without a network', () => {
  it('blames no endpoint', () => {
    const world = twoOfEach();
    const lost = { kind: 'network', unsent: true, local: 'perhaps' } as const;
    world.request('a', lost);
    expect(world.state('eu')).toBe('ejected');
    world.request('b', lost);
    expect([world.state('eu'), world.state('us')]).toEqual(['healthy', 'healthy']);
    const told = world.effects.flatMap((effect) => (effect.type === 'changed' ? [effect.change.why] : []));
    expect(told.at(-1)).toContain('this machine has no network');
  });

  it('is not one where another endpoint has answered meanwhile', () => {
    const world = twoOfEach();
    const lost = { kind: 'network', unsent: true, local: 'perhaps' } as const;
    world.request('a', lost);
    world.pass(1_000);
    world.request('b', { kind: 'ok', status: 200 });
    world.pass(90_000);
    world.request('b', lost);
    expect(world.state('us')).toBe('ejected');
  });

  it('and one without a free socket blame nobody at all', () => {
    const world = twoOfEach();
    for (let call = 0; call < 9; call++) world.request('a', { kind: 'network', unsent: true, local: 'yes' });
    expect(world.state('eu')).toBe('healthy');
  });
});

describe('a lease whose calls say their model', () => {
  it('leaves a key that rests for that model, and comes back to it for another', () => {
    const world = new World(poolSpec({ protocol: 'gemini', keys: [key('one'), key('two')] }));
    world.acquireLease('a');
    world.requestPermit('a', true, 'pro');
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 30_000, model: 'pro' });
    expect([world.on('a'), world.state('one')]).toEqual(['one', 'healthy']);
    world.requestPermit('a', true, 'flash');
    expect(world.on('a')).toBe('one');
    world.requestPermit('a', true, 'pro');
    expect(world.on('a')).toBe('two');
  });

  it('is blamed for the model of each call, also where two go at once', () => {
    const world = new World(poolSpec({ protocol: 'gemini', keys: [key('one')] }));
    world.acquireLease('a');
    world.requestPermit('a', true, 'pro');
    world.requestPermit('a', true, 'flash');
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 30_000, model: 'pro' });
    const { modelLimits } = world.pool.members.get('key:one#k')!;
    expect([modelLimits.get('pro')!.coolUntil, modelLimits.get('flash')?.coolUntil]).toEqual([
      world.now + 30_000,
      0,
    ]);
  });
});
