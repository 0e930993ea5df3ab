import { describe, expect, it } from 'vitest';
import { createRouter } from '../../../src/router/index.ts';
import { failure, ok, World } from './world.ts';

const ABC = ['a', 'b', 'c'];

describe('the router', () => {
  it('leaves a candidate that only fails', () => {
    const world = new World('leaves');
    for (let turn = 0; turn < 300; turn++) world.attempt(ABC, (id) => (id === 'a' ? failure() : ok()));
    expect(world.share('a', 50)).toBeLessThan(0.05);
    const [a, b] = ['a', 'b'].map((name) => world.router.snapshot().find(({ id }) => id === name)!);
    expect(a!.successRate!).toBeLessThan(b!.successRate!);
  });

  it('finds one again that recovers', () => {
    const world = new World('recovers');
    for (let turn = 0; turn < 150; turn++)
      world.attempt(ABC, (id) => (id === 'a' ? failure('network', 5) : ok(400)));
    const before = world.picks.length;
    for (let turn = 0; turn < 300; turn++) world.attempt(ABC, (id) => ok(id === 'a' ? 80 : 400));
    expect(world.share('a', before + 150)).toBeGreaterThan(0.8);
  });

  it('prefers the faster of equally good ones', () => {
    const world = new World('faster');
    for (let turn = 0; turn < 300; turn++)
      world.attempt(['slow', 'fast'], (id) => ok(id === 'slow' ? 2_000 : 100));
    expect(world.share('fast', 20)).toBeGreaterThan(0.95);
  });

  it('prefers the slower one where the fast one fails: a lost attempt costs more than its time', () => {
    const world = new World('flaky');
    for (let turn = 0; turn < 400; turn++)
      world.attempt(['flaky', 'sound'], (id) =>
        id === 'sound' ? ok(150) : world.random() < 0.5 ? ok(60) : failure('server', 60),
      );
    expect(world.share('sound', 100)).toBeGreaterThan(0.8);
  });

  it('leaves one that became slow, and returns when it is fast again', () => {
    const world = new World('slow for a while');
    const run = (turns: number, slow: boolean): number => {
      const from = world.picks.length;
      for (let turn = 0; turn < turns; turn++)
        world.attempt(['a', 'b'], (id) => ok(id === 'a' ? (slow ? 2_000 : 100) : 300));
      return world.share('a', from + turns / 2);
    };
    expect(run(200, false)).toBeGreaterThan(0.9);
    expect(run(200, true)).toBeLessThan(0.1);
    expect(run(6_000, false)).toBeGreaterThan(0.9);
  });

  it('uses equals in turn', () => {
    const world = new World('equals');
    for (let turn = 0; turn < 300; turn++) world.attempt(ABC, () => ok(100));
    for (const id of ABC) expect(world.share(id, 30)).toBeCloseTo(1 / 3, 1);
  });

  it('spreads what is in flight where load makes slow', () => {
    const world = new World('load');
    const flying: { id: string; ends: number; durationMs: number }[] = [];
    const counts = { a: 0, b: 0 };
    for (let turn = 0; turn < 600; turn++) {
      const id = world.router.pick(['a', 'b']) as 'a' | 'b';
      if (turn > 300) counts[id]++;
      const there = flying.filter((other) => other.id === id).length;
      const durationMs = (id === 'a' ? 100 : 120) * (1 + there);
      flying.push({ id, ends: world.now + durationMs, durationMs });
      flying.sort((one, other) => one.ends - other.ends);
      if (flying.length < 6) continue;
      const done = flying.shift()!;
      world.now = done.ends;
      world.router.record(done.id, ok(done.durationMs));
    }
    expect(counts.b / (counts.a + counts.b)).toBeGreaterThan(0.3);
  });

  it('honours Retry-After, and answers with the least bad where all are out', () => {
    const world = new World('after');
    const refuse = (id: string, retryAfterMs: number): void => {
      expect(world.router.pick([id])).toBe(id);
      world.router.record(id, { ok: false, durationMs: 5, kind: 'rate-limit', retryAfterMs });
    };
    refuse('a', 2_000);
    const picks = Array.from({ length: 5 }, () => world.router.pick(['a', 'b']));
    expect(picks).toEqual(['b', 'b', 'b', 'b', 'b']);
    for (const id of picks) world.router.record(id, ok(0));
    refuse('b', 9_000);
    expect(world.router.snapshot()).toMatchObject([
      { id: 'a', state: 'cooling', until: 1_002_000 },
      { id: 'b', state: 'cooling', until: 1_009_000 },
    ]);
    expect(['a', 'b']).toContain(world.router.pick(['a', 'b']));
  });

  it('takes a refused key out at its first 401, and a used-up one for long', () => {
    const world = new World('refused');
    for (let turn = 0; turn < 20; turn++) world.attempt(ABC, () => ok());
    for (const [id, kind] of [
      ['a', 'auth'],
      ['b', 'exhausted'],
    ] as const) {
      world.router.pick([id]);
      world.router.record(id, failure(kind, 5));
    }
    const from = world.picks.length;
    for (let turn = 0; turn < 100; turn++) world.attempt(ABC, () => ok());
    expect(world.share('c', from)).toBe(1);
    expect(world.router.snapshot().map(({ state }) => state)).toEqual([
      'quarantined',
      'exhausted',
      'healthy',
    ]);
  });

  it("counts the caller's own mistakes for nobody", () => {
    const world = new World('caller');
    for (let turn = 0; turn < 60; turn++) world.attempt(['a'], () => failure('caller'));
    expect(world.router.snapshot()[0]).toMatchObject({ state: 'healthy' });
    expect(world.router.snapshot()[0]!.successRate).toBeGreaterThan(0.9);
  });

  it('sends one probe at a time to a candidate that is out, the more rarely the longer', () => {
    const world = new World('probes');
    for (let turn = 0; turn < 60; turn++) world.attempt(['a', 'b'], (id) => ok(id === 'a' ? 50 : 500));
    const probes: number[] = [];
    const until = world.now + 120_000;
    while (world.now < until) {
      const at = world.now;
      if (world.attempt(['a', 'b'], (id) => (id === 'a' ? failure('network', 5) : ok(500))) === 'a')
        probes.push(at);
    }
    const gaps = probes.slice(1).map((at, index) => at - probes[index]!);
    expect(probes.length).toBeGreaterThan(4);
    expect(probes.length).toBeLessThan(25);
    expect(gaps.at(-1)!).toBeGreaterThan(5_000);
  });

  it('hears the silence of requests in flight', () => {
    const world = new World('silence');
    for (let turn = 0; turn < 60; turn++) world.attempt(['a', 'b'], (id) => ok(id === 'a' ? 100 : 200));
    for (let count = 0; count < 4; count++) world.router.pick(['a']);
    world.now += 3_000;
    expect(world.router.snapshot()[0]!.successRate).toBeLessThan(0.1);
    expect(Array.from({ length: 4 }, () => world.router.pick(['a', 'b']))).toEqual(['b', 'b', 'b', 'b']);
  });

  it('forgets an attempt that is never recorded after ten times the mean, at least a minute', () => {
    const lost = (durationMs: number): number => {
      const world = new World(`lost ${durationMs}`);
      for (let turn = 0; turn < 40; turn++) world.attempt(['a', 'b'], () => ok(durationMs));
      const id = world.router.pick(['a', 'b']);
      const inFlight = (): number => world.router.snapshot().find((one) => one.id === id)!.inFlight;
      let ms = 0;
      for (; inFlight() > 0 && ms < 1e6; ms += 1_000) world.now += 1_000;
      return ms / 1_000;
    };
    expect(lost(10)).toBeCloseTo(60, -1);
    expect(lost(20_000)).toBeGreaterThan(150);
    expect(lost(20_000)).toBeLessThan(300);
  });

  it('starves nobody whose attempts were lost', () => {
    for (const times of [1, 3, 10]) {
      const world = new World(`starves nobody ${times}`);
      for (let turn = 0; turn < 40; turn++) world.attempt(['a', 'b'], () => ok(10));
      for (let turn = 0; turn < times; turn++) world.router.pick(['a', 'b']);
      const from = world.picks.length;
      for (let turn = 0; turn < 300; turn++) {
        world.attempt(['a', 'b'], () => ok(10));
        world.now += 1_000;
      }
      for (const id of ['a', 'b']) expect(world.share(id, from)).toBeGreaterThan(0.25);
      expect(world.router.snapshot().map(({ state }) => state)).toEqual(['healthy', 'healthy']);
    }
  });

  it('goes on where a clock is set back as if it had not been', () => {
    const picksAfter = (setBackMs: number): { picks: string[]; untilIn: number | null } => {
      const world = new World('set back');
      const retryAfterMs = 5_000;
      for (let turn = 0; turn < 20; turn++)
        world.attempt(['a', 'b'], (id) =>
          id === 'b' ? ok(10) : { ...failure('rate-limit', 10), retryAfterMs },
        );
      world.now -= setBackMs;
      const { until } = world.router.snapshot().find(({ id }) => id === 'a')!;
      for (let turn = 0; turn < 60; turn++) {
        world.attempt(['a', 'b'], (id) => (id === 'a' ? ok(10) : failure('network', 10)));
        world.now += 1_000;
      }
      return { picks: world.picks, untilIn: until === null ? null : until - world.now + 60 * 1_010 };
    };
    const undisturbed = picksAfter(0);
    expect(undisturbed.untilIn).toBeGreaterThan(0);
    expect(new Set(undisturbed.picks.slice(20))).toEqual(new Set(['a', 'b']));
    expect(picksAfter(7_200_000)).toEqual(undisturbed);
  });

  it('does not explore with a second attempt', () => {
    const world = new World('second');
    for (let turn = 0; turn < 100; turn++) world.attempt(['a', 'b'], () => ok());
    expect(world.router.pick(['new', 'a'], { attempt: 3 })).toBe('a');
  });

  it('refuses an empty list', () => {
    expect(() => createRouter().pick([])).toThrow(RangeError);
  });
});
