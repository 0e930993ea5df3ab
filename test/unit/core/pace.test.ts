import { describe, expect, it } from 'vitest';
import { currentPace, learnPace, noteServed } from '../../../src/core/pace/learned-pace.ts';
import {
  newPace,
  reservePermit,
  settlePermit,
  startPermit,
  untilPermit,
} from '../../../src/core/pace/pace.ts';
import { key, poolSpec, World } from './world.ts';

describe('a pace of n calls a minute', () => {
  it.each([
    [300, 5, 1_000],
    [60, 1, 1_000],
    [90, 2, 1_333.334],
    [61, 1, 983.607],
    [150, 3, 1_200],
    [1_000, 1, 60],
    [30, 1, 2_000],
    [600, 10, 1_000],
  ])('of %i lets %i go at once, and as many again after %d ms', (rpm, atOnce, windowMs) => {
    const pace = newPace();
    const waits = Array.from({ length: 3 * atOnce }, () => reservePermit(pace, rpm, 5_000));
    const expected = [0, windowMs, 2 * windowMs].flatMap((wait) =>
      Array.from({ length: atOnce }, () => wait),
    );
    waits.forEach((wait, index) => expect(wait).toBeCloseTo(expected[index]!, 2));
  });

  it.each([0.5, 1, 7, 59, 60, 61, 90, 119, 150, 300, 347, 600, 601, 1_000, 1_999])(
    'lets no more than its share through in any second and any minute, and wastes none (%d a minute)',
    (rpm) => {
      const pace = newPace();
      const minutes = Math.max(3, 5 / rpm);
      const times: number[] = [];
      for (let now = 0; now < minutes * 60_000; times.push(now)) now += reservePermit(pace, rpm, now);
      const most = (ms: number): number => {
        let first = 0;
        return Math.max(
          ...times.map((at, index) => {
            while (times[first]! <= at - ms) first++;
            return index - first + 1;
          }),
        );
      };
      expect(most(1_000)).toBeLessThanOrEqual(Math.max(1, Math.ceil(rpm / 60)));
      expect(most(60_000)).toBeLessThanOrEqual(Math.max(1, rpm));
      expect(times.length).toBeGreaterThan(minutes * rpm * 0.99 - 1);
    },
  );

  it('never lets more than its share through in any second', () => {
    const pace = newPace();
    const permitQueue: number[] = [];
    for (let now = 0; now < 20_000; now += 37) permitQueue.push(now + reservePermit(pace, 300, now));
    for (const requestPermit of permitQueue) {
      expect(
        permitQueue.filter((other) => other >= requestPermit && other < requestPermit + 1_000).length,
      ).toBeLessThanOrEqual(5);
    }
  });
});

describe('a turn whose answer came', () => {
  it('counts from when it had surely reached the server', () => {
    const pace = newPace();
    startPermit(pace, 60, 'a', 0);
    settlePermit(pace, 'a', 40);
    expect(untilPermit(pace, 60, 50)).toBe(990);
    startPermit(pace, 60, 'b', 1_040);
    settlePermit(pace, 'b', 5_000);
    expect(untilPermit(pace, 60, 1_100)).toBe(1_040);
  });

  it('and that was told late puts off the ones after it', () => {
    const pace = newPace();
    expect([reservePermit(pace, 60, 0), reservePermit(pace, 60, 0)]).toEqual([0, 1_000]);
    startPermit(pace, 60, 'a', 900);
    expect(untilPermit(pace, 60, 1_000)).toBe(900);
  });
});

describe('a learned pace', () => {
  it('is what the server took in the second before it refused, and rises slowly again', () => {
    const served: number[] = [];
    for (let call = 0; call < 8; call++) noteServed(served, 100_000 + call * 100);
    const learned = learnPace(null, served, 100_800)!;
    expect(learned.rpm).toBe(480);
    expect(currentPace(learned, 110_801)).toBeCloseTo(528, 6);
    expect(learnPace(learned, served, 101_500)).toBe(learned);
    expect(learnPace(learned, [105_000, 105_100, 105_200], 105_300)!.rpm).toBe(180);
    expect(learnPace(null, [100_000, 100_100], 100_300)).toBeNull();
    expect(currentPace(learned, 100_800 + 3_600_000)).toBe(Infinity);
  });

  it('of a slow limit is learned where a refusal can only be about the pace', () => {
    // A call every 3 s: the second one is refused, and asked to come 2.5 s later.
    expect(learnPace(null, [100_000], 100_500, 2_500)!.rpm).toBe(20);
    // Twenty calls in any minute: refused after a burst, for most of the minute.
    const burst = Array.from({ length: 20 }, (_, call) => 100_000 + call * 800);
    expect(learnPace(null, burst, 116_000, 44_000)!.rpm).toBe(20);
    expect(learnPace({ rpm: 12, at: 100_000 }, burst, 116_000, 44_000)!.rpm).toBeCloseTo(13.2, 6);
    expect(learnPace(null, [], 100_500, 2_500)).toBeNull();
    expect(learnPace(null, [10_000], 100_500, 2_500)).toBeNull();
  });

  it('is not lowered, and the pause not doubled, by what was under way when the pause began', () => {
    const world = new World(poolSpec({ keys: [key('one')], protocol: 'openai' }));
    for (const lease of ['a', 'b', 'c', 'd']) world.acquireLease(lease);
    world.request('a', { kind: 'ok', status: 200 });
    world.pass(500);
    for (const lease of ['b', 'c', 'd']) world.request(lease, { kind: 'rate-limit', status: 429 });
    const [limits] = world.pool.members.get('key:one#k')!.modelLimits.values();
    expect([limits!.throttles, limits!.learned!.rpm]).toEqual([1, 40]);
    world.pass(1_000);
    expect(world.state('one')).toBe('healthy');
  });

  it('makes the calls of all leases wait for their turn', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    for (const lease of ['a', 'b', 'c', 'd']) world.acquireLease(lease);
    for (let call = 0; call < 3; call++) world.request('a', { kind: 'ok', status: 200 });
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 500 });
    world.pass(501);
    for (const lease of ['a', 'b', 'c', 'd']) world.requestPermit(lease);
    const permitQueue = (): number => world.effects.filter((effect) => effect.type === 'permit').length;
    expect(permitQueue()).toBe(3);
    world.pass(1_100);
    expect(permitQueue()).toBe(4);
  });
});

describe('a call whose caller waits for a limited time', () => {
  const permits = (effects: readonly { type: string }[]): number =>
    effects.filter(({ type }) => type === 'permit').length;
  const passing = (world: World, ms: number): readonly { type: string }[] => {
    const before = world.effects.length;
    world.pass(ms);
    return world.effects.slice(before);
  };

  it('goes at once where its turn would come later, and counts all the same', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 30 })] }));
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    expect(permits(world.requestPermit('a'))).toBe(1);
    world.request('a', { kind: 'ok', status: 200 });
    expect(permits(world.requestPermit('b', true, undefined, 1_500))).toBe(1);
    world.pass(1_000);
    expect(permits(world.requestPermit('c'))).toBe(0);
    expect(permits(passing(world, 900))).toBe(0);
    expect(permits(passing(world, 200))).toBe(1);
  });

  it('waits where its turn comes in time', () => {
    const world = new World(poolSpec({ keys: [key('one', { rpm: 30 })] }));
    for (const lease of ['a', 'b']) world.acquireLease(lease);
    world.requestPermit('a');
    world.request('a', { kind: 'ok', status: 200 });
    expect(permits(world.requestPermit('b', true, undefined, 5_000))).toBe(0);
    expect(permits(passing(world, 2_101))).toBe(1);
  });

  it('goes at once where a pause of its key is longer, and waits for a shorter one', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    world.request('a', { kind: 'rate-limit', status: 429, retryAfterMs: 5_000 });
    expect(permits(world.requestPermit('b', true, undefined, 4_000))).toBe(1);
    expect(permits(world.requestPermit('c', true, undefined, 6_000))).toBe(0);
    expect(permits(passing(world, 5_001))).toBe(1);
  });

  it('waits for the trial of another only where that ends in time, whatever comes of it', () => {
    const world = new World(poolSpec({ keys: [key('one')] }));
    for (const lease of ['a', 'b', 'c']) world.acquireLease(lease);
    world.requestPermit('a');
    expect(permits(world.requestPermit('b', true, undefined, 500))).toBe(1);
    expect(permits(world.requestPermit('c', true, undefined, 5_000))).toBe(0);
    expect(permits(passing(world, 3_001))).toBe(1);
  });

  it('is not moved to a member that it would have to wait for longer', () => {
    const keys = ['one', 'two'].map((name) => key(name, { maxConcurrent: 1 }));
    const world = new World(poolSpec({ keys }));
    for (const lease of ['a', 'b']) world.acquireLease(lease);
    world.request('a', { kind: 'exhausted', status: 402 });
    expect(world.moveLease('a', ['one#k'], 'exhausted', false, 300)).toEqual([]);
    expect(passing(world, 301)).toMatchObject([{ type: 'refused' }]);
  });
});
