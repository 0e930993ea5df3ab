// What the report costs, beside Playwright's own HTML report on the same run: 10,000 tests with a record of 10 attempts
// each, run once into a blob, which each reporter then renders by merging (so no worker is measured). Then both pages in
// Chromium: size, first paint, time until the first rows are there, main-thread time, memory, DOM elements.
//
//   npm run build && node bench/report.mjs [tests, default 10000] [rounds, default 3] [folder that keeps the blob]
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { emptyCollected } from '../dist/reporter/collected.js';
import { collectResult, collectTests } from '../dist/reporter/collect.js';
import { aggregate } from '../dist/reporter/aggregate.js';
import { renderDashboard } from '../dist/reporter/render.js';
import { dashboardView } from '../dist/reporter/view.js';
import { sampleRun } from './sample-run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const tests = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 3);
const folder = path.resolve(process.argv[4] ?? mkdtempSync(path.join(tmpdir(), 'gemba-bench-')));

prepare();
const pages = merge();
pages.push(...samplePages());
console.table(await measurePages(pages));

/** A project of many small tests with records as attachments, run once into a blob. */
function prepare() {
  mkdirSync(path.join(folder, 'tests'), { recursive: true });
  if (!existsSync(path.join(folder, 'node_modules')))
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  write('package.json', '{ "name": "bench", "private": true, "type": "module" }');
  write('empty.cjs', 'module.exports = class { printsToStdio() { return false; } };');
  write('usage.cjs', usageHook());
  const reporters = { empty: './empty.cjs', html: 'html', gemba: path.join(root, 'dist/reporter/index.js') };
  for (const [name, reporter] of Object.entries(reporters)) {
    const options =
      { html: { outputFolder: 'out-html', open: 'never' }, gemba: { outputFolder: 'out-gemba' } }[name] ?? {};
    const list = name === 'empty' ? [[reporter]] : [[reporter, options]];
    write(
      `${name}.config.mjs`,
      `export default { testDir: 'tests', workers: 2, reporter: ${JSON.stringify(list)} };`,
    );
  }
  const blob = path.join(folder, 'blob', 'report.zip');
  if (existsSync(blob)) return;
  const run = sampleRun({ tests, calls: 10, minutes: 90 });
  const perFile = Math.ceil(tests / 50);
  const cases = run.cases.map((test) => ({
    title: test.title,
    retries: test.results.map(({ status, attachments }) => ({
      status,
      body: attachments[0]?.body.toString(),
    })),
  }));
  for (let file = 0; file < 50; file++) {
    write(`tests/t${file}.json`, JSON.stringify(cases.slice(file * perFile, (file + 1) * perFile)));
    write(`tests/t${file}.spec.mjs`, specText(file));
  }
  console.log(`Running ${tests} tests into a blob …`);
  const env = { ...process.env, PLAYWRIGHT_BLOB_OUTPUT_FILE: blob };
  playwright(['test', '-c', 'empty.config.mjs', '--reporter=blob', '--retries=2'], env);
}

function specText(file) {
  return `
    import { readFileSync } from 'node:fs';
    import { test, expect } from '@playwright/test';
    const cases = JSON.parse(readFileSync(new URL('./t${file}.json', import.meta.url), 'utf8'));
    cases.forEach(({ title, retries }, index) => test(index + ' ' + title, async ({}, testInfo) => {
      const told = retries[testInfo.retry];
      const contentType = 'application/vnd.gemba.record+json';
      if (told?.body) testInfo.attachments.push({ name: '_gemba', contentType, body: Buffer.from(told.body) });
      test.skip(retries.length === 0);
      expect(told?.status ?? 'passed').toBe('passed');
    }));`;
}

/** Tells the main process's own processor time and peak memory at its end. */
function usageHook() {
  return `process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    require('node:fs').writeFileSync(process.env.USAGE_FILE, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMb: maxRSS / 1024 }));
  });`;
}

function merge() {
  const seen = { empty: [], html: [], gemba: [] };
  for (let round = 0; round < rounds; round++) {
    const names = round % 2 === 0 ? ['empty', 'html', 'gemba'] : ['gemba', 'html', 'empty'];
    for (const name of names) seen[name].push(mergeWith(name));
  }
  const base = middle(seen.empty);
  const rows = Object.fromEntries(
    Object.entries(seen).map(([name, list]) => {
      const { cpuMs, rssMb } = middle(list);
      return [
        name,
        {
          'CPU s': (cpuMs / 1000).toFixed(2),
          'added s per 1,000 tests': ((cpuMs - base.cpuMs) / tests).toFixed(3),
          'peak MB': Math.round(rssMb),
          'added MB': Math.round(rssMb - base.rssMb),
        },
      ];
    }),
  );
  console.log(`merge-reports of ${tests} tests, median of ${rounds}:`);
  console.table(rows);
  return [
    { name: 'Playwright html', file: path.join(folder, 'out-html/index.html'), first: '.test-file-test' },
    { name: 'gemba', file: path.join(folder, 'out-gemba/index.html'), first: '#tests-rows tr' },
  ];
}

function mergeWith(name) {
  const file = path.join(folder, 'usage.json');
  const env = {
    ...process.env,
    USAGE_FILE: file,
    NODE_OPTIONS: `--require ${path.join(folder, 'usage.cjs')}`,
    GITHUB_STEP_SUMMARY: '',
    CI: '1',
  };
  playwright(['merge-reports', 'blob', '-c', `${name}.config.mjs`], env);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The made-up run itself as a page, whole and without its scripts: the second is the static page to compare with. */
function samplePages() {
  const whole = path.join(folder, 'sample.html');
  const still = path.join(folder, 'sample-static.html');
  return [
    {
      name: 'gemba, with outages',
      file: whole,
      first: '#tests-rows tr',
      make: async () => writeFileSync(whole, await samplePage()),
    },
    {
      name: 'the same, static',
      file: still,
      first: '#tests-rows tr',
      make: async () =>
        writeFileSync(still, (await samplePage()).replaceAll(/<script[\s\S]*?<\/script>/g, '')),
    },
  ];
}

async function samplePage() {
  const { cases, config, end, history } = sampleRun({ tests, calls: 10, minutes: 90 });
  const collected = emptyCollected();
  const origin = { rootDir: config.rootDir, shard: 1, merging: false };
  for (const test of cases) for (const result of test.results) collectResult(collected, test, result, origin);
  const facts = {
    status: end.status,
    startedAt: +end.startTime,
    durationMs: end.duration,
    playwright: '',
    version: '',
    shard: null,
  };
  return renderDashboard(
    dashboardView(aggregate(collected, collectTests(collected, cases, origin), facts), 'Bench', history),
  );
}

async function measurePages(list) {
  for (const { make } of list) await make?.();
  const executablePath = [chromium.executablePath(), '/usr/bin/chromium'].find(existsSync);
  const browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const seen = new Map(list.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds * 3; round++) {
    for (const page of list) seen.get(page.name).push(await measure(browser, page));
  }
  await browser.close();
  const still = median(seen.get('the same, static').map(({ ready }) => ready));
  return Object.fromEntries(
    list.map(({ name, file }) => {
      const of = (field) => median(seen.get(name).map((each) => each[field]));
      return [
        name,
        {
          MB: (statSync(file).size / 1e6).toFixed(2),
          'first paint ms': Math.round(of('paint')),
          'rows there ms': Math.round(of('ready')),
          'of static': (of('ready') / still).toFixed(2),
          'usable ms': Math.round(of('usable')),
          'main thread ms': Math.round(of('task')),
          'heap MB': of('heap').toFixed(1),
          elements: of('elements'),
        },
      ];
    }),
  );
}

/** Usable: rows are there and the main thread was idle, so that a click is answered. */
async function measure(browser, { file, first }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  await page.addInitScript(
    `{ const look = () => { if (document.querySelector(${JSON.stringify(first)})) { window.readyAt = performance.now(); requestIdleCallback(() => (window.usableAt = performance.now())); } else setTimeout(look, 1); }; look(); }`,
  );
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(() => window.usableAt !== undefined);
  await page.waitForTimeout(400);
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (name) => metrics.find((each) => each.name === name).value;
  const told = await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    ready: window.readyAt,
    usable: window.usableAt,
    elements: document.querySelectorAll('*').length,
  }));
  await context.close();
  return { ...told, task: metric('TaskDuration') * 1000, heap: metric('JSHeapUsedSize') / 1e6 };
}

function playwright(args, env) {
  const cli = path.join(root, 'node_modules/@playwright/test/cli.js');
  const { stderr, status } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    // Its terminal output at 10,000 tests is more than a buffer takes.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (args[0] === 'merge-reports' && status !== 0) throw new Error(stderr);
}

function write(name, text) {
  writeFileSync(path.join(folder, name), text);
}

function middle(list) {
  return { cpuMs: median(list.map(({ cpuMs }) => cpuMs)), rssMb: median(list.map(({ rssMb }) => rssMb)) };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
