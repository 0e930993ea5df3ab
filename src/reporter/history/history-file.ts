/**
 * Keeps the runs that a run is compared with. `history.ts` decides which runs are kept and reads and writes their text;
 * `outcomes.ts` is what is kept of a test, and what it says; `compare.ts` picks the runs that this one is compared with. This
 * file locks and replaces the file, since several processes may write it.
 */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic, systemClock } from '../../core/clock.ts';
import { isCode } from '../../shared/processes.ts';
import { writeWhole } from '../../shared/write-whole.ts';
import type { Report } from '../report/model.ts';
import { compareRun } from './compare.ts';
import {
  historyRunOf,
  historyText,
  isFull,
  MAX_HISTORY_BYTES,
  NO_HISTORY,
  parseHistory,
  type RunScope,
  withRun,
} from './history.ts';
import type { History, RunHistory } from './history-run.ts';

/** A lock this old was left by a process that died: it is held for milliseconds. */
const STALE_MS = 10_000;
const WAIT_MS = 15_000;
const STEP_MS = 25;

export interface HistoryOptions {
  /** Runs of each branch. */
  readonly keep: number;
  readonly scope: RunScope;
  /** As CI names it. */
  readonly defaultBranch: string | null;
  readonly warn: (line: string) => void;
}

/**
 * Adds a full run to the history file, and returns what a run is compared with; null where none is wanted. Several processes may
 * write at once, and a reader always finds a whole file. Rejects where the file cannot be written.
 */
export async function keepHistory(
  file: string,
  report: Report,
  { keep, scope, defaultBranch, warn }: HistoryOptions,
): Promise<RunHistory | null> {
  if (keep <= 0) return null;
  const run = historyRunOf(report);
  const compare = (history: History): RunHistory => compareRun(report, history, run, defaultBranch);
  const present = compare(await readHistory(file));
  if (!isFull(report, present.runs, scope)) return present;
  return locked(`${file}.lock`, async () => {
    const before = await readHistory(file, warn);
    await writeWhole(file, historyText(withRun(before, run, report, keep)));
    return { ...compare(before), own: run };
  });
}

/** What the report of a run that is over is compared with. */
export async function historyOf(file: string, report: Report): Promise<RunHistory> {
  const history = await readHistory(file);
  const own = history.runs.find(({ startedAt }) => startedAt === report.run.startedAt) ?? null;
  return { ...compareRun(report, history, own ?? historyRunOf(report)), own };
}

/** An empty history where there is no such file. */
export async function readHistory(file: string, warn?: (line: string) => void): Promise<History> {
  const text = await textOf(file);
  const history = text === null ? NO_HISTORY : parseHistory(text);
  if (history === null) warn?.(`${file} is corrupt and was discarded; its trends start with this run`);
  return history ?? NO_HISTORY;
}

/** Anything may lie there. Never a pipe, which could be read without end. */
async function textOf(file: string): Promise<string | null> {
  const stats = await stat(file).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (stats === null) return null;
  if (!stats.isFile()) throw new Error(`${file} is not a file`);
  return stats.size > 2 * MAX_HISTORY_BYTES ? '' : readFile(file, 'utf8');
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
