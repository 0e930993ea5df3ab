import { beforeEach, describe, expect, it } from 'vitest';
import { wireGrantOf } from '../../../src/broker/apply-message.ts';
import { statusOf } from '../../../src/core/admin.ts';
import { applyAccountEvent, tryAccountsAgain } from '../../../src/core/health/accounts.ts';
import { releaseLease } from '../../../src/core/pool.ts';
import type { Effect } from '../../../src/core/state.ts';
import type { AccountEvent, ResetReason } from '../../../src/core/types.ts';
import { endpoint, key, poolSpec, refusalOf, World } from './world.ts';

const SPEC = poolSpec({
  endpoints: [endpoint('eu')],
  keys: ['ada', 'grace'].map((name) => key(name, { maxConcurrent: 1 })),
});

let world: World;

beforeEach(() => {
  world = new World(SPEC);
});

function take(lease: string, more: Parameters<World['acquireLease']>[1] = {}): string | null {
  world.acquireLease(lease, { resets: true, ...more });
  return world.on(lease);
}

function release(lease: string, dirty: ResetReason | null): void {
  releaseLease(world.pool, lease, dirty !== null, world.context, dirty);
}

function event(lease: string, what: AccountEvent, why = '', run = 'run 1'): Effect[] {
  const held = world.pool.leases.get(lease)!;
  return applyAccountEvent(world.pool, held, { event: what, why, run }, world.context);
}

function shown(name: string): string {
  return statusOf(world.pool, SPEC, world.context).members.find((member) => member.name === name)!.state;
}

const dirtyOf = (lease: string): ResetReason | undefined => wireGrantOf(world.pool.leases.get(lease)!).dirty;

describe('a dirty account', () => {
  it('is one that a failed test left, and its next holder resets it, once', () => {
    expect(take('one')).toBe('eu/ada');
    release('one', 'failed');
    expect(shown('ada')).toBe('dirty');
    take('other');
    expect(take('two')).toBe('eu/ada');
    expect(dirtyOf('two')).toBe('failed');
    expect(shown('ada')).toBe('dirty');
    event('two', 'cleaned');
    expect(shown('ada')).toBe('healthy');
    release('two', null);
    release('other', null);
    expect([take('three'), take('four')]).toEqual(expect.arrayContaining(['eu/ada']));
    expect([dirtyOf('three'), dirtyOf('four')]).toEqual([undefined, undefined]);
  });

  it('is one whose holder crashed, also while it reset it', () => {
    take('one');
    world.drop('one');
    expect(shown('ada')).toBe('dirty');
    take('other');
    take('two');
    expect(dirtyOf('two')).toBe('crashed');
    world.drop('two');
    expect(shown('ada')).toBe('dirty');
    take('three');
    expect(dirtyOf('three')).toBe('crashed');
  });

  it('is none of a test that does not reset accounts', () => {
    take('one', { resets: false });
    world.drop('one');
    expect(shown('ada')).toBe('healthy');
  });

  it('goes to a test that does not reset it only where no clean one is free, and stays dirty', () => {
    take('one');
    release('one', 'timedOut');
    expect(take('two', { resets: false })).toBe('eu/grace');
    expect(take('three', { resets: false })).toBe('eu/ada');
    expect(dirtyOf('three')).toBeUndefined();
    release('three', null);
    expect(shown('ada')).toBe('dirty');
  });

  it('is reset by one test at a time, where several may use it', () => {
    const spec = poolSpec({ endpoints: [endpoint('eu')], keys: [key('ada')] });
    world = new World(spec);
    take('one', { spec });
    release('one', 'failed');
    expect(take('two', { spec })).toBe('eu/ada');
    expect(take('three', { spec })).toBeNull();
    event('two', 'cleaned');
    expect(world.on('three')).toBe('eu/ada');
    expect(dirtyOf('three')).toBeUndefined();
  });
});

describe('an account that cannot sign in', () => {
  it('rests, longer each time', () => {
    take('one');
    event('one', 'sign-in-failed', 'POST /login: 401');
    expect(shown('ada')).toBe('cooling');
    world.pass(30_000);
    expect(shown('ada')).toBe('healthy');
    event('one', 'sign-in-failed', 'POST /login: 401');
    world.pass(59_000);
    expect(shown('ada')).toBe('cooling');
    world.pass(1_000);
    expect(shown('ada')).toBe('healthy');
  });

  it.each(['before', 'after'])('is quarantined where another signed in at the endpoint %s', (when) => {
    take('one');
    take('two');
    if (when === 'before') event('two', 'signed-in');
    event('one', 'sign-in-failed', 'POST /login: 401');
    if (when === 'after') event('two', 'signed-in');
    expect(shown('ada')).toBe('quarantined');
    expect(shown('grace')).toBe('healthy');
  });

  it('is not quarantined for what another did in a run before', () => {
    take('one');
    take('two');
    event('two', 'signed-in', '', 'run 0');
    event('one', 'sign-in-failed', 'POST /login: 401', 'run 1');
    expect(shown('ada')).toBe('cooling');
  });

  it('is tried again by the next run, as is one that could not be reset', () => {
    take('one');
    take('two');
    event('one', 'sign-in-failed', 'no');
    event('two', 'reset-failed', 'no');
    expect([shown('ada'), shown('grace')]).toEqual(['cooling', 'quarantined']);
    tryAccountsAgain(world.pool, world.context);
    expect([shown('ada'), shown('grace')]).toEqual(['healthy', 'healthy']);
  });

  it('is said to be the reason where no lease is to be had', () => {
    take('one');
    take('two');
    for (const lease of ['one', 'two']) {
      event(lease, 'reset-failed', 'no');
      release(lease, null);
    }
    take('three');
    expect(refusalOf(world.effects)?.reasons.map(({ cause }) => cause)).toEqual(['sign-in', 'sign-in']);
  });
});
