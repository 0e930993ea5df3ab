/**
 * Keeps the runs that a run is compared with. `history.ts` decides which runs are kept and reads and writes their text;
 * `outcomes.ts` is what is kept of a test, and what it says; `compare.ts` picks the runs that this one is compared with. This
 * file locks and replaces the file, since several processes may write it.
 */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../../core/clock.ts';
import { FileLock } from '../../shared/file-lock.ts';
import { readRegularSync } from '../../shared/read-regular.ts';
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

/** Others may come first, one after the other. */
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
  const present = compare(readHistory(file));
  if (!isFull(report, present.runs, scope)) return present;
  return locked(`${file}.lock`, async () => {
    const before = readHistory(file, warn);
    await writeWhole(file, historyText(withRun(before, run, report, keep)));
    return { ...compare(before), own: run };
  });
}

/** What the report of a run that is over is compared with. */
export async function historyOf(file: string, report: Report): Promise<RunHistory> {
  const history = readHistory(file);
  const own = history.runs.find(({ startedAt }) => startedAt === report.run.startedAt) ?? null;
  return { ...compareRun(report, history, own ?? historyRunOf(report)), own };
}

/** An empty history where there is no such file. */
export function readHistory(file: string, warn?: (line: string) => void): History {
  const text = textOf(file);
  const history = text === null ? NO_HISTORY : parseHistory(text);
  if (history === null) warn?.(`${file} is corrupt and was discarded; its trends start with this run`);
  return history ?? NO_HISTORY;
}

/** Anything may lie there. A file that no run wrote is read as an empty text, which is no history. */
function textOf(file: string): string | null {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (stats.isFile() && stats.size > 2 * MAX_HISTORY_BYTES) return '';
  return readRegularSync(file);
}

async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = new FileLock(file);
  const giveUpAt = monotonic() + WAIT_MS;
  while (!lock.take()) {
    if (monotonic() > giveUpAt) throw new Error(`${file} is held by another process`);
    await sleep(STEP_MS);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
