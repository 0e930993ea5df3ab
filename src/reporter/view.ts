import { count, counted, dateTime, duration, NOT_MEASURED, percent } from '../shared/format.ts';
import { type TimelineView, timelineView } from './charts.ts';
import type { HistoryRun } from './history-run.ts';
import { packIsland } from './island.ts';
import type { Report, ReportTotals, RunStatus } from './model.ts';
import { type AnswerView, answerView } from './view-answer.ts';
import {
  type ChangesView,
  changesView,
  type PoolView,
  poolViews,
  type StrategyRow,
  strategyRows,
} from './view-pools.ts';
import { type ErrorsView, errorsView, orderTests, type TestsView, testsView } from './view-tests.ts';

/** Everything that the templates say, as text: they decide nothing and format nothing. */
export interface DashboardView {
  readonly title: string;
  readonly pageTitle: string;
  readonly run: { readonly status: RunStatus; readonly label: string; readonly facts: readonly Fact[] };
  readonly answer: AnswerView;
  readonly tiles: readonly Tile[];
  readonly measured: boolean;
  readonly timeline: TimelineView | null;
  readonly pools: readonly PoolView[];
  readonly changes: ChangesView | null;
  readonly strategies: readonly StrategyRow[];
  readonly errors: ErrorsView | null;
  readonly tests: TestsView;
  readonly generator: string;
  readonly island: string;
}

interface Fact {
  readonly name: string;
  readonly value: string;
}

interface Tile {
  readonly label: string;
  /** Numbers and their units apart, so that the page can weigh them. */
  readonly parts: readonly { readonly number: string; readonly unit: string }[];
  readonly note: string;
  readonly measured: boolean;
}

const STATUS_LABELS: Record<RunStatus, string> = {
  passed: 'Passed',
  failed: 'Failed',
  timedout: 'Timed out',
  interrupted: 'Interrupted',
};

/** `trends`: the last runs, oldest first, the present one last. */
export function dashboardView(
  report: Report,
  title: string,
  _trends: readonly HistoryRun[] = [],
): DashboardView {
  const ordered = orderTests(report.tests);
  const label = STATUS_LABELS[report.run.status];
  return {
    title,
    pageTitle: `${label} · ${title}`,
    run: { status: report.run.status, label, facts: factsOf(report) },
    answer: answerView(report),
    tiles: tilesOf(report.totals),
    measured: report.totals.attempts > 0,
    timeline: timelineView(report),
    pools: poolViews(report),
    changes: changesView(report),
    strategies: strategyRows(report.strategies),
    errors: errorsView(report, ordered),
    tests: testsView(report, ordered),
    generator: `${report.generator.name} ${report.generator.version}`,
    island: packIsland(report, ordered),
  };
}

function factsOf({ run }: Report): Fact[] {
  const { total, present } = run.shards;
  const facts = [
    { name: 'Started', value: dateTime(Date.parse(run.startedAt)) },
    { name: 'Took', value: duration(run.durationMs) },
    { name: 'Playwright', value: run.playwright },
  ];
  if (run.configRevision !== null) facts.push({ name: 'Config revision', value: run.configRevision });
  if (total > 1) facts.push({ name: 'Shards', value: `${present.join(', ')} of ${total}` });
  return facts;
}

function tilesOf(totals: ReportTotals): Tile[] {
  const { attempts, calls, failures, retries, successRate, avgResponseMs, p50Ms, p95Ms, p99Ms } = totals;
  const ms = (value: number | null): string => (value === null ? NOT_MEASURED : duration(value));
  return [
    tile('Tests', count(totals.tests), testsNote(totals)),
    tile('Calls', count(calls), `${counted(attempts, 'attempt')}, ${counted(retries, 'retry', 'retries')}`),
    tile(
      'Success rate',
      successRate === null ? null : percent(successRate),
      successRate === null ? 'of attempts' : `${count(failures)} of ${counted(attempts, 'attempt')} failed`,
    ),
    tile(
      'Average response',
      avgResponseMs === null ? null : duration(avgResponseMs),
      p50Ms === null ? 'of a response' : `half within ${ms(p50Ms)}`,
    ),
    tile('p95 response', p95Ms === null ? null : duration(p95Ms), p99Ms === null ? '' : `p99 ${ms(p99Ms)}`),
    tile('Waited', duration(totals.waitedMs), `for ${counted(totals.leases, 'lease')} and turns`),
  ];
}

function testsNote(totals: ReportTotals): string {
  const { passed, flaky, failed, skipped } = totals;
  const parts = [`${count(passed)} passed`];
  if (flaky > 0) parts.push(`${count(flaky)} flaky`);
  if (failed > 0) parts.push(`${count(failed)} failed`);
  if (skipped > 0) parts.push(`${count(skipped)} skipped`);
  return parts.join(', ');
}

function tile(label: string, value: string | null, note: string): Tile {
  if (value === null) return { label, parts: [{ number: NOT_MEASURED, unit: '' }], note, measured: false };
  const parts = [...value.matchAll(/([\d,.]+) ?([^\d ]*)/g)].map(([, number = '', unit = '']) => ({
    number,
    unit,
  }));
  return { label, parts, note, measured: true };
}
