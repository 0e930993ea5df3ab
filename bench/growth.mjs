// Does a result cost the same when a hundred thousand others came before it? Collecting, and the whole report with its
// page, per 1,000 results, at growing sizes, in processor time; and what the collected run keeps in memory per result.
//
//   npm run build && node --expose-gc bench/growth.mjs [largest, default 100000]
import { aggregate } from '../dist/reporter/aggregate.js';
import { collectResult, collectTests } from '../dist/reporter/collect.js';
import { emptyCollected } from '../dist/reporter/collected.js';
import { renderDashboard } from '../dist/reporter/render.js';
import { dashboardView } from '../dist/reporter/view.js';
import { reportText } from '../dist/reporter/write.js';
import { sampleRun } from './sample-run.mjs';

const largest = Number(process.argv[2] ?? 100_000);
const origin = { rootDir: '/repo/tests', shard: 1, merging: false };
const sizes = [1000, 3000, 10_000, 30_000, 100_000].filter((size) => size <= largest);
const rows = [];

// The first run warms the compiler up and is not told.
await measure(sizes[0]);
for (const size of sizes) rows.push(await measure(size));
const base = rows[0];
console.table(
  Object.fromEntries(
    rows.map((row) => [
      row.results,
      {
        'collect ms per 1,000': row.collect.toFixed(1),
        'report and page ms per 1,000': row.report.toFixed(1),
        'of the smallest': ((row.collect + row.report) / (base.collect + base.report)).toFixed(2),
        'kept bytes per result': Math.round(row.kept),
        'page MB': row.page.toFixed(2),
      },
    ]),
  ),
);

async function measure(size) {
  const { cases, end } = sampleRun({ tests: size, calls: 10, minutes: Math.max(5, size / 250) });
  const results = cases.flatMap((test) => test.results.map((result) => [test, result]));
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const collected = emptyCollected();
  let began = cpu();
  for (const [test, result] of results) collectResult(collected, test, result, origin);
  const collect = cpu() - began;
  globalThis.gc?.();
  const kept = (process.memoryUsage().heapUsed - before) / results.length;
  began = cpu();
  const facts = {
    status: 'failed',
    startedAt: +end.startTime,
    durationMs: end.duration,
    playwright: '',
    version: '',
    shard: null,
  };
  const report = aggregate(collected, collectTests(collected, cases, origin), facts);
  let written = 0;
  for (const part of reportText(report)) written += part.length;
  const page = await renderDashboard(dashboardView(report, `Bench ${written}`));
  const whole = cpu() - began;
  const per = 1000 / results.length;
  return {
    results: results.length,
    collect: collect * per,
    report: whole * per,
    kept,
    page: page.length / 1e6,
  };
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
