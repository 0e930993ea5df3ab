// Does a result cost the same when a hundred thousand others came before it? Collecting, and the whole report with its
// page, per 1,000 results, at growing sizes, in processor time; and what the collected run keeps in memory per result.
//
//   npm run build && node --expose-gc bench/growth.mjs [--largest 100000] [--json]
import { parseArgs } from 'node:util';
import { cpuMs, median, row, report } from './parts/figures.mjs';
import { collect, reportOf } from './report/in-process.mjs';
import { sampleRun } from './sample-run.mjs';

const { values } = parseArgs({
  options: { largest: { type: 'string', default: '100000' }, json: { type: 'boolean', default: false } },
});
const SIZES = [1000, 3000, 10_000, 30_000, 100_000].filter((size) => size <= Number(values.largest));

// The first run warms the compiler up and is not told.
await measure(SIZES[0]);
const first = await smallest();
const rows = [];
for (const size of SIZES.slice(1)) rows.push(...rowsOf(await measure(size)));
report(rows, values.json);

/** Small runs are over soon, so that the middle one of several is taken. */
async function smallest() {
  const seen = [];
  for (let round = 0; round < 5; round++) seen.push(await measure(SIZES[0]));
  const of = (field) => median(seen.map((each) => each[field]));
  return { tests: SIZES[0], perResult: of('perResult'), kept: of('kept') };
}

function rowsOf({ tests, perResult, kept, pageMb }) {
  const size = tests.toLocaleString('en');
  const smaller = first.tests.toLocaleString('en');
  return [
    row({
      what: `growth, ${size} tests (page ${pageMb.toFixed(2)} MB): CPU a 1,000 results`,
      ours: `${perResult.toFixed(0)} ms`,
      peer: `${smaller} tests: ${first.perResult.toFixed(0)} ms`,
      ratio: perResult / first.perResult,
      limit: 1.5,
      target: 'flat: ≤ 1.5',
    }),
    row({
      what: `growth, ${size} tests: memory kept for a result`,
      ours: `${kept.toFixed(0)} bytes`,
      peer: `${smaller} tests: ${first.kept.toFixed(0)} bytes`,
      ...(globalThis.gc && { ratio: kept / first.kept, limit: 1.5, target: 'flat: ≤ 1.5' }),
    }),
  ];
}

async function measure(tests) {
  const sample = sampleRun({ tests, calls: 10, minutes: Math.max(5, tests / 250) });
  const results = sample.cases.flatMap((test) => test.results).length;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const began = cpuMs();
  const collected = collect(sample);
  const collecting = cpuMs() - began;
  globalThis.gc?.();
  const kept = (process.memoryUsage().heapUsed - before) / results;
  const since = cpuMs();
  const { page } = await reportOf(sample, collected);
  const perResult = ((collecting + cpuMs() - since) * 1000) / results;
  return { tests, perResult, kept, pageMb: page.length / 1e6 };
}
