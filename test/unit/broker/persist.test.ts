import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { contextOf } from '../../../src/broker/context.ts';
import { loadState, saveState, writePrivate } from '../../../src/broker/persist.ts';
import { readTasks } from '../../../src/broker/persist-tasks.ts';
import { healthOf } from '../../../src/core/health/states.ts';
import { newPoolState, type PoolState } from '../../../src/core/state.ts';
import { limitsOf } from '../../../src/core/pace/model-limits.ts';
import { startPermit, untilPermit } from '../../../src/core/pace/pace.ts';
import { memberStateOf } from '../../../src/core/members.ts';
import { HEALTH_STATES } from '../../../src/core/types.ts';
import { PoolRouting } from '../../../src/router/routing.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-persist-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('where it cannot be written keeps what was there, and leaves nothing else', () => {
  const file = path.join(folder, 'cache.json');
  mkdirSync(file);
  writeFileSync(path.join(file, 'old'), 'old');
  writePrivate(file, 'new');
  expect(readFileSync(path.join(file, 'old'), 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['cache.json']);
});

it('writes through no link that somebody has laid there, and for nobody else to read', () => {
  const file = path.join(folder, 'cache.json');
  const victim = path.join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, file);
  symlinkSync(victim, `${file}.${process.pid}.tmp`);
  writePrivate(file, 'new');
  expect(readFileSync(victim, 'utf8')).toBe('untouched');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

const routing = new PoolRouting(() => 0.5);
const context = contextOf({ now: () => 1_000, random: () => 0.5, routing });

/** One key in each health state. */
function everyState(): PoolState {
  const pool = newPoolState('api');
  for (const state of HEALTH_STATES) {
    const member = memberStateOf(pool, 'key', { id: state, name: state }, context);
    member.health = healthOf(state, 60_000, `is ${state}`);
  }
  return pool;
}

it('restores every health state that it has written', () => {
  const file = path.join(folder, 'cache.json');
  saveState(file, [everyState()], new Map(), routing, context);
  const restored = [...loadState(file, context, routing).get('api')!.members.values()];
  expect(restored.map(({ health }) => health)).toEqual(
    HEALTH_STATES.map((state) => healthOf(state, 60_000, `is ${state}`)),
  );
});

it('leaves out an entry that it does not understand, and restores all others', () => {
  const file = path.join(folder, 'cache.json');
  saveState(
    file,
    [everyState()],
    new Map([
      ['sign in', [run('form')]],
      ['pay', [run('card')]],
    ]),
    routing,
    context,
  );
  const saved = JSON.parse(readFileSync(file, 'utf8')) as Saved;
  saved.pools[0]!.members[1]!.health.state = 'a state of tomorrow';
  saved.pools.push({ name: 'other', members: 'not a list' as never });
  saved.tasks[0]!.past[0]!.kind = 'a kind of tomorrow';
  writeFileSync(file, JSON.stringify(saved));
  const pools = loadState(file, context, routing);
  expect([...pools.keys()]).toEqual(['api']);
  expect([...pools.get('api')!.members.values()].map(({ id }) => id)).toEqual(
    HEALTH_STATES.filter((_, index) => index !== 1),
  );
  expect(readTasks(file).map(({ name }) => name)).toEqual(['pay']);
});

it('keeps pauses of models, learned paces and the calls that count against a rate, by their dates', () => {
  const file = path.join(folder, 'cache.json');
  const pool = newPoolState('api');
  const member = memberStateOf(pool, 'key', { id: 'one', name: 'one' }, context);
  const limits = limitsOf(member, { model: 'm' });
  Object.assign(limits, { coolUntil: 9_000, throttles: 2, learned: { rpm: 30, at: 900 } });
  startPermit(limits.pace, 1, 'lease', 950);
  limitsOf(member, { model: 'unused' });
  // The machine's date was set an hour ahead since the broker began.
  saveState(file, [pool], new Map(), routing, { ...context, dateOf: (at) => at + 3_600_000 });
  const restored = loadState(file, context, routing).get('api')!.members.get('key:one')!;
  const [model, none] = [...restored.modelLimits];
  expect(none).toBeUndefined();
  expect(model).toMatchObject([
    'm',
    { coolUntil: 3_609_000, throttles: 2, learned: { rpm: 30, at: 3_600_900 }, served: [] },
  ]);
  expect(untilPermit(model![1].pace, 1, 3_601_000)).toBe(59_950);
});

it('takes no date from the file that nobody can have set', () => {
  const file = path.join(folder, 'cache.json');
  saveState(file, [everyState()], new Map(), routing, context);
  const saved = JSON.parse(readFileSync(file, 'utf8')) as Saved;
  saved.pools[0]!.members[1]!.health.until = 1e300;
  writeFileSync(file, JSON.stringify(saved));
  const [pool] = loadState(file, context, routing).values();
  expect([...pool!.members.values()].map(({ id }) => id)).toEqual(
    HEALTH_STATES.filter((_, index) => index !== 1),
  );
});

it.skipIf(process.platform === 'win32')(
  'is empty, at once, where something else lies in the place of the file',
  () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(loadState(pipe, context, routing).size).toBe(0);
    expect(readTasks(pipe)).toEqual([]);
    expect(loadState(folder, context, routing).size).toBe(0);
    saveState(pipe, [everyState()], new Map(), routing, context);
    expect(loadState(pipe, context, routing).size).toBe(1);
  },
);

interface Saved {
  pools: { name: string; members: { health: { state: string; until?: number } }[] }[];
  tasks: { past: { kind: string | null }[] }[];
}

function run(name: string): { name: string; ok: boolean; durationMs: number; kind: null; at: number } {
  return { name, ok: true, durationMs: 5, kind: null, at: 500 };
}
