import { count, duration, encodedPart } from '../../shared/format.ts';
import { waitedMsOf } from './waits.ts';
import type { ReportTest } from '../report/model.ts';

const MAX_ROWS = 5;

export interface ExtremesView {
  readonly lists: readonly ExtremeList[];
}

interface ExtremeList {
  readonly title: string;
  readonly columns: readonly [string, string];
  readonly rows: readonly ExtremeRow[];
  readonly empty: string;
}

interface ExtremeRow {
  readonly id: string;
  readonly title: string;
  readonly first: string;
  readonly second: string;
}

interface Timed {
  readonly test: ReportTest;
  readonly tookMs: number;
  readonly waitedMs: number;
}

/** The slowest tests, and those that waited longest: for leases, rate limits and request retries. */
export function extremesView(tests: readonly ReportTest[]): ExtremesView | null {
  const ran = tests.filter(({ results }) => results.length > 0).map(timed);
  if (ran.length === 0) return null;
  const top = (of: (timed: Timed) => number): Timed[] =>
    ran
      .filter((each) => of(each) > 0)
      .sort((a, b) => of(b) - of(a))
      .slice(0, MAX_ROWS);
  return {
    lists: [
      {
        title: 'Slowest tests',
        columns: ['Took', 'Attempts'],
        rows: top(({ tookMs }) => tookMs).map(({ test, tookMs }) => {
          return toRow(test, duration(tookMs), count(test.results.length));
        }),
        empty: 'No test took measurable time.',
      },
      {
        title: 'Longest waits',
        columns: ['Waited', 'Took'],
        rows: top(({ waitedMs }) => waitedMs).map(({ test, tookMs, waitedMs }) => {
          return toRow(test, duration(waitedMs), duration(tookMs));
        }),
        empty: 'No test waited.',
      },
    ],
  };
}

function timed(test: ReportTest): Timed {
  return {
    test,
    tookMs: test.results.reduce((sum, { durationMs }) => sum + durationMs, 0),
    waitedMs: waitedMsOf(test),
  };
}

function toRow(test: ReportTest, first: string, second: string): ExtremeRow {
  return { id: encodedPart(test.id), title: test.title, first, second };
}
