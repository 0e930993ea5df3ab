// What the plugin adds to a suite, beside the same suite with plain Playwright: imported and unused, and with one lease and
// one request to a local server in each test; then what the reporter adds to that run, and what a worker spends on a
// record. The suites of a round run one after the other, so that none waits for another; processor time is that of all
// their processes, the broker too, and the ratio is the middle one of all rounds.
//
//   npm run build && node bench/overhead.mjs [--tests 1000] [--rounds 5] [--workers 1,2] [--json]
import { parseArgs } from 'node:util';
import { cpuMs, median, range, row, report } from './parts/figures.mjs';
import { recordMs } from './parts/record-cost.mjs';
import { Project } from './parts/project.mjs';
import { alternate } from './parts/rounds.mjs';
import { startServer } from './parts/server.mjs';

const FILES = 4;
const TRIVIAL = `async () => { expect(1 + 1).toBe(2); }`;
const KEY = 'a-key-of-the-benchmark';
const REQUEST = `async ({ request }) => { expect((await request.get('/orders/1')).ok()).toBe(true); }`;
/** The same where nothing but the test gives the key. */
const REQUEST_WITH_KEY = REQUEST.replace(
  "'/orders/1'",
  `'/orders/1', { headers: { authorization: 'Bearer ${KEY}' } }`,
);

/** Suites that are told apart by what they import and by their reporter only. */
const ARMS = {
  plain: { imports: '@playwright/test', reporter: './empty-reporter.cjs' },
  plugin: { imports: 'gemba-agent', reporter: './empty-reporter.cjs' },
  reported: { imports: 'gemba-agent', reporter: 'gemba-agent/reporter' },
};

if (process.argv[1] === import.meta.filename) await main();

async function main() {
  const { values } = parseArgs({
    options: {
      tests: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '5' },
      workers: { type: 'string', default: '1,2' },
      json: { type: 'boolean', default: false },
    },
  });
  const [tests, rounds] = [Number(values.tests), Number(values.rounds)];
  const rows = [];
  for (const workers of values.workers.split(',').map(Number)) {
    const unused = await measureSuites({ body: TRIVIAL, arms: ['plain', 'plugin'], tests, rounds, workers });
    const used = await measureSuites({
      body: REQUEST,
      arms: ['plain', 'plugin', 'reported'],
      tests,
      rounds,
      workers,
    });
    const how = `${tests.toLocaleString('en')} tests, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
    rows.push(...unusedRows(unused, how), ...usedRows(used, how, tests));
  }
  rows.push(await recordRow());
  report(rows, values.json);
}

/** Rounds of these suites, after one that is not counted: `[{ plain: { cpuMs, … }, plugin: … }, …]`. */
export async function measureSuites({ body, arms, tests, rounds, workers }) {
  const server = await startServer();
  const projects = Object.fromEntries(
    arms.map((name) => [name, newProject(ARMS[name], body, tests, server.url)]),
  );
  try {
    return await alternate(projects, rounds, (project) =>
      project.playwright(['test', `--workers=${workers}`]),
    );
  } finally {
    for (const project of Object.values(projects)) project.close();
    server.close();
  }
}

function newProject({ imports, reporter }, body, tests, url) {
  const project = new Project();
  const perFile = Math.ceil(tests / FILES);
  const own = imports !== 'gemba-agent' && body === REQUEST ? REQUEST_WITH_KEY : body;
  const all = Array.from({ length: tests }, (_, index) => `test('does ${index}', ${own});`);
  for (let file = 0; file < FILES; file++) {
    const some = all.slice(file * perFile, (file + 1) * perFile).join('\n');
    project.write({ [`tests/t${file}.spec.ts`]: `import { test, expect } from '${imports}';\n${some}\n` });
  }
  const pool = { endpoints: [url], keys: [{ name: 'ci', value: KEY }] };
  // Both have the same options: each that is set or not is another step of Playwright's own.
  const config = { testDir: 'tests', reporter: [[reporter]], use: { baseURL: url } };
  project.write({
    'gemba.config.json': JSON.stringify({ pools: { api: pool } }),
    'playwright.config.ts': `export default ${JSON.stringify(config)};`,
  });
  return project;
}

function unusedRows(seen, how) {
  const what = `plugin imported and unused, ${how}`;
  return [
    versus(seen, { what: `${what}: wall`, arm: 'plugin', of: 'wallMs', limit: 1.02, target: '≤ 1.02' }),
    versus(seen, { what: `${what}: CPU`, arm: 'plugin', of: 'cpuMs', limit: 1.02, target: '≤ 1.02' }),
  ];
}

function usedRows(seen, how, tests) {
  const what = `one lease and one request in each, ${how}`;
  const added = (named, of) => {
    const ms = median(seen.map(({ plain, plugin }) => (plugin[of] - plain[of]) / tests));
    const told = { what: `${what}: ${named}, ${ms.toFixed(2)} ms more a test`, arm: 'plugin', of };
    return versus(seen, { ...told, value: ms, limit: 1, target: '≤ 1 ms more' });
  };
  const reporter = seen.map(({ plugin, reported }) => (reported.cpuMs - plugin.cpuMs) / tests);
  return [
    added('wall', 'wallMs'),
    added('CPU', 'cpuMs'),
    row({
      what: `the reporter in that run, ${how}: CPU`,
      ours: `${median(reporter).toFixed(2)} ms a test more`,
      peer: `an empty one (${range(reporter)})`,
      ratio: median(seen.map(({ plugin, reported }) => reported.cpuMs / plugin.cpuMs)),
    }),
  ];
}

function versus(seen, { what, arm, of, value, limit, target }) {
  const seconds = (name) => `${(median(seen.map((round) => round[name][of])) / 1000).toFixed(2)} s`;
  const ratio = median(seen.map((round) => round[arm][of] / round.plain[of]));
  const peer = `plain Playwright, ${seconds('plain')}`;
  return row({ what, ours: seconds(arm), peer, ratio, value: value ?? ratio, limit, target });
}

async function recordRow() {
  const ms = await recordMs(cpuMs);
  return row({
    what: "a worker's share for the record of a test with a lease and a call: CPU",
    ours: `${ms.toFixed(4)} ms a test`,
    value: ms,
    limit: 0.05,
    target: '≤ 0.05 ms',
  });
}
