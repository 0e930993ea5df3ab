// What a developer feels who runs one test: a leased test from cold with the report, beside the same test with plain
// Playwright; a further fresh worker (Playwright starts one after each failed test); the import of the package in a worker.
// CPU is that of the whole process tree, the broker too. Medians of alternating rounds, with their spread.
//
//   npm run build && node bench/start.mjs [--rounds 9] [--failures 20] [--json]
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median, range, report, row } from './parts/figures.mjs';
import { Project } from './parts/project.mjs';
import { alternate } from './parts/rounds.mjs';
import { startServer } from './parts/server.mjs';

const KEY = 'a-key-of-the-benchmark';
const LEASED = `expect((await request.get('/orders/1')).ok()).toBe(true);`;
const PLAIN = LEASED.replace("'/orders/1'", `'/orders/1', { headers: { authorization: 'Bearer ${KEY}' } }`);
const ARMS = {
  plain: { imports: '@playwright/test', body: PLAIN, reporter: './empty-reporter.cjs' },
  unreported: { imports: 'gemba-agent', body: LEASED, reporter: './empty-reporter.cjs' },
  leased: { imports: 'gemba-agent', body: LEASED, reporter: 'gemba-agent/reporter' },
};
/** Loads the package in the worker, after what Playwright has loaded there itself. */
const IMPORT = `
import { test } from '@playwright/test';
import { writeFileSync } from 'node:fs';
test('imports', async ({}, testInfo) => {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await import('gemba-agent');
  const { user, system } = process.cpuUsage(before);
  const seen = { cpuMs: (user + system) / 1000, wallMs: performance.now() - began };
  writeFileSync('import-' + testInfo.repeatEachIndex + '.json', JSON.stringify(seen));
  throw new Error('the next one gets a fresh worker');
});`;

if (process.argv[1] === import.meta.filename) await main();

async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      failures: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
    },
  });
  const [rounds, failures] = [Number(values.rounds), Number(values.failures)];
  const one = await measureStart({ rounds });
  const many = await measureStart({ rounds: Math.ceil(rounds / 3), failures });
  const imports = await measureImport(failures);
  report([...startRows(one), freshWorkerRow(one, many, failures), importRow(imports)], values.json);
}

/** Rounds of one passing test, or of so many failing ones, with one worker. */
export async function measureStart({ rounds, failures = 0, arms = Object.keys(ARMS) }) {
  const server = await startServer();
  const projects = Object.fromEntries(
    arms.map((name) => [name, newProject(ARMS[name], failures, server.url)]),
  );
  try {
    return await alternate(projects, rounds, (project) =>
      project.playwright(['test', '--workers=1'], { failing: failures > 0 }),
    );
  } finally {
    for (const project of Object.values(projects)) project.close();
    server.close();
  }
}

function newProject({ imports, body, reporter }, failures, url) {
  const project = new Project();
  const fails = failures > 0 ? `expect(1).toBe(2);` : '';
  const all = Array.from(
    { length: Math.max(1, failures) },
    (_, index) => `test('does ${index}', async ({ request }) => { ${body} ${fails} });`,
  );
  const pool = { endpoints: [url], keys: [{ name: 'ci', value: KEY }] };
  const config = { testDir: 'tests', reporter: [[reporter]], use: { baseURL: url } };
  project.write({
    'tests/one.spec.ts': `import { test, expect } from '${imports}';\n${all.join('\n')}\n`,
    'gemba.config.json': JSON.stringify({ pools: { api: pool } }),
    'playwright.config.ts': `export default ${JSON.stringify(config)};`,
  });
  return project;
}

/** CPU and wall of importing the package, in so many fresh workers. */
export async function measureImport(workers) {
  const project = new Project();
  const config = { reporter: [['./empty-reporter.cjs']], repeatEach: workers, fullyParallel: true };
  project.write({
    'package.json': '{ "name": "bench", "private": true, "type": "module" }',
    'one.spec.ts': IMPORT,
    'playwright.config.ts': `export default ${JSON.stringify(config)};`,
  });
  try {
    const run = () => project.playwright(['test', '--workers=1'], { failing: true });
    await run();
    for (const name of importFiles(project)) rmSync(path.join(project.folder, name));
    await run();
    return importFiles(project).map((name) =>
      JSON.parse(readFileSync(path.join(project.folder, name), 'utf8')),
    );
  } finally {
    project.close();
  }
}

function importFiles({ folder }) {
  return readdirSync(folder).filter((name) => /^import-\d+\.json$/.test(name));
}

function startRows(seen) {
  const added = (arm, what, target = {}) =>
    ['cpuMs', 'wallMs'].map((of) => {
      const more = seen.map((round) => round[arm][of] - round.plain[of]);
      const limits = of === 'cpuMs' ? target : {};
      return row({
        what: `${what}: ${of === 'cpuMs' ? 'CPU' : 'wall'}`,
        ours: `${ms(median(more))} more (${range(more, 0)})`,
        peer: `plain Playwright, ${ms(median(seen.map((round) => round.plain[of])))}`,
        ratio: median(seen.map((round) => round[arm][of] / round.plain[of])),
        value: median(more),
        ...limits,
      });
    });
  const broker = seen.map((round) => round.leased.brokerMs);
  return [
    ...added('leased', 'one leased test from cold, broker and report included', {
      limit: 250,
      target: '≤ 250 ms more',
    }),
    ...added('unreported', 'the same without the report'),
    row({ what: 'of it the broker: CPU', ours: `${ms(median(broker))} (${range(broker, 0)})` }),
  ];
}

/** What each worker after the first costs more than a plain one. */
function freshWorkerRow(one, many, failures) {
  const more = (seen) => median(seen.map((round) => round.leased.cpuMs - round.plain.cpuMs));
  const perWorker = (more(many) - more(one)) / (failures - 1);
  return row({
    what: `each further fresh worker (${failures} failing tests): CPU`,
    ours: `${ms(perWorker)} more`,
    peer: 'plain Playwright',
    value: perWorker,
    limit: 40,
    target: '≤ 40 ms more',
  });
}

function importRow(seen) {
  const cpu = seen.map(({ cpuMs }) => cpuMs);
  return row({
    what: 'importing the package in a worker: CPU',
    ours: `${ms(median(cpu))} (${range(cpu, 0)}), wall ${ms(median(seen.map(({ wallMs }) => wallMs)))}`,
    value: median(cpu),
    limit: 30,
    target: '≤ 30 ms',
  });
}

function ms(value) {
  return `${value.toFixed(0)} ms`;
}
