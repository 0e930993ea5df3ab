import { count, counted, dateTime, duration, NOT_MEASURED, percent, shorten } from '../../shared/format.ts';
import { type TimelineView, timelineView } from './charts.ts';
import { safeLink } from './links.ts';
import { packPageData } from './page-data.ts';
import type { Report, ReportTotals, RunStatus } from '../report/model.ts';
import { type AnswerView, answerView } from './view-answer.ts';
import type { RunHistory } from '../history/history-run.ts';
import { spanOfReport, stateIntervalsOf } from '../report/state-intervals.ts';
import { type ChangesView, changesView, type ConfigView, configView } from './view-changes.ts';
import { type ErrorsView, errorsView } from './view-errors.ts';
import { type ExtremesView, extremesView } from './view-extremes.ts';
import { type MatrixView, matrixView } from './view-matrix.ts';
import { packRequests } from './request-data.ts';
import { type PoolsView, poolsView } from './view-pools.ts';
import { type RequestsView, requestsView } from './view-requests.ts';
import { type StrategyRow, strategyRows } from './view-strategies.ts';
import { orderTests, type TestsView, testsView } from './view-tests.ts';
import { waitedText } from './waits.ts';
import { type TrendsView, trendsView } from './view-trends.ts';

/** Everything that the templates show, as text: they decide nothing and format nothing. */
export interface DashboardView {
  readonly title: string;
  readonly pageTitle: string;
  readonly run: {
    readonly status: RunStatus | 'running';
    readonly label: string;
    readonly facts: readonly Fact[];
    /** Where the reader goes next. */
    readonly links: readonly { readonly text: string; readonly href: string }[];
  };
  readonly answer: AnswerView;
  readonly tiles: readonly Tile[];
  readonly measured: boolean;
  readonly timeline: TimelineView | null;
  readonly matrix: MatrixView | null;
  readonly pools: PoolsView;
  readonly changes: ChangesView | null;
  readonly strategies: readonly StrategyRow[];
  readonly config: ConfigView | null;
  readonly errors: ErrorsView | null;
  readonly requests: RequestsView | null;
  readonly extremes: ExtremesView | null;
  readonly trends: TrendsView | null;
  readonly tests: TestsView;
  readonly generator: string;
  /** What the page’s script lists: see data-format.ts. */
  readonly pageData: string;
  /** The requests of all attempts. */
  readonly requestData: string;
  /** Set on the live page. */
  readonly live: LiveMark | null;
  /** It shows no run. */
  readonly alone: boolean;
}

interface Fact {
  readonly name: string;
  readonly value: string;
}

interface Tile {
  readonly label: string;
  /** Numbers and their units apart: the page sets them in different sizes. */
  readonly parts: readonly { readonly number: string; readonly unit: string }[];
  readonly note: string;
  readonly measured: boolean;
}

const MAX_NAME = 80;
/** Characters of a commit that are shown. */
const COMMIT = 10;

const STATUS_LABELS: Record<RunStatus | 'running', string> = {
  running: 'Running',
  passed: 'Passed',
  failed: 'Failed',
  timedout: 'Timed out',
  interrupted: 'Interrupted',
};

export interface ViewOptions {
  /** The run is not over. */
  readonly running?: boolean;
  /** The page has a live section, which its script fills. */
  readonly live?: LiveMark | null;
}

interface LiveMark {
  readonly revision: string;
  readonly alone: boolean;
}

export function dashboardView(
  report: Report,
  title: string,
  history: RunHistory | null = null,
  { running = false, live = null }: ViewOptions = {},
): DashboardView {
  const ordered = orderTests(report.tests);
  const status = running ? 'running' : report.run.status;
  const label = STATUS_LABELS[status];
  const span = spanOfReport(report);
  const intervals = stateIntervalsOf(report.transitions, span);
  return {
    title,
    pageTitle: live?.alone ? title : `${label} · ${title}`,
    run: { status, label, facts: factsOf(report, running), links: linksOfRun(report) },
    answer: answerView(report, running),
    tiles: tilesOf(report.totals),
    measured: report.totals.requests > 0,
    timeline: timelineView(report, intervals, span),
    matrix: matrixView(report),
    pools: poolsView(report, { intervals, span, running }),
    changes: changesView(report),
    strategies: strategyRows(report.strategies),
    config: configView(report),
    errors: errorsView(report),
    requests: requestsView(report),
    extremes: extremesView(report.tests),
    trends: trendsView(history),
    tests: testsView(report, ordered, history),
    generator: `${report.generator.name} ${report.generator.version}`,
    pageData: packPageData(report, ordered, history),
    requestData: packRequests(report, ordered),
    live,
    alone: live?.alone ?? false,
  };
}

function factsOf({ run }: Report, running: boolean): Fact[] {
  const { total, present } = run.shards;
  const facts = [
    { name: 'Started', value: dateTime(Date.parse(run.startedAt)) },
    { name: running ? 'Running for' : 'Took', value: duration(run.durationMs) },
    { name: 'Playwright', value: run.playwright },
  ];
  if (run.configRevision !== null) facts.push({ name: 'Config revision', value: run.configRevision });
  if (total > 1) facts.push({ name: 'Shards', value: `${present.join(', ')} of ${total}` });
  const { branch, commit } = run.ci ?? run.git ?? { branch: null, commit: null };
  if (branch) facts.push({ name: 'Branch', value: shorten(branch, MAX_NAME) });
  if (commit) facts.push({ name: 'Commit', value: commit.slice(0, COMMIT) });
  return facts;
}

function linksOfRun({ run }: Report): { text: string; href: string }[] {
  const links = [
    { text: 'Playwright’s report', href: safeLink(run.links.playwrightReport) },
    { text: 'CI run', href: safeLink(run.links.ci) },
  ];
  return links.flatMap(({ text, href }) => (href === null ? [] : [{ text, href }]));
}

function tilesOf(totals: ReportTotals): Tile[] {
  const { requests, calls, failures, requestRetries, successRate, avgResponseMs, p50Ms, p95Ms, p99Ms } =
    totals;
  const ms = (value: number | null): string => (value === null ? NOT_MEASURED : duration(value));
  return [
    tile('Tests', count(totals.tests), testsNote(totals)),
    tile(
      'Calls',
      count(calls),
      `${counted(requests, 'request')}, ${counted(requestRetries, 'request retry', 'request retries')}`,
    ),
    tile(
      'Success rate',
      successRate === null ? null : percent(successRate),
      successRate === null ? 'of requests' : `${count(failures)} of ${counted(requests, 'request')} failed`,
    ),
    tile(
      'Average response',
      avgResponseMs === null ? null : duration(avgResponseMs),
      p50Ms === null ? 'of a response' : `median ${ms(p50Ms)}`,
    ),
    tile('p95 response', p95Ms === null ? null : duration(p95Ms), p99Ms === null ? '' : `p99 ${ms(p99Ms)}`),
    tile('Waited', duration(totals.waitedMs), waitedText(totals.waited)),
  ];
}

function testsNote(totals: ReportTotals): string {
  const { passed, flaky, failed, skipped, interrupted } = totals;
  const parts = [`${count(passed)} passed`];
  if (flaky > 0) parts.push(`${count(flaky)} flaky`);
  if (failed > 0) parts.push(`${count(failed)} failed`);
  if (skipped > 0) parts.push(`${count(skipped)} skipped`);
  if (interrupted > 0) parts.push(`${count(interrupted)} interrupted`);
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
