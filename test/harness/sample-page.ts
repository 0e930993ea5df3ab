import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { sampleRun } from '../../bench/sample-run.mjs';
import { aggregate } from '../../src/reporter/report/aggregate.ts';
import { collectResult, collectTests } from '../../src/reporter/collect/collect.ts';
import { emptyRunState } from '../../src/reporter/collect/run-state.ts';
import type { RunHistory } from '../../src/reporter/history/history-run.ts';
import type { Report } from '../../src/reporter/report/model.ts';
import { renderDashboard } from '../../src/reporter/page/render.ts';
import { dashboardView } from '../../src/reporter/page/view.ts';

/** The report of a made-up run with something of everything, and the runs before it. */
export function sampleReport(options: Parameters<typeof sampleRun>[0] = {}): {
  report: Report;
  history: RunHistory;
} {
  const { cases, config, end, history } = sampleRun(options);
  const runState = emptyRunState();
  const origin = {
    rootDir: config.rootDir,
    shard: 1,
    merging: false,
    judgeRecord: () => null,
    redact: (text: string) => text,
    linkTo: () => null,
  };
  for (const test of cases) for (const result of test.results) collectResult(runState, test, result, origin);
  const report = aggregate(runState, collectTests(runState, cases, origin), {
    status: end.status,
    startedAt: end.startTime.getTime(),
    durationMs: end.duration,
    playwright: config.version,
    version: '0.0.0',
    shard: null,
  });
  return { report, history };
}

export interface Pages {
  /** Writes a report as a page; answers its address. */
  write: (name: string, report: Report, history?: RunHistory) => Promise<string>;
  cleanup: () => Promise<void>;
}

export async function pagesFolder(): Promise<Pages> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gemba-page-'));
  return {
    write: async (name, report, history) => {
      const file = path.join(folder, `${name}.html`);
      await writeFile(file, await renderDashboard(dashboardView(report, 'Gemba report', history ?? null)));
      return pathToFileURL(file).href;
    },
    cleanup: () => rm(folder, { recursive: true, force: true }),
  };
}
