import type { Verdict } from '../../core/types.ts';
import { count, counted, percent } from '../../shared/format.ts';
import type { Report } from '../report/model.ts';
import type { Interval } from '../report/state-intervals.ts';
import { boxes } from './shapes.ts';
import { getOrCreate } from '../collect/counts.ts';

const MAX_ROWS = 12;
const WIDTH = 1000;
/** Clocks of workers and runner may differ by a little. */
const OVERLAP_MS = 100;
/** In units of the chart: narrower bars side by side become one. */
const NARROW = 3;

/** The tests of one worker slot over time. A worker that dies is followed by another in its slot. */
interface WorkerTimelineRow {
  readonly name: string;
  /** `140 results, 3 failed, busy 96 %` */
  readonly note: string;
  /** The same, short: `3 of 140 failed` */
  readonly short: string;
  readonly bars: readonly { readonly mark: Mark; readonly path: string }[];
}

export interface WorkerTimeline {
  readonly shown: readonly WorkerTimelineRow[];
  readonly more: string | null;
}

type Mark = 'ok' | Verdict;

/** When a worker ran a test. */
interface TestInterval extends Interval {
  readonly shard: number | null;
  readonly worker: number | null;
  readonly mark: Mark;
}

interface WorkerSlot {
  readonly shard: number | null;
  readonly tests: TestInterval[];
}

const MARKS: readonly Mark[] = ['ok', 'unknown', 'environment', 'product'];

export function workerTimeline(report: Report, span: Interval): WorkerTimeline {
  const slots = assignSlots(testIntervalsOf(report));
  const shown = slots.slice(0, MAX_ROWS);
  const cut = slots.length - shown.length;
  const isSharded = new Set(slots.map(({ shard }) => shard)).size > 1;
  const numbers = new Map<number | null, number>();
  return {
    shown: shown.map((slot) => {
      const number = (numbers.get(slot.shard) ?? 0) + 1;
      numbers.set(slot.shard, number);
      const name = isSharded ? `Shard ${slot.shard ?? '?'}, slot ${number}` : `Slot ${number}`;
      return { name, note: noteOf(slot, span), short: shortOf(slot), bars: barsOf(slot, span) };
    }),
    more: cut === 0 ? null : `${counted(cut, 'more worker slot')} not shown.`,
  };
}

function testIntervalsOf(report: Report): TestInterval[] {
  const intervals: TestInterval[] = [];
  for (const test of report.tests) {
    for (const { status, startedAt, durationMs, shard, worker, verdict } of test.results) {
      if (status === 'skipped') continue;
      const from = Date.parse(startedAt);
      intervals.push({ from, to: from + durationMs, shard, worker, mark: verdict ?? 'ok' });
    }
  }
  return intervals.sort((a, b) => a.from - b.from);
}

/** Each test goes to the slot of its worker, else to a free slot of its shard. */
function assignSlots(intervals: readonly TestInterval[]): WorkerSlot[] {
  const shards = new Map<number | null, WorkerSlot[]>();
  for (const test of intervals) {
    const slots = getOrCreate(shards, test.shard, () => []);
    const free = slots.filter(({ tests }) => tests.at(-1)!.to <= test.from + OVERLAP_MS);
    const same = free.find(({ tests }) => tests.at(-1)!.worker === test.worker);
    const slot = same ?? free[0];
    if (slot) slot.tests.push(test);
    else slots.push({ shard: test.shard, tests: [test] });
  }
  return [...shards].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity)).flatMap(([, slots]) => slots);
}

function shortOf({ tests }: WorkerSlot): string {
  const failed = tests.filter(({ mark }) => mark !== 'ok').length;
  return failed > 0 ? `${count(failed)} of ${count(tests.length)} failed` : counted(tests.length, 'result');
}

function noteOf({ tests }: WorkerSlot, span: Interval): string {
  const busy = tests.reduce((sum, { from, to }) => sum + to - from, 0) / Math.max(1, span.to - span.from);
  const workers = new Set(tests.map(({ worker }) => worker)).size;
  const failed = tests.filter(({ mark }) => mark !== 'ok').length;
  const parts = [
    `${count(tests.length)} results`,
    failed > 0 ? `${count(failed)} failed` : '',
    workers > 1 ? `${count(workers)} workers` : '',
    `busy ${percent(Math.min(1, busy))}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function barsOf({ tests }: WorkerSlot, span: Interval): WorkerTimelineRow['bars'] {
  const unit = Math.max(1, span.to - span.from) / WIDTH;
  return MARKS.map((mark) => {
    const bars: { from: number; to: number }[] = [];
    for (const { from, to, mark: own } of tests) {
      if (own !== mark) continue;
      const last = bars.at(-1);
      const joins = last && from - last.to < unit && to - from < NARROW * unit;
      if (joins) last.to = Math.max(last.to, to);
      // Wide bars end a little early, so that neighbours are told apart.
      else bars.push({ from, to: to - from > NARROW * unit ? to - unit : to });
    }
    return { mark, path: boxes(bars, span, WIDTH, 1) };
  }).filter(({ path }) => path !== '');
}
