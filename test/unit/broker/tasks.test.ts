import { describe, expect, it } from 'vitest';
import { parseTask, pastTasks, savedTasksOf } from '../../../src/broker/persist-tasks.ts';
import { DeterministicWorld } from '../../../src/broker/deterministic.ts';
import type { PastRun } from '../../../src/broker/task-router.ts';
import { Tasks } from '../../../src/broker/tasks.ts';
import { seededRandom } from '../../../src/core/clock.ts';

const OK = { ok: true, durationMs: 50, kind: null };
const HOUR = 3_600_000;

function tasksAt(now: () => number, chance = 'chance'): { tasks: Tasks; changes: () => number } {
  let changes = 0;
  const onChange = (): void => void changes++;
  const tasks = new Tasks({ now, random: seededRandom(chance), onChange });
  return { tasks, changes: () => changes };
}

describe('the tasks of a project', () => {
  it('learn from all links', () => {
    let now = 0;
    const { tasks } = tasksAt(() => now);
    const picks = Array.from({ length: 60 }, (_, choice) => {
      const request = {
        round: `${choice}`,
        task: 'login',
        candidates: ['api', 'ui'],
        attempt: 1,
        seed: null,
      };
      const { name } = tasks.pick(`link ${choice % 6}`, request);
      now += 200;
      tasks.record(`${choice}`, { ...OK, ok: name === 'ui' });
      return name;
    });
    expect(picks.slice(20).filter((name) => name === 'api').length).toBeLessThanOrEqual(6);
  });

  it('forget what a link ran when it died', () => {
    const { tasks, changes } = tasksAt(() => 0);
    const request = { task: 'login', candidates: ['api'], attempt: 1, seed: null };
    tasks.pick('dying', { ...request, round: 'one' });
    tasks.pick('living', { ...request, round: 'two' });
    tasks.dropClient('dying');
    tasks.record('one', { ...OK, ok: false });
    tasks.record('two', OK);
    expect(tasks.past.get('login')!.map(({ ok }) => ok)).toEqual([true]);
    expect(changes()).toBe(1);
  });

  it('pick anew for a link that asks again', () => {
    const { tasks } = tasksAt(() => 0);
    const request = { round: 'one', task: 'login', candidates: ['api'], attempt: 1, seed: null };
    tasks.pick('link', request);
    tasks.pick('link', request);
    tasks.record('one', OK);
    expect(tasks.past.get('login')).toHaveLength(1);
  });
});

describe('a seeded run', () => {
  /** Two workers, whose runs end in an order of their own; times differ by up to `noise`. */
  function picksOf(
    seed: string,
    run: string,
    noise: number,
    tasks = tasksAt(() => noise * 1e6).tasks,
  ): string[] {
    const random = seededRandom(`${noise}`);
    return Array.from({ length: 120 }, (_, index) => {
      const seeded = { value: seed, run, worker: index % 2, choice: Math.floor(index / 2) };
      const round = `${run} ${index}`;
      const { name } = tasks.pick('link', {
        round,
        task: 'login',
        candidates: ['a', 'b', 'c'],
        attempt: 1,
        seed: seeded,
      });
      const usual = name === 'c' ? 900 : 120;
      const ok = name !== 'a' || index < 30 || index > 80;
      tasks.record(round, { ok, durationMs: usual * (1 + noise * random()), kind: null });
      return name;
    });
  }

  it('makes the same choices again, whatever the clock and small differences of time', () => {
    expect(picksOf('7', 'run 1', 0)).toEqual(picksOf('7', 'run 2', 0.3));
  });

  it('draws by seed, task, worker and turn', () => {
    const draw = (value: string, task: string, worker: number, choice: number): number => {
      const world = new DeterministicWorld();
      world.seedFor(task, { value, run: `${Math.random()}`, worker, choice });
      return world.random();
    };
    expect(draw('7', 'login', 0, 0)).toBe(draw('7', 'login', 0, 0));
    const others = [
      draw('8', 'login', 0, 0),
      draw('7', 'logout', 0, 0),
      draw('7', 'login', 1, 0),
      draw('7', 'login', 0, 1),
    ];
    expect(new Set([draw('7', 'login', 0, 0), ...others]).size).toBe(5);
  });

  it('neither hears from other runs nor tells them', () => {
    const { tasks, changes } = tasksAt(() => 0);
    const first = picksOf('7', 'run 1', 0, tasks);
    expect(picksOf('7', 'run 2', 0, tasks)).toEqual(first);
    expect([tasks.past.size, changes()]).toEqual([0, 0]);
  });
});

describe('what was learned before', () => {
  const run = (at: number, name = 'api'): PastRun => ({ name, ok: true, durationMs: 5, kind: null, at });
  const saved = (...past: PastRun[]): { name: string; past: PastRun[] }[] => [{ name: 'login', past }];
  const times = (tasks: Map<string, PastRun[]>): number[] => (tasks.get('login') ?? []).map(({ at }) => at);

  it('counts as much as a minute old after an hour', () => {
    const now = HOUR + 1_000;
    expect(times(pastTasks(saved(run(0), run(1_000)), now))).toEqual([now - 61_000, now - 60_000]);
  });

  it('is never in the future, and forgotten after a month', () => {
    expect(times(pastTasks(saved(run(0), run(1_000)), 500))).toEqual([-500, 500]);
    expect(pastTasks(saved(run(0)), 29 * 24 * HOUR).size).toBe(1);
    expect(pastTasks(saved(run(0)), 31 * 24 * HOUR).size).toBe(0);
    expect(pastTasks(saved(), 5).size).toBe(0);
  });

  it('is of whoever knows the latest', () => {
    const tasks = pastTasks(
      [...saved(run(5, 'old')), ...saved(run(9, 'new')), ...saved(run(7, 'older'))],
      10,
    );
    expect(tasks.get('login')!.map(({ name }) => name)).toEqual(['new']);
  });

  it('is told anew only where something was learned since', () => {
    const { tasks } = tasksAt(() => 1_000);
    tasks.restore(new Map([['logout', [run(1)]]]));
    tasks.pick('link', { round: 'one', task: 'login', candidates: ['api'], attempt: 1, seed: null });
    tasks.record('one', OK);
    expect([...tasks.takeNew().keys()]).toEqual(['login']);
    expect(tasks.takeNew().size).toBe(0);
    expect(new Set(tasks.past.keys())).toEqual(new Set(['login', 'logout']));
  });

  it('is the same again after it was written, and nothing where it is damaged', () => {
    const [task] = savedTasksOf(new Map([['login', [run(1)]]]));
    expect(parseTask(JSON.stringify(task))).toEqual(task);
    for (const text of ['', '{}', '{"name":"login","past":[{"name":"api"}]}'])
      expect(parseTask(text)).toBeNull();
  });
});
