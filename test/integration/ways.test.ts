import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const WAYS = `
import { test as base } from '@playwright/test';
import { test, expect, gembaFixtures } from 'gemba-agent';

test.describe('a base URL', () => {
  test('is the leased one where the test asks for both', async ({ baseURL, request, lease }) => {
    expect(baseURL).toBe(lease.endpoint.url);
    expect((await request.get('/who')).ok()).toBe(true);
  });
  test('with a path has the path kept', async ({ gemba }) => {
    const lease = await gemba.lease({ pool: 'path' });
    expect(lease.endpoint.url).toContain('/api/v1/');
    expect(await (await gemba.fetch('/orders', { lease })).json()).toMatchObject({ path: '/api/v1/orders' });
  });
  test.describe('outside the pool', () => {
    test.use({ baseURL: process.env.OUTSIDE });
    test('is honoured without the key', async ({ request }) => {
      const answer = await (await request.get('/who')).json();
      expect(answer).toEqual({ path: '/who', key: null });
    });
  });
});

test.describe('with a path', () => {
  test.use({ gembaPool: 'path' });
  test('resolves relative addresses as Playwright does', async ({ request }) => {
    expect(await (await request.get('/orders')).json()).toMatchObject({ path: '/orders' });
    expect(await (await request.get('orders?x=1')).json()).toMatchObject({ path: '/api/v1/orders?x=1' });
    expect(await (await request.get('../v2/orders')).json()).toMatchObject({ path: '/api/v2/orders' });
    expect(await (await request.get(process.env.POOL + '/api/v1/orders')).json()).toMatchObject({ path: '/api/v1/orders' });
    expect(await (await request.get(process.env.POOL + '/other')).json()).toEqual({ path: '/other', key: 'path-key-value' });
    expect(await (await request.get(process.env.OUTSIDE + '/other')).json()).toEqual({ path: '/other', key: null });
  });
});

test.describe('labels', () => {
  test.use({ gembaNeed: { role: 'admin' } });
  test('choose the key', async ({ lease, request }) => {
    expect(lease.key.name).toBe('boss');
    expect(lease.key.labels).toEqual({ role: 'admin' });
    expect(lease.key.fields).toEqual({ username: 'chief' });
    expect(lease.headers).toEqual({ authorization: 'Bearer boss-key-value' });
    expect(await (await request.get('/who')).json()).toMatchObject({ key: 'boss-key-value' });
  });
  test('that no key carries are an error', async ({ gemba }) => {
    await expect(gemba.lease({ need: { role: 'nobody' } })).rejects.toMatchObject({ code: 'GEMBA_NEED_UNMET' });
  });
});

test.describe('keys alone', () => {
  test.use({ gembaPool: 'keys', baseURL: process.env.OUTSIDE });
  test('go to the configured base URL only', async ({ request }) => {
    expect(await (await request.get('/who')).json()).toMatchObject({ key: 'alone-key-value' });
    expect(await (await request.get(process.env.POOL + '/who')).json()).toMatchObject({ key: null });
  });
});

test.describe('a pool for workers', () => {
  test.use({ gembaPool: 'held' });
  const ids = new Set();
  for (const index of [1, 2]) {
    test('keeps its lease ' + index, async ({ lease, request }) => { ids.add(lease.id); expect(ids.size).toBe(1); });
  }
});

test.describe('a pool with an unset variable', () => {
  test.use({ gembaPool: 'unset' });
  test('skips its tests', async ({ request }) => { expect(1).toBe(2); });
});

test('leases and outcomes by hand', async ({ gemba }) => {
  await using_(await gemba.lease(), async (lease) => {
    gemba.record({ kind: 'server', status: 503, durationMs: 12, message: 'by hand', lease });
  });
  await expect(gemba.lease({ pool: 'nowhere' })).rejects.toMatchObject({ code: 'GEMBA_POOL_UNKNOWN' });
});
async function using_(lease, work) { try { await work(lease); } finally { await lease[Symbol.asyncDispose](); await lease.release(); } }

const own = base.extend(gembaFixtures).extend({ first: async ({ request }, use) => use(await (await request.get('/who')).json()) });
own('a test type of your own', async ({ first }) => { expect(first).toMatchObject({ path: '/who' }); });

test('the worker’s own lease', async ({ workerLease }) => { expect(workerLease.endpoint.name).toBe('only'); });

test('a redirect is followed', async ({ request }) => {
  const response = await request.get('/moved');
  expect(response.url()).toBe(process.env.POOL + '/who');
  const form = await request.post('/who', { multipart: { file: { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') } } });
  expect(form.ok()).toBe(true);
  expect((await request.get('/moved', { maxRedirects: 0 })).status()).toBe(302);
});
`;

const CONFIG = `{
  // comments and trailing commas are welcome
  "pools": {
    "default": {
      "endpoints": [{ "name": "only", "url": "\${POOL}" }],
      "keys": [
        { "name": "staff", "value": "staff-key-value" },
        { "name": "boss", "value": "boss-key-value", "labels": { "role": "admin" }, "fields": { "username": "chief" } },
      ],
    },
    "path": { "endpoints": ["\${POOL}/api/v1/"], "keys": ["path-key-value"] },
    "keys": { "keys": ["alone-key-value"] },
    "held": { "endpoints": ["\${POOL}"], "scope": "worker" },
    "unset": { "endpoints": ["\${NOT_SET_ANYWHERE}"], "whenUnset": "skip" },
  },
}`;

describe('the ways to ask for a lease', () => {
  let pool: TestServer;
  let outside: TestServer;
  let project: InlineProject;
  let result: InlineResult;

  beforeAll(async () => {
    pool = await startWho();
    outside = await startWho();
    project = await createInlineProject({ 'gemba.config.json': CONFIG, 'ways.spec.ts': WAYS });
    const env = { POOL: pool.url, OUTSIDE: outside.url };
    result = await project.run({ env, args: ['--workers=1'] });
  });

  afterAll(async () => {
    await pool.close();
    await outside.close();
    await project.cleanup();
  });

  it('all work as the contract says', () => {
    expect({
      failed: result.failed,
      skipped: result.skipped,
      output: result.failed ? result.output : '',
    }).toEqual({
      failed: 0,
      skipped: 1,
      output: '',
    });
    expect(result.report!.totals).toMatchObject({ pinned: 1, failures: 1 });
    expect(result.output).not.toContain('-key-value');
  });

  it('a skipped pool says which variable is missing', () => {
    expect(JSON.stringify(result.results)).toContain('NOT_SET_ANYWHERE');
  });

  it('an invalid configuration fails the tests that need it, with every problem and its place', async () => {
    await project.write({
      'broken.config.json': '{\n  "pools": { "api": { "endpoins": [] } },\n  "store": 5,\n}',
    });
    const env = { POOL: pool.url, OUTSIDE: outside.url, GEMBA_CONFIG: 'broken.config.json' };
    const broken = await project.run({ env, args: ['--workers=1', '-g', 'a redirect is followed'] });
    expect(broken.failed).toBe(1);
    expect(broken.output).toMatch(
      /broken\.config\.json:2:\d+ +pools\.api\.endpoins: unknown field; did you mean "endpoints"\?/,
    );
    expect(broken.output).toMatch(/broken\.config\.json:3:\d+ +store/);
    expect(broken.output).toContain(
      'unknown: broken.config.json is not valid (3 problems, listed at the start',
    );
  });
});

function startWho(): Promise<TestServer> {
  return startServer((seen, response) => {
    if (seen.url === '/moved') return void response.writeHead(302, { location: '/who' }).end();
    if (seen.url === '/missing') return json(response, 404, {});
    json(response, 200, { path: seen.url, key: seen.token });
  });
}
