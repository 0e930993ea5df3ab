import { describe, expect, it } from 'vitest';
import type { PoolState } from '../../../../src/core/state.ts';
import { Run } from './run.ts';

/** More: GEMBA_MODEL_SEEDS=20000; one alone: GEMBA_MODEL_SEED=model-7. */
const SEEDS = Number(process.env['GEMBA_MODEL_SEEDS'] ?? 300);
const ONE = process.env['GEMBA_MODEL_SEED'];
const STEPS = 200;
const LAST_LINES = 80;

describe('a pool, through random histories', () => {
  it('keeps its promises at every step', { timeout: 3_600_000 }, () => {
    const seen = new Map<string, number>();
    const seeds = ONE ? [ONE] : Array.from({ length: SEEDS }, (_, index) => `model-${index}`);
    for (const seed of seeds) {
      for (const [what, times] of history(seed).seen) seen.set(what, (seen.get(what) ?? 0) + times);
    }
    if (ONE) return;
    // Histories in which nothing happens would keep every promise.
    const answers = ['granted', 'permit', 'stay', 'refused', 'fast-path-ended'];
    const states = ['healthy', 'cooling', 'ejected', 'half-open', 'quarantined', 'exhausted', 'disabled'];
    for (const what of [...answers, ...states]) expect(seen.get(what), what).toBeGreaterThan(SEEDS / 10);
    expect(seen.get('granted')).toBeGreaterThan(SEEDS * 10);
  });

  it.each<[string, (pool: PoolState) => boolean]>([
    ['a lease is lost', ({ leases }) => leases.delete([...leases.keys()][0] ?? '')],
    ['a waiter is forgotten', ({ queue }) => queue.pop() !== undefined],
    ['the queue is turned round', ({ queue }) => queue.reverse().length > 2],
    ['a holder is not counted', ({ members }) => change(members.values(), { inUse: -1 })],
    ['a pass is no number', ({ members }) => change(members.values(), { pass: NaN })],
    ['a free member is kept back', ({ members }) => change(members.values(), { inUse: 99 })],
    ['a trial is by nobody', ({ members }) => change(members.values(), { health: TRIAL })],
  ])('is found out where %s', (_, tamper) => {
    const found = Array.from({ length: 60 }, (_value, seed) => {
      const run = new Run(`tampered-${seed}`);
      try {
        run.go(60);
      } catch {
        return false;
      }
      if (!tamper(run.pool)) return false;
      try {
        run.go(60);
        return false;
      } catch {
        return true;
      }
    });
    expect(found).toContain(true);
  });
});

const TRIAL = { state: 'half-open', why: 'tampered', probe: 'nobody' } as const;

/** One history; where it fails, the error tells what led to it. */
function history(seed: string): Run {
  const run = new Run(seed);
  try {
    run.go(STEPS);
    return run;
  } catch (error) {
    const { endpoints, keys } = run.spec;
    const pool = run.log.slice(0, 1 + endpoints.length + keys.length);
    const events = run.log.slice(pool.length).slice(-LAST_LINES);
    const told = [`GEMBA_MODEL_SEED=${seed}`, ...pool, '…', ...events, String(error)];
    throw new Error(told.join('\n'), { cause: error });
  }
}

function change<T extends object>(members: Iterable<T>, how: Partial<T>): boolean {
  const [first] = members;
  return first !== undefined && Object.assign(first, how) === first;
}
