import type * as zod from 'zod';
import { OUTCOME_KINDS } from '../core/types.ts';
import { readRegularSync } from '../shared/read-regular.ts';
import { parseEach } from '../shared/parse-each.ts';
import { z } from '../shared/zod.ts';
import { type PastRun, REMEMBERED_RUNS } from './task-router.ts';

/** An hour between runs counts as much as a minute within one: what was learned last night is still worth something. */
const PAUSE_COUNTS = 1 / 60;
/** What is older than this, pauses counted so, is worth nothing: a pause of a month. */
const FORGOTTEN_MS = 12 * 3_600_000;

const pastRun = z.object({
  name: z.string(),
  ok: z.boolean(),
  durationMs: z.number().nonnegative(),
  kind: z.enum(OUTCOME_KINDS).nullable(),
  at: z.number(),
});
const savedTask = z.object({ name: z.string(), past: z.array(pastRun).max(REMEMBERED_RUNS) });

/** The history of a task, as it is kept between runs. */
export type SavedTask = zod.infer<typeof savedTask>;

/** What earlier runs learned, or nothing where the file is missing or damaged: it is a cache. */
export function readTasks(file: string): SavedTask[] {
  try {
    const { tasks } = z.object({ tasks: z.array(z.unknown()) }).parse(JSON.parse(readRegularSync(file)));
    return parseEach(savedTask, tasks);
  } catch {
    return [];
  }
}

/** Of a text that another machine has kept; null where it is not understood. */
export function parseTask(text: string): SavedTask | null {
  try {
    return savedTask.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** For the cache file, and for other machines. */
export function savedTasksOf(tasks: ReadonlyMap<string, readonly PastRun[]>): SavedTask[] {
  return [...tasks].map(([name, past]) => ({ name, past: [...past] }));
}

/** History by task, moved up to the present. Where several know a task, the one that knows the latest. */
export function pastTasks(saved: readonly SavedTask[], now: number): Map<string, PastRun[]> {
  const latest = new Map<string, SavedTask>();
  for (const task of saved) {
    const known = latest.get(task.name);
    if (!known || endOf(task.past) > endOf(known.past)) latest.set(task.name, task);
  }
  const aged = [...latest].map(([name, { past }]) => [name, agedBy(past, now)] as const);
  return new Map(aged.filter(([, past]) => past.length > 0));
}

/** History moved up to the present: the time since its last run counts only in part. */
function agedBy(past: readonly PastRun[], now: number): PastRun[] {
  const pause = Math.max(0, now - endOf(past));
  // A clock that was set back must not leave history in the future.
  const moved = now - pause * PAUSE_COUNTS - endOf(past);
  return past.map((run) => ({ ...run, at: run.at + moved })).filter(({ at }) => now - at < FORGOTTEN_MS);
}

function endOf(past: readonly PastRun[]): number {
  return Math.max(...past.map(({ at }) => at));
}
