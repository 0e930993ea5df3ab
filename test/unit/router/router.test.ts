import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/clock.ts';
import { createRouter, type Router } from '../../../src/router/index.ts';
import { learn, newBelief } from '../../../src/router/belief.ts';
import { type Candidate, choose } from '../../../src/router/rotations.ts';

/** A router whose clock moves with each attempt, and a count of its picks. */
function simulate(
  seed: string,
  rates: (id: string, turn: number) => number,
  turns: number,
): Map<string, number[]> {
  let now = 0;
  const random = seededRandom(seed);
  const router = createRouter({ now: () => now, random });
  const picks = new Map<string, number[]>([
    ['a', []],
    ['b', []],
    ['c', []],
  ]);
  for (let turn = 0; turn < turns; turn++) {
    const id = router.pick([...picks.keys()]);
    picks.get(id)!.push(turn);
    now += 100;
    router.record(id, { ok: random() < rates(id, turn), durationMs: 100 });
  }
  return picks;
}

function share(picks: Map<string, number[]>, id: string, from: number, to: number): number {
  return picks.get(id)!.filter((turn) => turn >= from && turn < to).length / (to - from);
}

describe('the router', () => {
  it('leaves a candidate that only fails', () => {
    const picks = simulate('leaves', (id) => (id === 'a' ? 0 : 0.95), 400);
    expect(share(picks, 'a', 100, 400)).toBeLessThan(0.05);
  });

  it('finds one that recovers', () => {
    const picks = simulate('recovers', (id, turn) => (id === 'a' ? (turn < 200 ? 0 : 1) : 0.5), 2_000);
    expect(share(picks, 'a', 1_500, 2_000)).toBeGreaterThan(0.5);
  });

  it('prefers the faster of equally good ones', () => {
    let now = 0;
    const router = createRouter({ now: () => now, random: seededRandom('faster') });
    const counts = { slow: 0, fast: 0 };
    for (let turn = 0; turn < 500; turn++) {
      const id = router.pick(['slow', 'fast']) as 'slow' | 'fast';
      counts[id]++;
      now += 10;
      router.record(id, { ok: true, durationMs: id === 'slow' ? 4_000 : 100 });
    }
    expect(counts.fast).toBeGreaterThan(400);
  });

  it('picks alike for the same seed', () => {
    const rate = (): number => 0.7;
    expect(simulate('same', rate, 300)).toEqual(simulate('same', rate, 300));
    expect(simulate('same', rate, 300)).not.toEqual(simulate('other', rate, 300));
  });

  it('honours Retry-After, and answers with the least bad where all are out', () => {
    let now = 0;
    const router = createRouter({ now: () => now, random: seededRandom('after') });
    router.record(router.pick(['a']), { ok: false, durationMs: 5, kind: 'rate-limit', retryAfterMs: 2_000 });
    expect(Array.from({ length: 5 }, () => router.pick(['a', 'b']))).toEqual(['b', 'b', 'b', 'b', 'b']);
    router.record('b', { ok: false, durationMs: 5, kind: 'rate-limit', retryAfterMs: 9_000 });
    expect(router.pick(['a', 'b'])).toBe('a');
    now = 2_001;
    expect(router.snapshot()).toMatchObject([
      { id: 'a', until: 2_000 },
      { id: 'b', state: 'cooling', until: 9_000 },
    ]);
  });

  it('sends one probe to a candidate on trial', () => {
    let now = 0;
    const router = createRouter({ now: () => now, random: seededRandom('trial'), maxFailures: 1 });
    router.record(router.pick(['a']), { ok: false, durationMs: 5, kind: 'network' });
    now = 15_001;
    expect([router.pick(['a', 'b']), router.pick(['a', 'b']), router.pick(['a', 'b'])]).toEqual([
      'a',
      'b',
      'b',
    ]);
    router.record('a', { ok: true, durationMs: 5 });
    expect(router.snapshot()[0]!.state).toBe('healthy');
  });

  it.each([Number.NaN, -1, Infinity, -Infinity])('refuses a duration of %s', (durationMs) => {
    const router = createRouter();
    expect(() => router.record(router.pick(['a']), { ok: true, durationMs })).toThrow(RangeError);
  });

  it('stays finite under zero and huge durations', () => {
    const router: Router = createRouter({ now: () => 0, random: seededRandom('finite') });
    for (const durationMs of [0, Number.MAX_VALUE, 1e-300, 0]) {
      router.record(router.pick(['a', 'b']), { ok: durationMs > 0, durationMs });
    }
    for (const { successRate, avgMs } of router.snapshot()) {
      expect(successRate === null || (successRate >= 0 && successRate <= 1)).toBe(true);
      expect(avgMs === null || Number.isFinite(avgMs)).toBe(true);
    }
  });

  it('refuses an empty list', () => {
    expect(() => createRouter().pick([])).toThrow(RangeError);
  });
});

describe('rotations', () => {
  interface Parts {
    pass?: number;
    inUse?: number;
    weight?: number;
    priority?: number;
    belief?: ReturnType<typeof newBelief>;
  }
  const candidate = (id: string, parts: Parts = {}): Candidate => {
    const { pass = 0, inUse = 0, weight = 1, priority = 0, belief = newBelief(0) } = parts;
    return { weight, priority, subject: { id, inUse, pass, belief } };
  };
  const first = (how: Parameters<typeof choose>[0], candidates: Candidate[], random = Math.random): string =>
    choose(how, candidates, 0, random)!.subject.id;

  it('round-robin takes the one whose turn it is', () => {
    expect(first('round-robin', [candidate('a', { pass: 2 }), candidate('b', { pass: 1 })])).toBe('b');
  });

  it('least-busy takes the one with the fewest leases for its weight', () => {
    expect(first('least-busy', [candidate('a', { inUse: 3, weight: 4 }), candidate('b', { inUse: 1 })])).toBe(
      'a',
    );
  });

  it('priority takes the lowest number, and equals in turn', () => {
    const tier = [candidate('a', { priority: 1 }), candidate('b', { pass: 1 }), candidate('c')];
    expect(first('priority', tier)).toBe('c');
    expect(first('priority', tier.slice(0, 2))).toBe('b');
  });

  it('none is chosen from nothing', () => {
    expect(choose('random', [], 0, Math.random)).toBeNull();
  });

  it('random draws by weight', () => {
    const random = seededRandom('weights');
    const draws = Array.from({ length: 2_000 }, () =>
      first('random', [candidate('a'), candidate('b', { weight: 3 })], random),
    );
    expect(draws.filter((id) => id === 'b').length / 2_000).toBeCloseTo(0.75, 1);
  });

  it('success-rate takes what works', () => {
    const good = newBelief(0);
    const bad = newBelief(0);
    for (let attempt = 0; attempt < 30; attempt++) {
      learn(good, true, 100, 0);
      learn(bad, false, 100, 0);
    }
    const random = seededRandom('works');
    const draws = Array.from({ length: 200 }, () =>
      first('success-rate', [candidate('bad', { belief: bad }), candidate('good', { belief: good })], random),
    );
    expect(draws.filter((id) => id === 'good').length).toBeGreaterThan(195);
  });

  it('a belief fades with time, so that an old failure does not bar a member for ever', () => {
    const belief = newBelief(0);
    for (let attempt = 0; attempt < 20; attempt++) learn(belief, false, 100, 0);
    learn(belief, true, 100, 6 * 3_600_000);
    expect(belief.failures).toBeLessThan(0.001);
  });
});
