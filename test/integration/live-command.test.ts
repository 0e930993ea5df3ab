import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { brokersWith } from '../harness/clients.ts';
import { MISSING_MS } from '../harness/patience.ts';
import { startRedis, type TestRedis } from '../harness/redis.ts';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';
import { findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';

let redis: TestRedis;
let server: TestServer;
let here: InlineProject;
let there: InlineProject;
let browser: Browser;
let page: Page;
let address: string;
const running: ChildProcess[] = [];

/** Starts a command, and waits for what it prints first. */
async function start(
  project: InlineProject,
  ...args: readonly string[]
): Promise<ChildProcess & { first: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: project.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return Object.assign(child, { first: chunk.toString() });
}

beforeAll(async () => {
  redis = await startRedis();
  server = await startServer((seen, response) =>
    json(response, seen.token === 'key-of-ada-1' ? 200 : 401, {}),
  );
  const keys = ['ada', 'ben'].map((name) => ({ name, value: `key-of-${name}-1`, maxConcurrent: 1 }));
  const pool = { endpoints: [{ name: 'eu', url: server.url, health: '/healthz' }], keys };
  const config = JSON.stringify({ name: 'shop', store: redis.url, pools: { accounts: pool } }, null, 2);
  [here, there] = [
    await createInlineProject({ 'gemba.config.json': config }),
    await createInlineProject({ 'gemba.config.json': config }),
  ];
  browser = await chromium.launch(findChromium());
  page = await browser.newPage();
  page.setDefaultTimeout(MISSING_MS);
  const { first } = await start(here, 'live');
  address = /Gemba live: (\S+)/.exec(first)![1]!;
  await page.goto(address);
});

afterAll(async () => {
  for (const child of running) child.kill('SIGTERM');
  await browser.close();
  await Promise.all([server.close(), redis.close()]);
  await here.cleanup();
  await there.cleanup();
});

it('shows the pools without a run, and what another machine holds', async () => {
  const { first } = await start(there, 'run', '--', 'sh', '-c', 'echo $GEMBA_KEY_NAME; exec sleep 600');
  const lease = page.locator('#live-leases li', { hasText: 'sleep 600' });
  await lease.waitFor();
  expect(await lease.textContent()).toMatch(
    new RegExp(`sleep 600.*accounts/eu/${first.trim()}, .*, since .*, process \\d+`),
  );
  const row = page.locator('#live-members tr', { hasText: `accounts/${first.trim()}` });
  await row.locator('.n', { hasText: /^1 of 1.*sleep 600/ }).waitFor();
  expect(await page.locator('#tests').isVisible()).toBe(false);
  expect(await page.locator('#live-facts').isVisible()).toBe(false);
  expect(await page.title()).toBe('Gemba live: shop');
});

it('checks and reserves selected members, and says when the broker was restarted', async () => {
  await page.getByLabel('Select all members shown').check();
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.locator('#live-bulk-progress', { hasText: 'Check: done for 3 members.' }).waitFor();
  const results = await page.locator('#live-bulk-results li').allTextContents();
  expect(results.join('\n')).toMatch(/does not work: auth \(401\)\.accounts\/ben/);
  expect(results.join('\n')).toMatch(/works \(200\)\..*accounts\/ada/);
  const [broker] = brokersWith(path.join(here.folder, 'gemba.config.json'));
  process.kill(broker!, 'SIGKILL');
  await page.locator('#live-broker', { hasText: 'The broker was restarted at' }).waitFor();
});

it('refuses a form whose file somebody else has changed meanwhile', async () => {
  const file = path.join(here.folder, 'gemba.config.json');
  const other = await browser.newPage();
  await other.goto(address);
  for (const [index, each] of [page, other].entries()) {
    await each.getByRole('button', { name: 'Edit accounts/ada in the file' }).click();
    await each
      .getByRole('dialog')
      .getByLabel('Weight')
      .fill(String(index + 2));
  }
  await other.getByRole('dialog').getByRole('button', { name: 'Save to the file' }).click();
  await other.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByRole('dialog').getByRole('button', { name: 'Save to the file' }).click();
  await page
    .getByRole('alert')
    .filter({ hasText: 'was changed meanwhile, so nothing was written' })
    .waitFor();
  expect(await readFile(file, 'utf8')).toMatch(/"weight": 3/);
  await other.close();
  await page.keyboard.press('Escape');
});

it('changes nothing for a foreign host, a foreign page or a wrong token', async () => {
  const { host, searchParams } = new URL(address);
  const token = searchParams.get('token')!;
  const post = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(
        `http://${host}/members`,
        { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
        (response) => resolve(response.resume().statusCode!),
      );
      sent.on('error', reject);
      sent.end(JSON.stringify({ action: 'disable', pool: 'accounts', name: 'ada' }));
    });
  expect(await post({ 'x-gemba-token': token, host: 'evil.example' })).toBe(403);
  expect(await post({ 'x-gemba-token': token, origin: 'http://evil.example' })).toBe(403);
  expect(await post({ 'x-gemba-token': 'wrong' })).toBe(403);
  expect(await post({})).toBe(403);
  const { stdout } = await here.node([CLI, 'status', '--json']);
  expect(stdout).not.toContain('disabled');
});

it('ends on Ctrl-C', async () => {
  const [live] = running;
  live!.kill('SIGINT');
  const [code] = (await once(live!, 'exit')) as [number];
  expect(code).toBe(0);
  await page.locator('#live-connection', { hasText: 'Not connected' }).waitFor();
});
