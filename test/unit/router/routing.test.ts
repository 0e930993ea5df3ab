import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/clock.ts';
import { rotate, type Rotated } from '../../../src/router/rotations.ts';
import { PoolRouting } from '../../../src/router/routing.ts';
import type { Observation } from '../../../src/core/types.ts';

interface Parts {
  pass?: number;
  inUse?: number;
  weight?: number;
  priority?: number;
}

const candidate = (id: string, { pass = 0, inUse = 0, weight = 1, priority = 0 }: Parts = {}): Rotated => {
  return { weight, priority, member: { id, inUse, pass } };
};

describe('rotations', () => {
  const first = (how: Parameters<typeof rotate>[0], candidates: Rotated[], random = Math.random): string =>
    rotate(how, candidates, random)!.member.id;

  it('round-robin takes the one whose turn it is', () => {
    expect(first('round-robin', [candidate('a', { pass: 2 }), candidate('b', { pass: 1 })])).toBe('b');
  });

  it('least-busy takes the one with the fewest leases for its weight', () => {
    const busy = candidate('a', { inUse: 3, weight: 4 });
    expect(first('least-busy', [busy, candidate('b', { inUse: 1 })])).toBe('a');
  });

  it('priority takes the lowest number, and equals in turn', () => {
    const tier = [candidate('a', { priority: 1 }), candidate('b', { pass: 1 }), candidate('c')];
    expect(first('priority', tier)).toBe('c');
    expect(first('priority', tier.slice(0, 2))).toBe('b');
  });

  it('none is chosen from nothing', () => {
    expect(rotate('random', [], Math.random)).toBeNull();
  });

  it('random draws by weight', () => {
    const random = seededRandom('weights');
    const draws = Array.from({ length: 2_000 }, () =>
      first('random', [candidate('a'), candidate('b', { weight: 3 })], random),
    );
    expect(draws.filter((id) => id === 'b').length / 2_000).toBeCloseTo(0.75, 1);
  });
});

describe('the router behind a pool', () => {
  const random = seededRandom('pool');
  const outcome = (ok: boolean, more: Partial<Observation> = {}): Observation => {
    return { ok, durationMs: 100, retryAfterMs: null, request: 1, inFlight: 0, ...more };
  };
  const poolOf = (routing: PoolRouting, ids: readonly string[]) =>
    ids.map((id) => {
      const { weight, priority, member } = candidate(id);
      return {
        weight,
        priority,
        member: { ...member, routerHandle: routing.newHandle('api', 'endpoint', id) },
      };
    });
  /** Learns that `a` fails and `b` works. */
  const taught = (): { routing: PoolRouting; candidates: ReturnType<typeof poolOf> } => {
    const routing = new PoolRouting(random);
    const candidates = poolOf(routing, ['a', 'b']);
    for (let turn = 0; turn < 30; turn++)
      for (const [index, { member }] of candidates.entries())
        routing.observe(member.routerHandle, outcome(index === 1), 1_000 + turn);
    return { routing, candidates };
  };

  it('takes what works, and says why', () => {
    const { routing, candidates } = taught();
    expect(routing.choose('success-rate', candidates, 1_100, random)!.member.id).toBe('b');
    const estimateOf = routing.estimateOf(candidates[1]!.member.routerHandle, 1_100)!;
    expect(estimateOf.successRate).toBeGreaterThan(0.9);
    expect(estimateOf.successRange[0]).toBeLessThan(estimateOf.successRate);
    expect(estimateOf.avgRange[1]).toBeGreaterThan(estimateOf.avgMs);
    expect(routing.estimateOf(routing.newHandle('api', 'endpoint', 'c'), 1_100)).toBeNull();
  });

  it('keeps pools apart', () => {
    const { routing } = taught();
    expect(routing.estimateOf(routing.newHandle('other', 'endpoint', 'a'), 1_100)).toBeNull();
  });

  it('starts the next run with what this one learned, aged by the time between', () => {
    const { routing, candidates } = taught();
    const after = (ms: number): { widths: number; id: string } => {
      const next = new PoolRouting(random);
      const members = poolOf(next, ['a', 'b']);
      for (const [index, { member }] of members.entries())
        next.restore(
          member.routerHandle,
          routing.save(candidates[index]!.member.routerHandle),
          1_100,
          1_100 + ms,
        );
      const range = next.estimateOf(members[1]!.member.routerHandle, 1_100 + ms)?.successRange ?? [0, 1];
      const { id } = next.choose('success-rate', members, 1_100 + ms, random)!.member;
      return { widths: range[1] - range[0], id };
    };
    expect(after(60_000).id).toBe('b');
    expect(after(86_400_000).widths).toBeGreaterThan(after(60_000).widths);
    expect(after(30 * 86_400_000).widths).toBe(1);
  });

  it('uses a member at once that a person has mended', () => {
    const { routing, candidates } = taught();
    const [a] = candidates;
    const before = routing.estimateOf(a!.member.routerHandle, 1_100)!.successRate;
    routing.renew(a!.member.routerHandle);
    expect(routing.estimateOf(a!.member.routerHandle, 1_100)!.successRate).toBeGreaterThan(before + 0.3);
  });

  it('counts the probes of one that is out', () => {
    const { routing, candidates } = taught();
    const { routerHandle } = candidates[0]!.member;
    const { probes } = routing.estimateOf(routerHandle, 1_100)!;
    routing.observe(routerHandle, outcome(false), 600_000);
    expect(routing.estimateOf(routerHandle, 600_000)!.probes).toBe(probes + 1);
  });
});

describe('weights', () => {
  const HOWS = ['round-robin', 'least-busy', 'success-rate', 'priority'] as const;

  /** Leases by this rotation: `atOnce` are held at a time, each ends after a random while. Returns each one's share. */
  const shares = (
    how: (typeof HOWS)[number],
    weights: readonly number[],
    { atOnce = 8, leases = 200, ms = [100, 100], seed = 'weights' } = {},
  ): number[] => {
    const random = seededRandom(seed);
    const routing = new PoolRouting(random);
    const members = weights.map((weight, index) => ({
      weight,
      priority: 0,
      member: {
        id: `m${index}`,
        inUse: 0,
        pass: 0,
        routerHandle: routing.newHandle('api', 'endpoint', `m${index}`),
      },
    }));
    const counts = weights.map(() => 0);
    let held: { index: number; ends: number; ms: number }[] = [];
    let now = 1_000;
    for (let lease = 0; lease < leases; lease++) {
      while (held.length >= atOnce) {
        held.sort((one, other) => one.ends - other.ends);
        const over = held.shift()!;
        now = over.ends;
        const { member } = members[over.index]!;
        const inFlight = --member.inUse;
        const told = { ok: true, durationMs: over.ms, retryAfterMs: null, request: 1, inFlight };
        routing.observe(member.routerHandle, told, now);
      }
      const chosen = routing.choose(how, members, now, random)!;
      const index = members.indexOf(chosen);
      counts[index]!++;
      chosen.member.inUse++;
      chosen.member.pass += 1 / chosen.weight;
      const took = ms[index]! * Math.exp((random() + random() + random() - 1.5) * 0.6);
      held = [...held, { index, ends: now + took, ms: took }];
    }
    return counts.map((count) => count / leases);
  };

  for (const how of HOWS)
    it(`share leases under ${how}, however many are held at once`, () => {
      for (const atOnce of [1, 2, 3, 8]) {
        for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
          const [share] = shares(how, [3, 1], { atOnce, seed });
          expect(Math.abs(share! - 0.75), `${atOnce} at once, seed ${seed}: ${share}`).toBeLessThan(0.075);
        }
      }
      expect(shares(how, [1, 1, 2], { ms: [100, 100, 100] })[2]).toBeCloseTo(0.5, 1);
    });

  it('count among members that are alike: one that is clearly slower is left by success-rate alone', () => {
    expect(shares('success-rate', [3, 1], { ms: [1_000, 100], leases: 400 })[1]).toBeGreaterThan(0.6);
    expect(shares('success-rate', [3, 1], { ms: [2, 6] })[0]).toBeCloseTo(0.75, 1);
  });
});
