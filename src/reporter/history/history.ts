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

/** What of a run says whether trends may compare it with the runs before. */
export interface RunScope {
  /** Its command line asked for a part of the tests, or it came from an editor. */
  readonly narrowed: boolean;
  /** `test.only` is forbidden, so that it cannot have been a part of the tests unseen. */
  readonly forbidOnly: boolean;
  /** One shard of several, not merged with the others. */
  readonly oneShard: boolean;
}

/** A narrowed run that has this part of the last one's tests is the whole of a regular job. */
const WHOLE = 0.9;
/** With fewer than this part of the last one's tests, `test.only` was at work. */
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

/** Whether a run is one of the trend's: a full one, as far as that can be told. */
export function isFull(report: Report, runs: readonly HistoryRun[], scope: RunScope): boolean {
  const { run, totals } = report;
  if (run.status === 'interrupted' || totals.tests === 0) return false;
  if (scope.oneShard || run.shards.present.length < run.shards.total) return false;
  const before = runs.at(-1)?.totals.tests ?? 0;
  if (scope.narrowed) return totals.tests >= before * WHOLE;
  return scope.forbidOnly || totals.tests >= before * ONLY;
}

/** The runs with one more, oldest first, the last `keep` of them. The same run told again takes its own place. */
export function withRun(runs: readonly HistoryRun[], run: HistoryRun, keep: number): HistoryRun[] {
  const others = runs.filter(({ startedAt }) => startedAt !== run.startedAt);
  const ordered = [...others, run].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return ordered.slice(-keep);
}

/** The runs of a history file, without those that cannot be read; null where the text is no history. */
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
