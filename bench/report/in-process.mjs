// A sample run through the reporter's own parts, without Playwright.
import {
  aggregate,
  collectResult,
  collectTests,
  dashboardView,
  emptyRunState,
  renderDashboard,
  reportText,
} from '../../.cache/internals/index.js';

const origin = {
  rootDir: '/repo/tests',
  shard: 1,
  merging: false,
  judgeRecord: () => null,
  redact: (text) => text,
};

export function collect({ cases }) {
  const runState = emptyRunState();
  for (const test of cases) for (const result of test.results) collectResult(runState, test, result, origin);
  return runState;
}

/** The report of a runState run, as text and as its page. */
export async function reportOf(sample, runState = collect(sample)) {
  const { cases, end, history } = sample;
  const { status, startTime, duration } = end;
  const facts = {
    status,
    startedAt: +startTime,
    durationMs: duration,
    playwright: '',
    version: '',
    shard: null,
  };
  const report = aggregate(runState, collectTests(runState, cases, origin), facts);
  let size = 0;
  for (const part of reportText(report)) size += part.length;
  return { size, page: await renderDashboard(dashboardView(report, 'Bench', history)) };
}
