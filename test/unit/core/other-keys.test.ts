import { describe, expect, it } from 'vitest';
import { endDeadlocks } from '../../../src/core/pool.ts';
import type { Effect } from '../../../src/core/state.ts';
import { endpoint, key, poolSpec, World } from './world.ts';

const exclusive = { maxConcurrent: 1 };
const keyOutOf = (effects: readonly Effect[]): unknown =>
  effects.flatMap((effect) => (effect.type === 'stay' ? [effect.keyOut] : []));

describe('another key for one call', () => {
  const spec = poolSpec({
    protocol: 'openai',
    endpoints: [endpoint('eu', exclusive), endpoint('us', exclusive)],
    keys: [key('one', exclusive), key('two', exclusive), key('three', { ...exclusive, endpoints: ['us'] })],
  });
  const forCall = { onlyEndpoint: 'eu', forCall: true, timeoutMs: 0, exclude: ['one#k'] };

  it('shares the place of its lease at the endpoint, and holds the key alone', () => {
    const world = new World(spec);
    world.acquireLease('own', { onlyEndpoint: 'eu' });
    world.acquireLease('call', forCall);
    expect([world.on('own'), world.on('call')]).toEqual(['eu/one', 'eu/two']);
    world.acquireLease('next call', { ...forCall, exclude: ['one#k'] });
    expect(world.on('next call')).toBeNull();
    const uses = (name: string): number =>
      [...world.pool.members.values()].find((m) => m.name === name)!.inUse;
    expect([uses('eu'), uses('two')]).toEqual([1, 1]);
    world.releaseLease('call');
    expect([uses('eu'), uses('two')]).toEqual([1, 0]);
    world.acquireLease('waits', { onlyEndpoint: 'eu' });
    expect(world.on('waits')).toBeNull();
    world.releaseLease('own');
    expect(world.on('waits')).toBe('eu/one');
  });

  it('ends by itself, so that its own test may wait for it', () => {
    const world = new World(spec);
    const client = 'one worker';
    world.acquireLease('own', { onlyEndpoint: 'eu', to: { client, ask: 1 } });
    world.acquireLease('call', { ...forCall, to: { client, ask: 2 } });
    world.acquireLease('further', { onlyEndpoint: 'us', exclude: ['three#k'], to: { client, ask: 3 } });
    expect(endDeadlocks([world.pool], world.context)).toEqual([]);
    world.releaseLease('call');
    expect(world.on('further')).toBe('us/two');
  });

  it('is asked for where the own key is out of service, rather than waited for', () => {
    const world = new World(spec);
    world.acquireLease('own', { onlyEndpoint: 'eu' });
    const permit = (reroutable: boolean): Effect[] =>
      world.requestPermit('own', false, undefined, undefined, reroutable);
    expect(permit(true).map(({ type }) => type)).toEqual(['permit']);
    world.request('own', { kind: 'rate-limit', status: 429, retryAfterMs: 5_000 });
    expect(keyOutOf(permit(true))).toEqual(['for a moment']);
    expect(permit(false)).toEqual([]);
    world.request('own', { kind: 'exhausted', status: 429 });
    expect(keyOutOf(permit(true))).toEqual(['for long']);
  });
});
