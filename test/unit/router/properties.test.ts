import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUTCOME_KINDS } from '../../../src/core/types.ts';
import { createRouter, type Router, type RouterOutcome } from '../../../src/router/index.ts';
import { seededRandom } from '../../../src/core/clock.ts';

type Step =
  | { readonly do: 'pick'; readonly from: readonly string[]; readonly attempt: number }
  | { readonly do: 'record'; readonly id: string; readonly outcome: RouterOutcome }
  | { readonly do: 'wait'; readonly ms: number };

const ids = fc.constantFrom('a', 'b', 'c', 'd');
const duration = fc.oneof(
  fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }),
  fc.constantFrom(0, 1e-300, 1, 100, 1e12, Number.MAX_VALUE),
);
const outcome = fc.record(
  { ok: fc.boolean(), durationMs: duration, kind: fc.constantFrom(...OUTCOME_KINDS), retryAfterMs: duration },
  { requiredKeys: ['ok', 'durationMs'] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('pick' as const),
    from: fc.uniqueArray(ids, { minLength: 1 }),
    attempt: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ do: fc.constant('record' as const), id: ids, outcome }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 250, 60_000, 1e9, -500) }),
);

/** Runs the steps; returns the picks. */
function run(steps: readonly Step[], seed: string): { router: Router; picks: string[] } {
  let now = 1e12;
  const picks: string[] = [];
  const router = createRouter({ now: () => now, random: seededRandom(seed) });
  for (const step of steps) {
    if (step.do === 'wait') now += step.ms;
    else if (step.do === 'record') router.record(step.id, step.outcome);
    else {
      const id = router.pick(step.from, { attempt: step.attempt });
      expect(step.from).toContain(id);
      picks.push(id);
    }
  }
  return { router, picks };
}

describe('under any input', () => {
  it('answers with a candidate, and probabilities and times stay finite', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { router } = run(steps, 'any');
        for (const { successRate, successRange, avgMs, avgRange, until } of router.snapshot()) {
          if (successRate === null || successRange === null || avgMs === null || avgRange === null) continue;
          for (const rate of [successRate, ...successRange]) {
            expect(rate).toBeGreaterThanOrEqual(0);
            expect(rate).toBeLessThanOrEqual(1);
          }
          for (const ms of [avgMs, ...avgRange]) {
            expect(Number.isFinite(ms)).toBe(true);
            expect(ms).toBeGreaterThan(0);
          }
          expect(until === null || Number.isFinite(until)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('picks alike for the same seed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.string(), (steps, seed) => {
        expect(run(steps, seed).picks).toEqual(run(steps, seed).picks);
      }),
      { numRuns: 100 },
    );
  });

  it('saves a state that is plain JSON and that another router takes over', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const state = run(steps, 'save').router.state();
        const text = JSON.stringify(state);
        const next = createRouter({ now: () => state.at, state: JSON.parse(text) as unknown });
        expect(
          next
            .state()
            .arms.map(({ id }) => id)
            .sort(),
        ).toEqual(state.arms.map(({ id }) => id).sort());
        expect(['a', 'b', 'c', 'd']).toContain(next.pick(['a', 'b', 'c', 'd']));
      }),
      { numRuns: 100 },
    );
  });

  it('starts empty from a damaged state', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (state) => {
        expect(createRouter({ state }).pick(['a'])).toBe('a');
        const arms = { v: 1, at: 5, arms: [state, { id: 'a', good: state }] };
        expect(createRouter({ state: arms }).snapshot()).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses what is no duration, and learns nothing from it', () => {
    const bad = fc.oneof(
      fc.constantFrom(Number.NaN, Infinity, -Infinity),
      fc.double({ max: -1e-300, noNaN: true }),
    );
    fc.assert(
      fc.property(bad, fc.boolean(), (durationMs, asWait) => {
        const router = createRouter({ now: () => 0 });
        router.pick(['a']);
        const outcome = asWait
          ? { ok: false, durationMs: 1, retryAfterMs: durationMs }
          : { ok: true, durationMs };
        expect(() => router.record('a', outcome)).toThrow(RangeError);
        expect(router.snapshot()).toMatchObject([{ id: 'a', successRate: null, inFlight: 1 }]);
      }),
    );
  });
});
