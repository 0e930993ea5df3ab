import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

/** An existing suite: passes, failures, reruns, skips, hooks, a describe with its own base URL, expected failures. */
const SUITE = `
test.describe('orders', () => {
  let seen = 0;
  test.beforeAll(async ({ request }) => { expect((await request.get('/orders')).ok()).toBe(true); });
  test.beforeEach(async () => { seen++; });
  test('lists', async ({ request }) => { expect(await (await request.get('/orders')).json()).toEqual({ orders: [] }); });
  test('is missing', async ({ request }) => { expect((await request.get('orders/9')).status()).toBe(404); });
  test('posts', async ({ request }) => { expect((await request.post('/orders', { data: { a: 1 } })).status()).toBe(201); });
  test('fails', async ({ request }) => { expect((await request.get('/orders')).status()).toBe(204); });
  test('is flaky', async ({ request }) => { expect((await request.get('/orders')).status()).toBe(test.info().retry ? 200 : 204); });
  test('is broken at the server', async ({ request }) => { expect((await request.get('/boom')).status()).toBe(200); });
  test('is limited', async ({ request }) => { expect((await request.get('/limited')).status()).toBe(429); });
  test('throws on a status', async ({ request }) => {
    await expect(request.get('/orders/9', { failOnStatusCode: true })).rejects.toThrow('404');
  });
  test('times out', async ({ request }) => {
    await expect(request.get('/slow', { timeout: 300 })).rejects.toThrow('Timeout 300ms exceeded');
  });
  test('is slow', async ({ request }) => { expect((await request.get('/slow')).status()).toBe(200); });
  test('asks elsewhere', async ({ request }) => { expect((await request.get(process.env.OTHER_URL + '/orders')).ok()).toBe(true); });
  test('knows the base URL', async ({ baseURL }) => { expect(baseURL).toBe(process.env.BASE_URL); });
  test.fail('is known to fail', async ({ request }) => { expect((await request.get('/orders')).status()).toBe(204); });
  test.skip('is skipped', async () => {});
});
test.describe('elsewhere', () => {
  test.use({ baseURL: process.env.OTHER_URL });
  test('has its own base URL', async ({ request, baseURL }) => {
    expect(baseURL).toBe(process.env.OTHER_URL);
    expect((await request.get('/orders')).ok()).toBe(true);
  });
});
test('empty', async () => {});
test('only expects', async () => { expect(1).toBe(1); });
`;

const CONFIG = `import { defineConfig } from '@playwright/test';
export default defineConfig({
  retries: 1, workers: 2, fullyParallel: true, timeout: 5000,
  use: { baseURL: process.env.BASE_URL, extraHTTPHeaders: { 'x-suite': 'existing' } },
  reporter: [['json', { outputFile: process.env.RESULTS }], ...(process.env.PLAIN ? [] : [['gemba-agent/reporter']])] as any,
});`;

const POOL = '{ "pools": { "only": { "endpoints": ["${BASE_URL}"], "timeout": "200ms" } } }';

describe('an existing suite', () => {
  let api: TestServer;
  let other: TestServer;
  let project: InlineProject;
  let plain: string[];

  beforeAll(async () => {
    api = await startApi();
    other = await startApi();
    project = await createInlineProject({
      'playwright.config.ts': CONFIG,
      'plain.spec.ts': `import { test, expect } from '@playwright/test';\n${SUITE}`,
      'gemba.spec.ts': `import { test, expect } from 'gemba-agent';\n${SUITE}`,
    });
    plain = outcomes(await run('plain.spec.ts', { PLAIN: '1' }));
  });

  afterAll(async () => {
    await api.close();
    await other.close();
    await project.cleanup();
  });

  function run(file: string, env: Record<string, string>): Promise<InlineResult> {
    const all = { BASE_URL: api.url, OTHER_URL: other.url, RESULTS: 'results.json', ...env };
    return project.run({ args: [file], env: all });
  }

  it('gives what it gave before without a configuration', async () => {
    const result = await run('gemba.spec.ts', {});
    expect(outcomes(result)).toEqual(plain);
    expect(result.output).toMatch(/^Gemba:.*not measured/m);
    expect(result.report!.totals).toMatchObject({ leases: 0, requests: 0, successRate: null });
  });

  it('and with a pool of one endpoint equal to its base URL', async () => {
    await project.write({ 'gemba.config.json': POOL });
    const result = await run('gemba.spec.ts', {});
    expect(outcomes(result)).toEqual(plain);
    const tests = new Map(result.report!.tests.map((test) => [test.title.split(' › ').at(-1)!, test]));
    const leases = (title: string): number => tests.get(title)!.results.flatMap((one) => one.leases).length;
    expect(['empty', 'only expects', 'knows the base URL'].map(leases)).toEqual([0, 0, 0]);
    expect(leases('lists')).toBeGreaterThan(0);
    expect(tests.get('has its own base URL')).toMatchObject({ pinned: true });
    expect(result.report!.totals.pinned).toBe(1);
    expect(result.report!.pools[0]!.endpoints[0]!.state).toBe('healthy');
  });

  it('and with the same pool, switched off by GEMBA_DISABLE=1', async () => {
    const result = await run('gemba.spec.ts', { GEMBA_DISABLE: '1' });
    expect(outcomes(result)).toEqual(plain);
    expect(result.report!.totals.leases).toBe(0);
  });

  it('sends no header of ours to the server', () => {
    const names = [api, other].flatMap((server) =>
      server.requests.flatMap((seen) => Object.keys(seen.headers)),
    );
    expect([...new Set(names)].filter((name) => name.startsWith('x-'))).toEqual(['x-suite']);
  });
});

function startApi(): Promise<TestServer> {
  return startServer(async (seen, response) => {
    if (seen.url === '/boom') return json(response, 500, {});
    if (seen.url === '/limited') return json(response, 429, {}, { 'retry-after': '30' });
    if (seen.url === '/slow') await new Promise((resolve) => setTimeout(resolve, 1_000));
    if (seen.url === '/orders/9') return json(response, 404, {});
    json(response, seen.method === 'POST' ? 201 : 200, { orders: [] });
  });
}

/** Titles, statuses and reruns, as Playwright's own JSON report has them. */
function outcomes(result: InlineResult): string[] {
  const lines: string[] = [];
  const walk = (suites: NonNullable<InlineResult['results']>['suites'], path: string): void => {
    for (const suite of suites) {
      for (const spec of suite.specs) {
        const statuses = spec.tests.flatMap((test) => test.results.map((one) => one.status));
        lines.push(`${path}${spec.title}: ${spec.tests[0]!.status} (${statuses.join(', ')})`);
      }
      walk(suite.suites ?? [], `${path}${suite.title} › `);
    }
  };
  for (const file of result.results!.suites) {
    walk(file.suites ?? [], '');
    walk([{ ...file, suites: [] }], '');
  }
  return lines.sort();
}
