import { describe, expect, it } from 'vitest';
import { reassignProbes } from '../../../src/core/health/probe-results.ts';
import type { EndpointSpec, KeySpec, PoolSpec } from '../../../src/core/types.ts';
import { endpoint, key, poolSpec, refusalOf, World } from './world.ts';

const DAY_MS = 86_400_000;

function checked(name: string, more: Partial<EndpointSpec> = {}): EndpointSpec {
  return endpoint(name, { probe: 'health', ...more });
}

/** A world where a link can send probes. */
function worldOf(endpoints: EndpointSpec[], keys: KeySpec[] = [], more: Partial<PoolSpec> = {}): World {
  const world = new World(poolSpec({ endpoints, keys, retryBudget: 1, ...more }));
  world.prober();
  return world;
}

/** Two replicas that were probed and lease, of which eu went down just now. */
function outage(): World {
  const world = worldOf([checked('eu'), checked('us')]);
  world.acquireLease('a');
  world.acquireLease('b');
  world.probed({ kind: 'ok', status: 200 });
  const down = world.on('a') === 'eu' ? 'a' : 'b';
  world.request(down, { kind: 'network', unsent: true });
  expect([world.state('eu'), world.state('us')]).toEqual(['ejected', 'healthy']);
  return world;
}

const whys = (world: World): string[] =>
  world.effects.flatMap((effect) =>
    effect.type === 'changed' ? [`${effect.change.from} → ${effect.change.to}: ${effect.change.why}`] : [],
  );

describe('before a lease', () => {
  it('each member is probed once, and the first that is known to work is leased', () => {
    const world = worldOf([checked('eu'), checked('us')], [key('one'), key('two')]);
    expect(world.probes).toEqual([]);
    world.acquireLease('a');
    expect(world.probes).toEqual(['eu/one', 'us/two']);
    expect(world.on('a')).toBeNull();
    world.probed({ kind: 'ok', status: 200 }, 'us');
    expect(world.on('a')).toBe('us/two');
    world.probed({ kind: 'ok', status: 200 });
    world.acquireLease('b');
    expect([world.on('b'), world.probes]).toEqual(['eu/one', []]);
  });

  it('an endpoint that was not seen for a minute is probed again, one that works is not', () => {
    const world = worldOf([checked('eu'), checked('us')]);
    world.acquireLease('a');
    world.probed({ kind: 'ok', status: 200 });
    world.pass(50_000);
    world.request('a', { kind: 'ok', status: 200 });
    world.pass(20_000);
    world.acquireLease('b');
    expect(world.probes).toEqual([world.on('a') === 'eu' ? 'us' : 'eu']);
    expect(world.on('b')).toBe(world.on('a'));
  });

  it('an endpoint whose probe fails is out, and no lease ever meets it', () => {
    const world = worldOf([checked('eu'), checked('us')]);
    world.acquireLease('a');
    world.probed({ kind: 'server', status: 503 }, 'eu');
    world.probed({ kind: 'ok', status: 200 }, 'us');
    expect([world.state('eu'), world.on('a')]).toEqual(['ejected', 'us']);
  });

  it('a key that its probe refuses where another key passes is out, and no lease ever meets it', () => {
    const world = worldOf([checked('eu')], [key('revoked'), key('good')]);
    world.acquireLease('a');
    world.probed({ kind: 'auth', status: 401 }, 'revoked');
    expect(world.state('revoked')).toBe('healthy');
    world.probed({ kind: 'ok', status: 200 }, 'good');
    expect([world.state('revoked'), world.on('a')]).toEqual(['quarantined', 'eu/good']);
  });

  it('a path that is forbidden to all keys blames none', () => {
    const world = worldOf([checked('eu')], [key('one'), key('two'), key('three')]);
    world.acquireLease('a');
    for (let round = 0; round < 9; round++) world.probed({ kind: 'auth', status: 403 });
    expect(['one', 'two', 'three'].map((name) => world.state(name))).toEqual(Array(3).fill('healthy'));
    expect([world.probes, world.on('a')]).toEqual([[], 'eu/one']);
  });

  it('the only endpoint is out when its probe fails, and the lease is refused at once with the reason', () => {
    for (const [result, why] of [
      [{ kind: 'network', unsent: true, code: 'ECONNREFUSED' }, 'it refuses connections (ECONNREFUSED)'],
      [{ kind: 'network', unsent: true, code: 'ENOTFOUND' }, 'its host is not found (ENOTFOUND)'],
      [{ kind: 'server', status: 503 }, 'it answered 503'],
      [{ kind: 'timeout' }, 'no answer in time'],
    ] as const) {
      const world = worldOf([checked('eu')], [key('one')]);
      world.acquireLease('a');
      world.probed(result);
      expect(world.state('eu')).toBe('ejected');
      const refused = refusalOf(world.effects);
      expect(refused).toMatchObject({ timedOut: false, reasons: [{ name: 'eu', cause: 'fault' }] });
      expect(refused?.reasons[0]?.why).toContain(`its probe failed: ${why}`);
    }
  });

  it('leases of the only endpoint are refused until a probe finds it back', () => {
    const world = worldOf([checked('eu')]);
    world.acquireLease('a');
    world.probed({ kind: 'network', unsent: true });
    world.pass(600);
    world.acquireLease('b', { timeoutMs: 60_000 });
    expect(world.on('b')).toBeNull();
    world.probed({ kind: 'ok', status: 200 });
    world.acquireLease('c');
    expect([world.state('eu'), world.on('c')]).toEqual(['healthy', 'eu']);
  });

  it('nothing is probed without a health path, nor where no link can', () => {
    const plain = worldOf([endpoint('eu')], [key('one')]);
    plain.acquireLease('a');
    expect([plain.probes, plain.on('a')]).toEqual([[], 'eu/one']);
    const alone = worldOf([checked('eu')], [key('one')]);
    alone.prober(false);
    alone.acquireLease('a');
    expect([alone.probes, alone.on('a')]).toEqual([[], 'eu/one']);
  });

  it('what nobody could find out is left to the lease', () => {
    const world = worldOf([checked('eu')]);
    world.acquireLease('a');
    world.pass(5_999);
    expect(world.on('a')).toBeNull();
    world.pass(20_000);
    expect(world.effects.filter((effect) => effect.type === 'probe')).toHaveLength(3);
    expect([world.on('a'), world.probes]).toEqual(['eu', []]);
  });
});

describe('an endpoint that is out', () => {
  it('is probed twice a second and then ever more rarely, and is back with the first probe that goes well', () => {
    const world = outage();
    const sent: number[] = [];
    for (const began = world.now; world.now - began < 5_000; world.pass(50)) {
      if (world.probes.length > 0) sent.push(world.now - began);
      world.probed({ kind: 'network', unsent: true });
    }
    expect(sent.length).toBeGreaterThan(4);
    expect(sent[0]).toBeLessThanOrEqual(550);
    expect(world.state('eu')).toBe('ejected');
    world.pass(1_600);
    world.probed({ kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('healthy');
    expect(whys(world).at(-1)).toBe('ejected → healthy: its probe went well (200)');
  });

  it('has one probe at a time, and no lease tries it meanwhile', () => {
    const world = outage();
    for (let step = 0; step < 150; step++) {
      world.probed({ kind: 'network', unsent: true });
      world.pass(100);
    }
    world.pass(100);
    expect([world.state('eu'), world.probes]).toEqual(['half-open', ['eu']]);
    for (const lease of ['c', 'd', 'e']) world.acquireLease(lease);
    expect(['c', 'd', 'e'].map((lease) => world.on(lease))).toEqual(['us', 'us', 'us']);
    world.probed({ kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('healthy');
  });

  it('is out for twice as long when its trial fails', () => {
    const world = outage();
    for (let step = 0; step < 40; step++) {
      world.pass(1_000);
      world.probed({ kind: 'timeout' });
    }
    expect(world.state('eu')).toBe('ejected');
    expect(whys(world)).toContainEqual('half-open → ejected: its probe failed: no answer in time');
  });

  it('by faults that its health path does not show comes back by one lease’s trial, not before its time', () => {
    const world = worldOf([checked('eu'), checked('us')]);
    world.acquireLease('a');
    world.acquireLease('b');
    world.probed({ kind: 'ok', status: 200 });
    const holder = world.on('a') === 'eu' ? 'a' : 'b';
    for (let fault = 0; fault < 3; fault++) world.request(holder, { kind: 'server', status: 500 });
    expect(world.state('eu')).toBe('ejected');
    for (let step = 0; step < 14; step++) {
      world.pass(1_000);
      world.probed({ kind: 'ok', status: 200 });
    }
    expect(world.state('eu')).toBe('ejected');
    world.pass(2_000);
    world.probed({ kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('half-open');
    world.acquireLease('trial');
    world.acquireLease('other');
    expect([world.on('trial'), world.on('other')]).toEqual(['eu', 'us']);
    world.request('trial', { kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('healthy');
  });

  it('goes to another link when the one that probes is gone', () => {
    const world = outage();
    world.pass(600);
    const [id] = world.pool.probes.keys();
    const effects = reassignProbes(world.pool, [id!], world.context);
    expect(effects).toMatchObject([{ type: 'probe', probe: { id, tries: 2 } }]);
    world.probed({ kind: 'ok', status: 200 });
    expect(world.state('eu')).toBe('healthy');
  });

  it('does not keep a lease waiting for longer than its time, however often it is probed', () => {
    const world = worldOf([checked('eu'), checked('us')], [], {
      ejection: { baseMs: 600_000, maxMs: 600_000 },
    });
    world.acquireLease('a');
    world.probed({ kind: 'network', unsent: true });
    world.pass(5_000);
    world.probed({ kind: 'network', unsent: true });
    world.acquireLease('b');
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: false });
  });
});

describe('a quarantined key', () => {
  const vendor = (): World => {
    const world = worldOf([endpoint('eu', { probe: 'protocol' })], [key('one'), key('two')], {
      protocol: 'openai',
    });
    world.acquireLease('a');
    expect(world.on('a')).toBe('eu/one');
    world.request('a', { kind: 'auth', status: 401 });
    expect(world.state('one')).toBe('quarantined');
    return world;
  };

  it('of a vendor is looked at after ten minutes, then ever more rarely, and returns by the probe alone', () => {
    const world = vendor();
    world.pass(599_000);
    expect(world.probes).toEqual([]);
    world.pass(2_000);
    expect(world.probes).toEqual(['eu/one']);
    world.probed({ kind: 'auth', status: 401, by: 'protocol' });
    world.pass(599_000);
    expect(world.probes).toEqual([]);
    world.pass(2_000);
    expect([world.probes, world.state('one')]).toEqual([['eu/one'], 'quarantined']);
    world.probed({ kind: 'ok', status: 200, by: 'protocol' });
    expect(world.state('one')).toBe('healthy');
  });

  it('is looked at when a run starts, and a lease waits for what comes of it', () => {
    const world = vendor();
    world.releaseLease('a');
    world.prober(false);
    world.pass(120_000);
    world.prober();
    expect(world.probes).toEqual(['eu/one']);
    world.acquireLease('b', { exclude: ['two#k'] });
    expect(refusalOf(world.effects)).toBeUndefined();
    world.probed({ kind: 'auth', status: 401, by: 'protocol' });
    expect(refusalOf(world.effects)).toMatchObject({ timedOut: false });
    world.prober(false);
    world.prober();
    expect(world.probes).toEqual([]);
  });

  it('stays out where its health path is open to everybody', () => {
    const world = worldOf([checked('eu')], [key('one'), key('two')]);
    world.acquireLease('a');
    world.probed({ kind: 'ok', status: 200 });
    const held = world.on('a')!.split('/')[1]!;
    const other = held === 'one' ? 'two' : 'one';
    world.request('a', { kind: 'auth', status: 401, call: 'c', signature: 's' });
    world.moveLease('a', [`${held}#k`], 'auth', false);
    world.request('a', { kind: 'ok', status: 200, call: 'c', request: 2, signature: 's' });
    expect([world.state(held), world.state(other)]).toEqual(['quarantined', 'healthy']);
    for (let step = 0; step < 50; step++) {
      world.pass(DAY_MS / 4);
      world.probed({ kind: 'ok', status: 200 });
    }
    expect(world.state(held)).toBe('quarantined');
  });

  it('returns where its health path refused it first and then lets it pass', () => {
    const world = worldOf([checked('eu')], [key('one'), key('two')]);
    world.acquireLease('a');
    world.probed({ kind: 'auth', status: 401 }, 'one');
    world.probed({ kind: 'ok', status: 200 }, 'two');
    expect(world.state('one')).toBe('quarantined');
    world.pass(601_000);
    expect(world.probes).toEqual(['eu/one']);
    world.probed({ kind: 'ok', status: 200 });
    expect(world.state('one')).toBe('healthy');
  });

  it('of plain HTTP without a health path is never probed', () => {
    const world = worldOf([endpoint('eu')], [key('one'), key('two')]);
    world.acquireLease('a');
    world.request('a', { kind: 'auth', status: 401, call: 'c', signature: 's' });
    world.moveLease('a', ['one#k'], 'auth', false);
    world.request('a', { kind: 'ok', status: 200, call: 'c', request: 2, signature: 's' });
    world.prober(false);
    world.pass(100 * DAY_MS);
    world.prober();
    world.acquireLease('b');
    expect([world.state('one'), world.probes]).toEqual(['quarantined', []]);
  });
});

describe('a suspect', () => {
  it('is proved by its health path, which another key passes', () => {
    const world = worldOf([checked('eu')], [key('one'), key('two')]);
    world.acquireLease('a');
    world.acquireLease('b');
    world.probed({ kind: 'rate-limit', status: 429 });
    expect(world.on('a')).toBe('eu/one');
    world.pass(10_000);
    world.request('a', { kind: 'auth', status: 401, auth: 'leased' });
    expect([world.state('one'), world.probes]).toEqual(['healthy', ['eu/one']]);
    world.probed({ kind: 'auth', status: 401 });
    expect([world.state('one'), world.probes]).toEqual(['healthy', ['eu/two']]);
    world.probed({ kind: 'ok', status: 200 });
    expect([world.state('one'), world.state('two')]).toEqual(['quarantined', 'healthy']);
  });
});

describe('an exhausted key', () => {
  it('comes back after its reset by one lease’s trial: a probe sees no quota', () => {
    const world = worldOf([checked('eu')], [key('one')]);
    world.acquireLease('a');
    world.probed({ kind: 'ok', status: 200 });
    world.request('a', { kind: 'exhausted', status: 429, retryAfterMs: 30_000 });
    world.releaseLease('a');
    world.pass(30_001);
    expect([world.state('one'), world.probes]).toEqual(['half-open', []]);
    world.acquireLease('trial');
    world.acquireLease('next');
    expect([world.on('trial'), world.on('next')]).toEqual(['eu/one', null]);
    world.request('trial', { kind: 'ok', status: 200 });
    expect([world.state('one'), world.on('next')]).toEqual(['healthy', 'eu/one']);
  });
});
