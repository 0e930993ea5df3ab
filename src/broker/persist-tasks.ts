import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { OUTCOME_KINDS } from '../core/types.ts';
import { type PastRun, REMEMBERED_RUNS } from './task-router.ts';

/** An hour between runs counts as much as a minute within one: what was learned last night is still worth something. */
const PAUSE_COUNTS = 1 / 60;
/** What was learned earlier than this is worth nothing. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000;

const pastRun = z.object({
  name: z.string(),
  ok: z.boolean(),
  durationMs: z.number().nonnegative(),
  kind: z.enum(OUTCOME_KINDS).nullable(),
  at: z.number(),
});
const savedTasks = z.object({
  tasks: z.array(z.object({ name: z.string(), past: z.array(pastRun).max(REMEMBERED_RUNS) })),
});

type SavedTasks = z.infer<typeof savedTasks>['tasks'];

/** What earlier runs learned of strategies, or nothing where the file is missing or damaged: it is a cache. */
export function loadTasks(file: string, now: number): Map<string, PastRun[]> {
  const tasks = new Map<string, PastRun[]>();
  for (const { name, past } of readSaved(file)) {
    const aged = agedBy(past, now);
    if (aged.length > 0) tasks.set(name, aged);
  }
  return tasks;
}

/** For the cache file. */
export function savedTasksOf(tasks: ReadonlyMap<string, readonly PastRun[]>): SavedTasks {
  return [...tasks].map(([name, past]) => ({ name, past: [...past] }));
}

/** History moved up to the present: the time since its last run counts only in part. */
export function agedBy(past: readonly PastRun[], now: number): PastRun[] {
  const last = Math.max(...past.map(({ at }) => at));
  const pause = Math.max(0, now - last);
  if (past.length === 0 || pause > FORGOTTEN_MS) return [];
  // A clock that was set back must not leave history in the future.
  const moved = now - pause * PAUSE_COUNTS - last;
  return past.map((run) => ({ ...run, at: run.at + moved }));
}

function readSaved(file: string): SavedTasks {
  try {
    return savedTasks.parse(JSON.parse(readFileSync(file, 'utf8'))).tasks;
  } catch {
    return [];
  }
}
