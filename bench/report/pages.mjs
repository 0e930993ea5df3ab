// What a page costs its reader, in Chromium: size, time until the first rows are there and until a click is answered,
// main-thread time, memory, elements. All pages in turn, so that they see the same machine.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { median } from '../parts/figures.mjs';
import { sampleOf } from './blob.mjs';
import { reportOf } from './in-process.mjs';

/**
 * The sample with its outages as a page, whole and without its scripts: the second is the static page to compare with.
 * (Playwright's clock gives the merged one's tests no time to be spread over.)
 */
export async function samplePages(project, tests) {
  const { page } = await reportOf(sampleOf(tests));
  const files = { sample: page, static: page.replaceAll(/<script[\s\S]*?<\/script>/g, '') };
  const entries = Object.entries(files).map(([name, text]) => {
    writeFileSync(path.join(project.folder, `${name}.html`), text);
    return [name, { file: `${name}.html`, first: '#tests-rows tr' }];
  });
  return Object.fromEntries(entries);
}

/** `{ name: { mb, readyMs, usableMs, taskMs, heapMb, elements } }`, the middle of all rounds; null where there is no browser. */
export async function measurePages(project, pages, rounds) {
  const executablePath = [chromium.executablePath(), '/usr/bin/chromium'].find(existsSync);
  if (!executablePath) return null;
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  const seen = Object.fromEntries(Object.keys(pages).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, page] of Object.entries(pages)) seen[name].push(await measure(browser, project, page));
  }
  await browser.close();
  const entries = Object.entries(seen).map(([name, list]) => {
    const fields = Object.keys(list[0]).map((field) => [field, median(list.map((each) => each[field]))]);
    const mb = statSync(path.join(project.folder, pages[name].file)).size / 1e6;
    return [name, { mb, ...Object.fromEntries(fields) }];
  });
  return Object.fromEntries(entries);
}

/** Usable: rows are there and the main thread was idle, so that a click is answered. */
async function measure(browser, project, { file, first }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  await page.addInitScript(
    `{ const look = () => { if (document.querySelector(${JSON.stringify(first)})) { window.readyAt = performance.now(); requestIdleCallback(() => (window.usableAt = performance.now())); } else setTimeout(look, 1); }; look(); }`,
  );
  await page.goto(pathToFileURL(path.join(project.folder, file)).href);
  await page.waitForFunction(() => window.usableAt !== undefined);
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (name) => metrics.find((each) => each.name === name).value;
  const told = await page.evaluate(() => ({
    readyMs: window.readyAt,
    usableMs: window.usableAt,
    elements: document.querySelectorAll('*').length,
  }));
  await context.close();
  return { ...told, taskMs: metric('TaskDuration') * 1000, heapMb: metric('JSHeapUsedSize') / 1e6 };
}
