// Takes the pictures of docs/report.md in Chromium, from a made-up run. Run it after "npm run build" when the page changes.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { sampleRun } from '../bench/sample-run.mjs';
import { aggregate } from '../dist/reporter/aggregate.js';
import { collectResult, collectTests } from '../dist/reporter/collect.js';
import { emptyCollected } from '../dist/reporter/collected.js';
import { renderDashboard } from '../dist/reporter/render.js';
import { dashboardView } from '../dist/reporter/view.js';

const to = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'gemba-pictures-'));
const file = path.join(folder, 'index.html');

const { cases, config, end, history } = sampleRun();
const collected = emptyCollected();
const origin = { rootDir: config.rootDir, shard: 1, merging: false };
for (const test of cases) for (const result of test.results) collectResult(collected, test, result, origin);
const report = aggregate(collected, collectTests(collected, cases, origin), {
  status: end.status,
  startedAt: +end.startTime,
  durationMs: end.duration,
  playwright: config.version,
  version: '0.1.0',
  shard: null,
});
const { totals, verdicts, run } = report;
const { attempts, successRate, p95Ms, waitedMs } = totals;
const present = { ...history.at(-1), ...run, totals, verdicts, attempts, successRate, p95Ms, waitedMs };
writeFileSync(
  file,
  await renderDashboard(dashboardView(report, 'Shop tests', [...history.slice(0, -1), present])),
);

const executablePath = [chromium.executablePath(), '/usr/bin/chromium'].find(existsSync);
const browser = await chromium.launch({
  executablePath,
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
mkdirSync(to, { recursive: true });
await picture('answer', 'light', { height: 740 });
await picture('timeline', 'light', { section: '#timeline' });
await picture('pools', 'dark', { section: '#pool-1', height: 620 });
await picture('trends', 'light', { section: '#trends', height: 300 });
await browser.close();
rmSync(folder, { recursive: true });

async function picture(name, colorScheme, { section, height }) {
  const page = await browser.newPage({ viewport: { width: 1240, height: 800 }, colorScheme });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('html[data-ready]', { state: 'attached' });
  const box = section ? await page.locator(section).boundingBox() : { y: 0, height };
  const clip = { x: 0, y: Math.max(0, box.y - 12), width: 1240, height: (height ?? box.height) + 24 };
  await page.screenshot({ path: path.join(to, `${name}.png`), fullPage: true, clip });
  await page.close();
}
