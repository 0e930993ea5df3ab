import type { MemberKind, Verdict } from '../../core/types.ts';
import type { RunStatus } from '../report/model.ts';

/** One run in the history. */
export interface HistoryRun {
  readonly startedAt: string;
  /** Null where it is unknown. */
  readonly branch: string | null;
  readonly commit: string | null;
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
  readonly members: readonly HistoryMember[];
}

/** What one member did in a run. */
export interface HistoryMember {
  readonly pool: string;
  readonly kind: MemberKind;
  readonly name: string;
  readonly requests: number;
  readonly failures: number;
  readonly tokens: number | null;
  /** How long it was not healthy. */
  readonly unhealthyMs: number;
}

/** The runs of a history file, oldest first, with the outcome of each test in each of them. */
export interface History {
  readonly runs: readonly HistoryRun[];
  /** One letter a run (`outcomes.ts`), by the test's name in the history. */
  readonly tests: ReadonlyMap<string, string>;
}

/** This run beside those that it is compared with. */
export interface RunHistory {
  /** Earlier runs of the same branch where that has any, else of the default branch, else all; oldest first. */
  readonly runs: readonly HistoryRun[];
  /** This run; null where it is not kept, since it is not a full one. */
  readonly own: HistoryRun | null;
  /** The outcomes of each test in the last of those runs, this run's last, by id. */
  readonly outcomes: ReadonlyMap<string, string>;
  /** What it is compared with: a branch, or null for all. */
  readonly comparedWith: string | null;
}
