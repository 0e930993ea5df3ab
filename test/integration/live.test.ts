import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MISSING_MS } from '../harness/patience.ts';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { deadUrl, findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const HOSTILE = `<img src=x onerror=alert(1)>`;

const SPEC = `
import { test, expect } from 'gemba-agent';
test.describe.configure({ mode: 'parallel', retries: 2 });

for (let index = 1; index <= 3; index++) {
  test('waits at the gate ' + index + ' ${HOSTILE}', async ({ request }) => {
    expect((await request.get('/gate')).ok()).toBe(true);
  });
}
test('hears of a rate limit', async ({ request }) => {
  expect(await (await request.get('/words')).json()).toEqual({ text: 'rate limit exceeded: 429' });
});
test.describe('at a replica that goes away', () => {
  test.use({ gembaPool: 'frail' });
  test('fails by itself first', async ({ request }, { retry }) => {
    expect((await request.get('/who')).status()).toBe(200);
    await request.get('/last');
    expect(retry).toBe(-1);
  });
});
test.describe('where nothing listens', () => {
  test.use({ gembaPool: 'down' });
  test('meets an outage', async ({ request }) => {
    expect((await request.get('/who')).ok()).toBe(true);
  });
});
test('dies', async ({ request }, { retry }) => {
  await request.get('/words');
  if (retry < 2) process.kill(process.pid, 'SIGKILL');
});
`;

const CONFIG = `{
  "pools": {
    "default": {
      "endpoints": [{ "name": "main", "url": "\${MAIN}" }],
      "keys": [
        { "name": "one", "value": "live-key-one", "maxConcurrent": 1, "labels": { "role": "any" } },
        { "name": "two", "value": "live-key-two", "maxConcurrent": 1 },
        { "name": "three", "value": "live-key-three", "maxConcurrent": 1 }
      ],
      "timeout": "60s"
    },
    "many": { "keys": ${JSON.stringify(Array.from({ length: 50 }, (_, index) => `many-key-${index}`))} },
    "frail": { "endpoints": [{ "name": "frail", "url": "\${FRAIL}" }], "acquireTimeout": "200ms" },
    "down": { "endpoints": [{ "name": "down", "url": "\${DOWN}" }], "acquireTimeout": "200ms" }
  }
}`;

describe('a run with a live page', () => {
  const waiting: ServerResponse[] = [];
  let main: TestServer;
  let frail: TestServer;
  let project: InlineProject;
  let browser: Browser;
  let page: Page;
  let ended: Promise<InlineResult>;
  const trouble: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch(findChromium());
    main = await startServer((seen, response) => {
      if (seen.url === '/gate') waiting.push(response);
      else json(response, 200, { text: 'rate limit exceeded: 429' });
    });
    frail = await startServer((seen, response) => {
      json(response, 200, {}, { connection: 'close' });
      if (seen.url === '/last') void frail.close();
    });
    project = await createInlineProject(
      { 'gemba.config.json': CONFIG, 'live.spec.ts': SPEC },
      `{ workers: 5, reporter: [['list'], ['gemba-agent/reporter', { live: true }]] }`,
    );
    const env = { MAIN: main.url, FRAIL: frail.url, DOWN: await deadUrl() };
    const address = await new Promise<string>((resolve, reject) => {
      ended = project.run({
        env,
        onStart: (child) =>
          child.stdout!.on('data', (text: string) => {
            const found = /Gemba live: (\S+)/.exec(text)?.[1];
            if (found) resolve(found);
          }),
      });
      ended.then(({ output }) => reject(new Error(`No live page was announced:\n${output}`)), reject);
    });
    page = await browser.newPage();
    page.setDefaultTimeout(MISSING_MS);
    page.on('console', (message) => {
      // The browser itself says so where a connection ends.
      if (!message.text().includes('ERR_')) trouble.push(`console ${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(address).origin && !request.url().startsWith('data:')) {
        trouble.push(`request: ${request.url()}`);
      }
    });
    await page.goto(address);
  });
  afterAll(async () => {
    for (const response of waiting) response.end();
    await browser.close();
    await Promise.all([main.close(), frail.close()]);
    await project.cleanup();
  });

  it('shows held leases, their holders and waiting tests', async () => {
    await page.locator('#live-leases li', { hasText: `waits at the gate 1 ${HOSTILE}` }).waitFor();
    await expect
      .poll(() => page.locator('#live-running li', { hasText: 'waits at the gate' }).count())
      .toBe(3);
    const lease = page.locator('#live-leases li').first();
    expect(await lease.textContent()).toMatch(
      /default\/main\/(one|two|three), .*, since \d\d:.*, process \d+$/,
    );
    expect(await page.locator('#live-connection').textContent()).toBe('Connected');
    expect(await page.locator('#live-facts').textContent()).toMatch(/Tests\d of 7/);
  });

  it('disables and enables a member, and shows its state', async () => {
    const row = page.locator('#live-members tr', { hasText: 'default/three' });
    await row.getByRole('button', { name: 'Disable default/three' }).click();
    await row.locator('.state.disabled').waitFor();
    expect(await page.locator('#live-message').textContent()).toBe(
      'default/three is disabled: it gets no new lease until it is enabled.',
    );
    const status = await project.node(['node_modules/gemba-agent/dist/cli.cjs', 'status', '--json'], {
      env: { MAIN: main.url, FRAIL: frail.url, DOWN: main.url },
    });
    expect(status.stdout).toMatch(/"name": "three",\s+"state": "disabled"/);
    await row.getByRole('button', { name: 'Enable default/three' }).press('Enter');
    await row.locator('.state.healthy').waitFor();
  });

  it('edits a member in the file by keyboard alone, and shows the new settings', async () => {
    const row = page.locator('#live-members tr', { hasText: 'default/three' });
    const edit = row.getByRole('button', { name: 'Edit default/three in the file' });
    const form = page.getByRole('dialog', { name: 'default/three' });
    await edit.press('Enter');
    await form.waitFor();
    await page.keyboard.press('Escape');
    await form.waitFor({ state: 'hidden' });
    expect(await edit.evaluate((button) => button.matches(':focus'))).toBe(true);

    await edit.press('Enter');
    await form.getByLabel('Weight').fill('3');
    await form.getByLabel('Requests per minute').fill('0');
    await page.keyboard.press('Enter');
    await form
      .getByRole('alert')
      .filter({ hasText: 'keys[2].rpm: must be a number of 0.0001 or more' })
      .waitFor();
    await form.getByLabel('Requests per minute').fill('');
    await form.getByLabel('Concurrent leases').fill('2');
    await page.keyboard.press('Enter');
    await form.waitFor({ state: 'hidden' });
    expect(await edit.evaluate((button) => button.matches(':focus'))).toBe(true);
    expect(await page.locator('#live-message').textContent()).toMatch(
      /^default\/three in gemba\.config\.json: weight 3, 2 concurrent leases\. Revision \w{12} is in force\.$/,
    );
    await row.locator('.file', { hasText: 'weight 3, 2 at once' }).waitFor();
    expect(await readFile(path.join(project.folder, 'gemba.config.json'), 'utf8')).toBe(
      CONFIG.replace(/("live-key-three", "maxConcurrent": )1/, '$12, "weight": 3'),
    );
  });

  it('searches members, and does something to fifty at once, with the results by kind', async () => {
    await page.getByLabel('Search members now').fill('many/');
    await page.getByLabel('Select all members shown').check();
    expect(await page.locator('#live-selected').textContent()).toBe('50 selected');
    const bulk = page.getByRole('group', { name: '50 selected' });
    const results = page.locator('#live-bulk-results li');
    await bulk.getByRole('button', { name: 'Disable' }).click();
    await page.locator('#live-bulk-progress', { hasText: 'Disable: done for 50 members.' }).waitFor();
    expect(await results.allTextContents()).toEqual([
      expect.stringMatching(/^50: is disabled: it gets no new lease .*many\/key-1, .* and 45 more$/),
    ]);
    await expect.poll(() => page.locator('#live-members tr:visible .state.disabled').count()).toBe(50);
    const [first] = await page.getByRole('checkbox', { name: 'Select many/key-1', exact: true }).all();
    await bulk.getByRole('button', { name: 'Enable' }).click();
    await page.locator('#live-bulk-progress', { hasText: 'Enable: done for 50 members.' }).waitFor();
    await page.getByLabel('Select all members shown').uncheck();
    await first!.check();
    await page.getByRole('group', { name: '1 selected' }).getByRole('button', { name: 'Disable' }).click();
    await page.locator('#live-bulk-progress', { hasText: 'Disable: done for 1 member.' }).waitFor();
    await page.getByLabel('Select all members shown').check();
    await bulk.getByRole('button', { name: 'Reset' }).click();
    await page.locator('#live-bulk-progress', { hasText: 'Reset: done for 50 members.' }).waitFor();
    expect((await results.allTextContents()).sort()).toEqual([
      expect.stringMatching(/^1: is disabled by hand and stays so: enable it first\.many\/key-1$/),
      expect.stringMatching(/^49: is reset: its faults so far no longer count\./),
    ]);
    await page.getByLabel('Search members now').fill('many/key-2');
    await page.getByLabel('Select all members shown').check();
    await page.getByRole('button', { name: 'Reserve', exact: true }).click();
    await page.locator('#live-bulk-progress', { hasText: 'Say why' }).waitFor();
    await page.getByLabel('because').fill('Ana looks at it');
    await page.getByRole('button', { name: 'Reserve', exact: true }).click();
    await page
      .locator('#live-members tr:visible .state.reserved', { hasText: 'Ana looks at it' })
      .first()
      .waitFor();
    await page.getByLabel('Search members now').fill('');
  });

  it('updates the report while tests run', async () => {
    await page.locator('.verdict.product li').first().waitFor();
    await page.locator('.verdict.environment b', { hasText: '1' }).waitFor();
    expect(await page.locator('.status').first().textContent()).toBe('Running');
    await page.getByRole('radio', { name: /^Failed/ }).check();
    await expect.poll(() => page.locator('#tests-rows .outcome.unexpected').count()).toBeGreaterThan(0);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('ends while the page is open, and the page shows it', async () => {
    await expect.poll(() => waiting.length).toBe(3);
    for (const response of waiting) json(response, 200, {});
    const { output, report } = await ended;
    expect(output.match(/Gemba live: /g)).toHaveLength(1);
    expect(report!.run.status).toBe('failed');
    await page.locator('#live-connection', { hasText: 'The run has ended' }).waitFor();
    expect(await page.locator('#live-end').textContent()).toBe(
      'The run failed. Open the written report (gemba-report/index.html)',
    );
    expect(await page.getByRole('button', { name: 'Disable default/one' }).isDisabled()).toBe(true);
    // Of the edit that was refused, the browser itself says so.
    expect(trouble).toEqual([
      expect.stringMatching(/^console error: Failed to load resource: .* status of 400/),
    ]);
    expect(await page.content()).not.toMatch(/live-key-/);
  });

  it('has verdicts by evidence: a product failure, an outage with its time window, a crashed worker', async () => {
    const { report } = await ended;
    const named = (title: string) => report!.tests.find((test) => test.title.includes(title))!;
    const product = named('fails by itself first');
    expect(product.verdict).toBe('product');
    expect(product.results.map(({ verdict }) => verdict)).toEqual(['product', 'environment', 'environment']);
    const outage = named('meets an outage');
    expect(outage.verdict).toBe('environment');
    expect(outage.results[0]!.evidence[0]).toMatch(
      /^down\/down: (?:GET \/who: )?network, 1×, \d\d:\d\d:\d\d–\d\d:\d\d:\d\d$/,
    );
    expect(named('dies')).toMatchObject({ verdict: 'unknown', status: 'flaky' });
    expect(named('hears of a rate limit')).toMatchObject({ verdict: null, status: 'expected' });
  });
});
