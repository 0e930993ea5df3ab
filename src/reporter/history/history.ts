import { z } from '../../shared/zod.ts';
import type { HistoryRun } from './history-run.ts';
import type { Report } from '../report/model.ts';

const count = z.number().int().min(0);
const rate = z.number().min(0).max(1).nullable();

const historyRun = z.object({
  startedAt: z.iso.datetime(),
  durationMs: z.number().min(0),
  status: z.enum(['passed', 'failed', 'timedout', 'interrupted']),
  totals: z.object({ tests: count, passed: count, failed: count, flaky: count, skipped: count }),
  verdicts: z.object({ product: count, environment: count, unknown: count }),
  requests: count,
  successRate: rate,
  p95Ms: z.number().min(0).nullable(),
  waitedMs: z.number().min(0),
});
const historyFile = z.object({ schema: z.literal('gemba-history/1'), runs: z.array(z.unknown()) });

/** Whether trends may compare the run with earlier ones. */
export interface RunScope {
  /** Its command line selects a part of the tests, or an editor started it. */
  readonly narrowed: boolean;
  /** `test.only` is forbidden, so it did not reduce the tests. */
  readonly forbidOnly: boolean;
  /** One of several shards, not merged. */
  readonly oneShard: boolean;
}

/** A narrowed run with this share of the last run's tests is a regular job's. */
const WHOLE = 0.9;
/** With less than this share of the last run's tests, `test.only` was used. */
const ONLY = 0.5;

export function historyRunOf({ run, totals, verdicts }: Report): HistoryRun {
  const { tests, passed, failed, flaky, skipped, requests, successRate, p95Ms, waitedMs } = totals;
  return {
    startedAt: run.startedAt,
    durationMs: run.durationMs,
    status: run.status,
    totals: { tests, passed, failed, flaky, skipped },
    verdicts,
    requests,
    successRate,
    p95Ms,
    waitedMs,
  };
}

/** Whether the run is a full one, as far as that can be told. */
export function isFull(report: Report, runs: readonly HistoryRun[], scope: RunScope): boolean {
  const { run, totals } = report;
  if (run.status === 'interrupted' || totals.tests === 0) return false;
  if (scope.oneShard || run.shards.present.length < run.shards.total) return false;
  const before = runs.at(-1)?.totals.tests ?? 0;
  if (scope.narrowed) return totals.tests >= before * WHOLE;
  return scope.forbidOnly || totals.tests >= before * ONLY;
}

/** The last `keep` runs with this one, oldest first. The same run recorded twice replaces its entry. */
export function withRun(runs: readonly HistoryRun[], run: HistoryRun, keep: number): HistoryRun[] {
  const others = runs.filter(({ startedAt }) => startedAt !== run.startedAt);
  const ordered = [...others, run].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return ordered.slice(-keep);
}

/** The runs of a history file, without those that cannot be read; null where the text is not a history. */
export function parseHistory(text: string): HistoryRun[] | null {
  try {
    const { runs } = historyFile.parse(JSON.parse(text));
    return runs.flatMap((run) => historyRun.safeParse(run).data ?? []);
  } catch {
    return null;
  }
}

/** `history.json`: one line a run. */
export function historyText(runs: readonly HistoryRun[]): string {
  const lines = runs.map((run) => `    ${JSON.stringify(run)}`);
  return `{\n  "schema": "gemba-history/1",\n  "runs": [\n${lines.join(',\n')}\n  ]\n}\n`;
}
