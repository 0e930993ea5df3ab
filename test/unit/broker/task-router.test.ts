import { describe, expect, it } from 'vitest';
import { TaskRouter } from '../../../src/broker/task-router.ts';
import { seededRandom } from '../../../src/core/clock.ts';

const OK = { ok: true, durationMs: 50, kind: null };
const SLOWLY = { ok: true, durationMs: 2_000, kind: null };
const FAILED = { ok: false, durationMs: 50, kind: null };

function world(): { router: TaskRouter; pass: (ms: number) => void; now: () => number } {
  let time = 1_000_000;
  const now = (): number => time;
  return { router: new TaskRouter(now, seededRandom('world')), pass: (ms) => (time += ms), now };
}

/** Picks and closes; `works` says which strategies work. Returns what was picked first. */
function rounds(
  { router, pass }: ReturnType<typeof world>,
  permitQueue: number,
  works: (name: string) => boolean,
): string[] {
  return Array.from({ length: permitQueue }, (_, requestPermit) => {
    const id = `${requestPermit} ${router.past.length}`;
    const name = router.pick(id, ['api', 'ui'], 1);
    pass(500);
    router.close(id, works(name) ? (name === 'ui' ? SLOWLY : OK) : FAILED);
    return name;
  });
}

/** Beliefs are summed up anew when a run is forgotten, which may round otherwise. */
function believed(router: TaskRouter): Map<string, unknown> {
  const rounded = (value: number): number => Number(value.toPrecision(9));
  return new Map(
    router
      .strategyEstimates()
      .map(({ name, successRate, avgMs }) => [name, [rounded(successRate), rounded(avgMs)]]),
  );
}

describe('what is learned of a task', () => {
  it('leaves a strategy that broke, and comes back when it works again', () => {
    const own = world();
    rounds(own, 30, () => true);
    const broken = rounds(own, 40, (name) => name !== 'api');
    expect(broken.slice(10).filter((name) => name === 'api').length).toBeLessThanOrEqual(8);
    rounds(own, 10, () => true);
    const healed = rounds(own, 60, () => true);
    expect(healed.filter((name) => name === 'api').length).toBeGreaterThan(10);
  });

  it('believes after a forgotten run what it believed before', () => {
    const [one, other] = [world(), world()];
    for (const own of [one, other]) rounds(own, 20, (name) => name === 'ui');
    for (let requestPermit = 0; requestPermit < 5; requestPermit++) {
      one.router.pick(`cut off ${requestPermit}`, ['api'], 1);
      one.router.forget(`cut off ${requestPermit}`);
    }
    expect(one.router.running).toBe(0);
    expect(believed(one.router)).toEqual(believed(other.router));
    expect(one.router.past).toEqual(other.router.past);
  });

  it('keeps what runs in flight when another run is forgotten', () => {
    const { router } = world();
    router.pick('one', ['api'], 1);
    router.pick('two', ['ui'], 1);
    router.forget('one');
    expect([router.running, router.strategyEstimates()]).toEqual([1, []]);
    router.close('two', OK);
    expect(router.past.map(({ name }) => name)).toEqual(['ui']);
    expect(router.strategyEstimates().map(({ name }) => name)).toEqual(['ui']);
  });

  it('closes a run once, and none that was never picked', () => {
    const { router } = world();
    router.pick('one', ['api'], 1);
    for (const outcome of [OK, FAILED]) router.close('one', outcome);
    router.close('never', FAILED);
    router.forget('one');
    expect(router.past.map(({ name, ok }) => ({ name, ok }))).toEqual([{ name: 'api', ok: true }]);
  });

  it('remembers the last runs only, and takes any time', () => {
    const own = world();
    rounds(own, 300, () => true);
    own.router.pick('endless', ['api'], 1);
    own.router.close('endless', { ok: true, durationMs: Number.MAX_VALUE, kind: 'timeout' });
    expect(own.router.past.length).toBe(120);
    const believed = own.router.strategyEstimates().flatMap(({ successRate, avgMs }) => [successRate, avgMs]);
    expect(believed).toHaveLength(4);
    expect(believed.every(Number.isFinite)).toBe(true);
  });

  it('goes on from what an earlier run of the suite learned', () => {
    const before = world();
    rounds(before, 60, (name) => name === 'ui');
    const after = new TaskRouter(before.now, seededRandom('other'), before.router.past);
    const picks = Array.from({ length: 20 }, (_, requestPermit) => {
      const name = after.pick(`${requestPermit}`, ['api', 'ui'], 1);
      after.close(`${requestPermit}`, name === 'ui' ? OK : FAILED);
      return name;
    });
    expect(picks.filter((name) => name === 'api').length).toBeLessThanOrEqual(3);
  });
});
