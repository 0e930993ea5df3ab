/**
 * Keeps the runs for trends. `history.ts` decides which runs are kept and reads and writes their text; this file locks and
 * replaces the file, since several processes may write it.
 */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic, systemClock } from '../../core/clock.ts';
import { isCode } from '../../shared/processes.ts';
import { historyRunOf, historyText, isFull, parseHistory, type RunScope, withRun } from './history.ts';
import type { HistoryRun } from './history-run.ts';
import type { Report } from '../report/model.ts';
import { writeWhole } from '../../shared/write-whole.ts';

/** A lock this old was left by a process that died: it is held for milliseconds. */
const STALE_MS = 10_000;
const WAIT_MS = 15_000;
const STEP_MS = 25;

/**
 * Adds a full run to the history file, and returns the runs for trends. Several processes may write at once, and a reader always
 * finds a whole file. Rejects where the file cannot be written.
 */
export async function keepHistory(
  file: string,
  report: Report,
  { keep, scope, warn }: { keep: number; scope: RunScope; warn: (line: string) => void },
): Promise<readonly HistoryRun[]> {
  if (keep <= 0) return [];
  if (!isFull(report, await readHistory(file), scope)) return (await readHistory(file)).slice(-keep);
  return locked(`${file}.lock`, async () => {
    const before = await readHistory(file, warn);
    const runs = withRun(before, historyRunOf(report), keep);
    await writeWhole(file, historyText(runs));
    return runs;
  });
}

/** The runs of a history file; none where there is no such file. */
export async function readHistory(file: string, warn?: (line: string) => void): Promise<HistoryRun[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  });
  const runs = text === null ? [] : parseHistory(text);
  if (runs === null) warn?.(`${file} is corrupt and was discarded; its trends start with this run`);
  return runs ?? [];
}

async function locked<T>(lock: string, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(lock), { recursive: true });
  const giveUpAt = monotonic() + WAIT_MS;
  while (!(await take(lock))) {
    if (monotonic() > giveUpAt) throw new Error(`${lock} is held by another process`);
    await sleep(STEP_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    await stealStale(lock);
    return false;
  }
}

/** Renaming is atomic: of several processes that find a stale lock, one removes it. */
async function stealStale(lock: string): Promise<void> {
  try {
    if (systemClock() - (await stat(lock)).mtimeMs < STALE_MS) return;
    const taken = `${lock}.${process.pid}`;
    await rename(lock, taken);
    await rm(taken, { force: true });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
