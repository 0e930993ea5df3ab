import { VERDICTS } from '../../core/types.ts';
import { count, counted, dateTime, duration, isoTime, NOT_MEASURED, percent } from '../../shared/format.ts';
import type { HistoryRun, RunHistory } from '../history/history-run.ts';
import type { RunStatus } from '../report/model.ts';
import { short } from './shapes.ts';

export interface TrendsView {
  readonly note: string;
  readonly charts: readonly TrendChart[];
  readonly rows: readonly TrendRow[];
  readonly from: string;
  readonly to: string;
}

interface TrendChart {
  readonly title: string;
  /** Of the present run. */
  readonly now: string;
  readonly before: string;
  readonly label: string;
  readonly high: string;
  readonly low: string;
  readonly paths: readonly { readonly mark: string; readonly path: string }[];
}

interface TrendRow {
  readonly at: string;
  readonly status: RunStatus;
  readonly cells: readonly string[];
}

/** Runs that are drawn. */
const MAX_RUNS = 40;
const WIDTH = 100;
const HEIGHT = 40;
const NONE = '–';

/** This run, the last one, beside those before it; null with fewer than two. */
export function trendsView(history: RunHistory | null): TrendsView | null {
  if (!history?.own) return null;
  const { own, comparedWith } = history;
  const runs = [...history.runs, own].slice(-MAX_RUNS);
  if (runs.length < 2) return null;
  const day = (run: HistoryRun): string => isoTime(Date.parse(run.startedAt)).slice(0, 10);
  return {
    note: `This run, at the right, and the ${counted(runs.length - 1, 'run')} before it${comparedWith === null ? '' : ` on ${comparedWith}`}.`,
    from: day(runs[0]!),
    to: day(runs.at(-1)!),
    charts: [
      verdictChart(runs),
      lineChart(runs, { title: 'Success rate', of: (run) => run.successRate, format: percent }),
      lineChart(runs, { title: 'p95 response', of: (run) => run.p95Ms, format: duration, fromZero: true }),
      lineChart(runs, { title: 'Duration', of: (run) => run.durationMs, format: duration, fromZero: true }),
    ],
    rows: runs.toReversed().map(toRow),
  };
}

function verdictChart(runs: readonly HistoryRun[]): TrendChart {
  const sum = ({ verdicts }: HistoryRun): number =>
    VERDICTS.reduce((all, verdict) => all + verdicts[verdict], 0);
  const most = Math.max(1, ...runs.map(sum));
  const step = WIDTH / runs.length;
  const bars = (verdict: (typeof VERDICTS)[number], below: readonly (typeof VERDICTS)[number][]): string =>
    runs
      .map(({ verdicts }, index) => {
        if (verdicts[verdict] === 0) return '';
        const ground = below.reduce((all, other) => all + verdicts[other], 0);
        const height = (verdicts[verdict] / most) * HEIGHT;
        const [x, y] = [short((index + 0.12) * step), short(HEIGHT - (ground / most) * HEIGHT)];
        return `M${x} ${y}v-${short(height)}h${short(step * 0.76)}V${y}z`;
      })
      .join('');
  const now = runs.at(-1)!;
  const paths = VERDICTS.map((verdict, index) => {
    return { mark: verdict, path: bars(verdict, VERDICTS.slice(0, index)) };
  });
  return {
    title: 'Tests with a failed attempt, by verdict',
    now: count(sum(now)),
    before: `median before ${count(median(runs.slice(0, -1).map(sum)) ?? 0)}`,
    label: `Tests with a failed attempt by verdict, at most ${count(most)} in a run.`,
    high: count(most),
    low: '0',
    paths: paths.filter(({ path }) => path !== ''),
  };
}

interface TrendLine {
  readonly title: string;
  readonly of: (run: HistoryRun) => number | null;
  readonly format: (value: number) => string;
  readonly fromZero?: boolean;
}

function lineChart(
  runs: readonly HistoryRun[],
  { title, of, format, fromZero = false }: TrendLine,
): TrendChart {
  const values = runs.map(of);
  const known = values.filter((value) => value !== null);
  const high = known.length === 0 ? 1 : Math.max(...known);
  const low = fromZero || known.length === 0 ? 0 : Math.min(...known);
  const now = values.at(-1) ?? null;
  const before = median(values.slice(0, -1).filter((value) => value !== null));
  const text = (value: number | null): string => (value === null ? NOT_MEASURED : format(value));
  return {
    title,
    now: text(now),
    before: before === null ? 'not measured before' : `median before ${format(before)}`,
    label: `${title}: ${text(now)} in this run, between ${format(low)} and ${format(high)} in all.`,
    high: known.length === 0 ? NONE : format(high),
    low: known.length === 0 ? NONE : format(low),
    paths: [{ mark: 'line', path: line(values, low, high) }],
  };
}

function line(values: readonly (number | null)[], low: number, high: number): string {
  const step = WIDTH / values.length;
  let gap = true;
  return values
    .map((value, index) => {
      const pen = gap ? 'M' : 'L';
      gap = value === null;
      if (value === null) return '';
      const y = HEIGHT - 2 - ((value - low) / (high - low || 1)) * (HEIGHT - 4);
      // A single point needs a length to be visible.
      return `${pen}${short((index + 0.5) * step)} ${short(y)}${pen === 'M' ? 'h.01' : ''}`;
    })
    .join('');
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function toRow(run: HistoryRun): TrendRow {
  const { totals, verdicts, successRate, p95Ms, durationMs, waitedMs } = run;
  return {
    at: dateTime(Date.parse(run.startedAt)),
    status: run.status,
    cells: [
      count(totals.tests),
      count(totals.failed),
      count(totals.flaky),
      ...VERDICTS.map((verdict) => count(verdicts[verdict])),
      successRate === null ? NOT_MEASURED : percent(successRate),
      p95Ms === null ? NONE : duration(p95Ms),
      duration(durationMs),
      duration(waitedMs),
    ],
  };
}
