import type { CollectedResult, CollectedTest } from './run-state.ts';
import type { TestOutcome } from '../report/model.ts';

/** First line of a journal: facts of the run. */
export interface JournalHead {
  readonly journal: 'gemba-journal/1';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly playwright: string;
  readonly title: string;
  /** How many tests the run has. */
  readonly planned: number;
  readonly shard: { readonly current: number; readonly total: number } | null;
  /** The runner's process: whether it lives tells if the run goes on. */
  readonly host: string;
  readonly pid: number;
}

export type JournalTest = Pick<CollectedTest, 'id' | 'title' | 'file' | 'line' | 'project' | 'tags'>;

/** The part of a result that is not in its record. */
export type JournalResult = Pick<
  CollectedResult,
  | 'retry'
  | 'status'
  | 'failed'
  | 'crashed'
  | 'startedAt'
  | 'durationMs'
  | 'shard'
  | 'worker'
  | 'errors'
  | 'trace'
>;

/** A test that began. */
export interface BeganLine {
  readonly began: JournalTest;
  readonly retry: number;
  readonly worker: number;
  readonly at: number;
}

/** An ended result with its worker's record. */
export interface EndedLine {
  readonly ended: string;
  readonly at: number;
  readonly outcome: TestOutcome;
  readonly result: JournalResult;
  /** Null where there is none. */
  readonly record: unknown;
}

/** The journal has reached its limit. */
export interface CutLine {
  readonly cut: true;
}

export type JournalLine = BeganLine | EndedLine | CutLine;
