// What a lease adds to a page with 50 requests: beside plain Playwright, and beside Playwright's own way to add a header
// (`route.continue`). Arms take turns in one worker and one browser; a value is the middle one of all loads.
//
//   npm run build && node bench/pages.mjs [--rounds 5] [--loads 8] [--json]
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, row, report } from './parts/figures.mjs';
import { Project } from './parts/project.mjs';

const KEY = 'a-key-of-the-benchmark';
const PARTS = 49;
const DELAYS_MS = [0, 20];
const ARMS = ['plain', 'route', 'keyed', 'unkeyed'];

if (process.argv[2] === 'serve') serve(Number(process.argv[3]));
else await main();

async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      loads: { type: 'string', default: '8' },
      json: { type: 'boolean', default: false },
    },
  });
  const rows = [];
  for (const delayMs of DELAYS_MS) rows.push(...rowsOf(await measure(delayMs, values), delayMs));
  report(rows, values.json);
}

function rowsOf(ms, delayMs) {
  const what = `a page with 50 requests, a server that takes ${delayMs} ms`;
  const versus = (title, arm, peer, limit) =>
    row({
      what: `${what}: ${title}`,
      ours: `${ms[arm].toFixed(0)} ms`,
      peer: `${peer === 'plain' ? 'plain Playwright' : 'route.continue'}, ${ms[peer].toFixed(0)} ms`,
      ratio: ms[arm] / ms[peer],
      limit,
      target: limit === null ? '' : `≤ ${limit}`,
    });
  return [
    versus('with a key', 'keyed', 'route', 1),
    versus('with a key', 'keyed', 'plain', delayMs === 20 ? 1.15 : null),
    versus('without keys', 'unkeyed', 'plain', 1.03),
  ];
}

/** The middle time of a load, by arm. */
async function measure(delayMs, { rounds, loads }) {
  const child = fork(fileURLToPath(import.meta.url), ['serve', String(delayMs)]);
  const port = await new Promise((resolve) => child.once('message', resolve));
  const project = projectOf(`http://127.0.0.1:${port}`, Number(rounds), Number(loads));
  try {
    await project.playwright(['test', '--workers=1']);
    const timesOf = (arm) =>
      Array.from({ length: Number(rounds) }, (_, round) =>
        JSON.parse(readFileSync(path.join(project.folder, `times-${arm}-${round}.json`), 'utf8')),
      ).flat();
    return Object.fromEntries(ARMS.map((arm) => [arm, median(timesOf(arm))]));
  } finally {
    project.close();
    child.kill();
  }
}

function projectOf(url, rounds, loads) {
  const project = new Project();
  for (let round = 0; round < rounds; round++)
    for (const [index, arm] of ARMS.entries())
      project.write({ [`tests/${round}-${index}.spec.ts`]: specOf(arm, url, round, loads) });
  const pools = {
    keyed: { endpoints: [url], keys: [{ name: 'ci', value: KEY }] },
    unkeyed: { endpoints: [url] },
  };
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => existsSync(file));
  const launchOptions = executablePath ? { executablePath, args: ['--no-sandbox'] } : {};
  const use = { baseURL: url, launchOptions };
  project.write({
    'gemba.config.json': JSON.stringify({ pools }),
    'playwright.config.ts': `export default ${JSON.stringify({ testDir: 'tests', timeout: 120_000, reporter: [['./empty-reporter.cjs']], use })};`,
  });
  return project;
}

function specOf(arm, url, round, loads) {
  const isLeased = arm === 'keyed' || arm === 'unkeyed';
  const route = `await page.context().route('${url}/**', (route) =>
    route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer ${KEY}' } }));`;
  return `import { test } from '${isLeased ? 'gemba-agent' : '@playwright/test'}';
    import { writeFileSync } from 'node:fs';
    ${isLeased ? `test.use({ gembaPool: '${arm}' });` : ''}
    test('loads', async ({ page }) => {
      ${arm === 'route' ? route : ''}
      const times = [];
      for (let load = 0; load <= ${loads}; load++) {
        const began = performance.now();
        await page.goto('/page?' + load);
        if (load > 0) times.push(performance.now() - began);
      }
      writeFileSync('times-${arm}-${round}.json', JSON.stringify(times));
    });`;
}

function serve(delayMs) {
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChAGAfwZRLwAAAABJRU5ErkJggg==',
    'base64',
  );
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url, 'http://any');
    const parts = Array.from({ length: PARTS }, (_, part) => `<img src="/part${search}&${part}">`);
    const isPage = pathname === '/page';
    setTimeout(() => {
      response.setHeader('content-type', isPage ? 'text/html' : 'image/png');
      response.end(isPage ? parts.join('') : picture);
    }, delayMs);
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
}
