import type { Verdict } from '../../core/types.ts';
import type { RunStatus } from '../report/model.ts';

/** One run in the history. */
export interface HistoryRun {
  readonly startedAt: string;
  readonly durationMs: number;
  readonly status: RunStatus;
  readonly totals: {
    readonly tests: number;
    readonly passed: number;
    readonly failed: number;
    readonly flaky: number;
    readonly skipped: number;
  };
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly requests: number;
  readonly successRate: number | null;
  readonly p95Ms: number | null;
  readonly waitedMs: number;
}
