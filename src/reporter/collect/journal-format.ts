import type { SeenResult, SeenTest } from './collected.ts';
import type { TestOutcome } from '../report/model.ts';

/** First line of a journal: what the results do not tell of the run. */
export interface JournalHead {
  readonly journal: 'gemba-journal/1';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly playwright: string;
  readonly title: string;
  /** How many tests the run was going to run. */
  readonly planned: number;
  readonly shard: { readonly current: number; readonly total: number } | null;
  /** The runner, to tell a run that goes on from one that was ended. */
  readonly host: string;
  readonly pid: number;
}

export type JournalTest = Pick<SeenTest, 'id' | 'title' | 'file' | 'line' | 'project'>;

/** What of a result its records do not tell. */
export type JournalResult = Omit<
  SeenResult,
  | 'leases'
  | 'faults'
  | 'requests'
  | 'requestsOmitted'
  | 'degraded'
  | 'pinned'
  | 'refused'
  | 'unleased'
  | 'told'
>;

/** A test that began. */
export interface BeganLine {
  readonly began: JournalTest;
  readonly retry: number;
  readonly worker: number;
  readonly at: number;
}

/** A result that is whole, with what its worker told. */
export interface EndedLine {
  readonly ended: string;
  readonly at: number;
  readonly outcome: TestOutcome;
  readonly result: JournalResult;
  readonly records: readonly unknown[];
}

/** Nothing more was kept: the journal had reached its limit. */
export interface CutLine {
  readonly cut: true;
}

export type JournalLine = BeganLine | EndedLine | CutLine;
