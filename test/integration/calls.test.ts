import { describe, expect } from 'vitest';
import { inlineSuite, type SuiteSetup } from '../harness/inline-suite.ts';
import { deadUrl, findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const HEAD = `
import { test, expect } from 'gemba-agent';
const { A, B, FOREIGN } = process.env;
const who = async (response) => (await response.json()).at;
`;

let a: TestServer;
let b: TestServer;
let foreign: TestServer;
let proxy: TestServer;

async function startReplica(name: string, foreign: () => string): Promise<TestServer> {
  let throttled = 0;
  return startServer(async (seen, response, request) => {
    const { pathname, searchParams } = new URL(seen.url, 'http://any');
    const [, what, which] = pathname.split('/');
    const { headers } = seen;
    const key = seen.token ?? headers['x-api-key'] ?? searchParams.get('key') ?? null;
    const own = headers['x-own'] ?? null;
    const about = { at: name, key, own, method: seen.method, body: seen.body, type: headers['content-type'] };
    if (what === 'empty') return void response.writeHead(204).end();
    if (what === 'page')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>page</h1>');
    if (what === 'fails' && (which === name || which === 'all'))
      return json(response, 503, { ...about, failed: true });
    if (what === 'hangs' && (which === undefined || which === name)) return;
    if (what === 'throttled' && throttled++ === 0) return json(response, 429, {}, { 'retry-after': '1' });
    if (what === 'away') return void response.writeHead(302, { location: `${foreign()}/landed` }).end();
    if (what === 'events-away')
      return void response.writeHead(302, { location: `${foreign()}/landed-events` }).end();
    if (what === 'events' || what === 'landed-events') {
      const type = { 'content-type': 'text/event-stream', 'access-control-allow-origin': '*' };
      return void response.writeHead(200, type).write(`data: ${JSON.stringify(about)}\n\n`);
    }
    if (what === 'round') return void response.writeHead(307, { location: '/who' }).end();
    if (what === 'stream' || what === 'breaks') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('first');
      await new Promise((resolve) => setTimeout(resolve, 400));
      return void (what === 'breaks' ? request.socket.destroy() : response.end('second'));
    }
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    json(response, 200, about);
  });
}

/** Each pool has its failing endpoint first: `priority` makes the order certain. */
async function setUp(): Promise<SuiteSetup> {
  foreign = await startReplica('foreign', () => '');
  [a, b] = [await startReplica('a', () => foreign.url), await startReplica('b', () => foreign.url)];
  proxy = await startServer(async (seen, response) => {
    const { authorization } = seen.headers;
    const passedOn = await fetch(seen.url, authorization === undefined ? {} : { headers: { authorization } });
    json(response, passedOn.status, await passedOn.json());
  });
  const dead = await deadUrl();
  const both = [
    { name: 'a', url: a.url },
    { name: 'b', url: b.url, priority: 1 },
  ];
  const gone = [{ name: 'dead', url: dead }, both[1]!];
  const common = { routing: 'priority', timeout: '600ms', retryBudget: 1, maxFailures: 1000 };
  const keyed = { ...common, keys: ['key-one'] };
  const only = { ...keyed, endpoints: [a.url] };
  const pools = {
    default: { ...keyed, endpoints: both },
    dead: { ...keyed, endpoints: gone },
    gone: { ...keyed, endpoints: [dead], maxRetries: 1 },
    once: { ...keyed, endpoints: both, maxRetries: 0 },
    single: only,
    header: { ...only, auth: { header: 'X-Api-Key' } },
    query: { ...only, auth: { query: 'key' } },
    basic: {
      ...only,
      auth: 'basic',
      keys: [{ name: 'qa', fields: { username: 'qa', password: 'key-one' } }],
    },
    proxied: { ...keyed, endpoints: [{ name: 'a', url: a.url, proxy: proxy.url }] },
    keyed: { ...keyed, endpoints: both },
    'keyed-dead': { ...keyed, endpoints: gone },
    plain: { ...common, endpoints: both },
    'plain-dead': { ...common, endpoints: gone },
  };
  return {
    files: { 'gemba.config.json': JSON.stringify({ pools }) },
    config: `{ workers: 2, use: { launchOptions: ${JSON.stringify(findChromium() ?? {})} } }`,
    env: { A: a.url, B: b.url, FOREIGN: foreign.url },
    cleanup: () => Promise.all([a, b, foreign, proxy].map((server) => server.close())),
  };
}

function count(server: TestServer, url: string): number {
  return server.requests.filter((seen) => seen.url === url).length;
}

function expectNoSecrets(server: TestServer): void {
  const text = JSON.stringify(server.requests);
  for (const secret of ['key-one', Buffer.from('qa:key-one').toString('base64'), 'x-gemba'])
    expect(text).not.toContain(secret);
}

const { scenario } = inlineSuite({ setUp, head: HEAD });

describe('odd values', () => {
  scenario(
    'are refused where they are given, or cut, and harm no call after them',
    `
    test.describe('a test with its payload in its title: ' + 'x'.repeat(3000), () => {
      test.describe.configure({ mode: 'serial' });
      test('passes', async ({ request }) => { expect(await who(await request.get('/who'))).toBe('a'); });
      test('refuses odd arguments', async ({ gemba, request, lease }) => {
        const usage = expect.objectContaining({ code: 'GEMBA_USAGE' });
        for (const options of [{ timeoutMs: Infinity }, { timeoutMs: -1 }, { need: { level: 3 } }, { pool: 7 }])
          await expect(gemba.lease(options)).rejects.toEqual(usage);
        for (const outcome of [{ kind: 'bogus' }, { kind: 'ok', durationMs: NaN }, { kind: 'server', status: 500.5 }])
          expect(() => gemba.record(outcome)).toThrow(/^gemba\\.record\\(\\) got /);
        gemba.record({ kind: 'caller', message: 'x'.repeat(100_000) });
        await expect(gemba.run('t'.repeat(250), { a: async () => 1 })).rejects.toEqual(usage);
        expect(await who(await request.get('/who'))).toBe('a');
      });
    });
    test.describe('an odd need', () => {
      test.use({ gembaNeed: { level: 3 } });
      test.fail();
      test('is refused', async ({ request }) => { await request.get('/who'); });
    });
  `,
  );
});

describe('gemba.fetch', () => {
  scenario(
    'is fetch with the key of its lease',
    `
    test('is plain fetch with the key of its lease', async ({ gemba }) => {
      const response = await gemba.fetch('/who?x=1', { headers: { 'x-own': 'mine' } });
      expect(response).toBeInstanceOf(Response);
      expect(response.url).toBe(A + '/who?x=1');
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      expect(await response.json()).toMatchObject({ at: 'a', key: 'key-one', own: 'mine', method: 'GET' });
      expect(await (await gemba.fetch(new URL(A + '/who'))).json()).toMatchObject({ key: 'key-one' });
      expect(await (await gemba.fetch('https://gemba.invalid/who')).json()).toMatchObject({ at: 'a', key: 'key-one' });
      const request = new Request(A + '/who', { method: 'POST', body: 'hello', headers: { 'x-own': 'yours' } });
      expect(await (await gemba.fetch(request)).json()).toMatchObject({ key: 'key-one', body: 'hello', own: 'yours' });
      expect(await (await gemba.fetch(FOREIGN + '/who')).json()).toMatchObject({ at: 'foreign', key: null });
      expect((await gemba.fetch('/empty')).status).toBe(204);
    });
  `,
  );

  scenario(
    'sends bodies of every kind',
    `
    test('sends bodies of all kinds', async ({ gemba }) => {
      const form = new FormData();
      form.set('file', new Blob(['content of the file']), 'a.txt');
      expect(await (await gemba.fetch('/who', { method: 'POST', body: form })).json()).toMatchObject({
        type: expect.stringMatching(/^multipart\\/form-data; boundary=/), body: expect.stringContaining('content of the file') });
      const search = await (await gemba.fetch('/who', { method: 'POST', body: new URLSearchParams({ q: 'x y' }) })).json();
      expect(search).toMatchObject({ body: 'q=x+y', type: expect.stringContaining('application/x-www-form-urlencoded') });
      const stream = new Blob(['streamed']).stream();
      expect(await (await gemba.fetch('/who', { method: 'POST', body: stream, duplex: 'half' })).json()).toMatchObject({ body: 'streamed' });
    });
  `,
  );

  scenario(
    'moves to another member, and repeats only what may be repeated',
    `
    test('goes elsewhere where that can help, and repeats only what may be repeated', async ({ gemba }) => {
      expect(await who(await gemba.fetch('/fails/a?one'))).toBe('b');
      const lease = await gemba.lease();
      const post = await gemba.fetch('/fails/a?two', { method: 'POST', lease });
      expect([post.status, await who(post)]).toEqual([503, 'a']);
      expect(await who(await gemba.fetch('/fails/a?three', { method: 'POST', body: 'x', idempotent: true, lease }))).toBe('b');
    });
  `,
    ({ tests }) => {
      expect([count(a, '/fails/a?two'), count(b, '/fails/a?two')]).toEqual([1, 0]);
      expect([count(a, '/fails/a?three'), count(b, '/fails/a?three')]).toEqual([1, 1]);
      expect(tests[0]!.results[0]!.leases.map(({ endpoint, requests }) => [endpoint, requests])).toEqual([
        ['a', 1],
        ['b', 1],
        ['a', 2],
        ['b', 1],
      ]);
    },
  );

  scenario(
    'returns the last answer where every request fails',
    `
    test('ends with the answer that it got', async ({ gemba }) => {
      const response = await gemba.fetch('/fails/all?four');
      expect([response.status, (await response.json()).failed]).toEqual([503, true]);
    });
  `,
    () => expect(count(a, '/fails/all?four') + count(b, '/fails/all?four')).toBe(4),
  );

  scenario(
    'repeats every request that a dead endpoint refused',
    `
    test.describe('at a dead endpoint', () => {
      test.use({ gembaPool: 'dead' });
      test('repeats everything, since nothing was sent', async ({ gemba }) => {
        expect(await (await gemba.fetch('/who', { method: 'POST', body: 'x' })).json()).toMatchObject({ at: 'b', body: 'x' });
      });
    });
  `,
  );

  scenario(
    'throws what fetch throws where no endpoint answers',
    `
    test.describe('with nothing that answers', () => {
      test.use({ gembaPool: 'gone' });
      test('throws what fetch throws', async ({ gemba }) => {
        const error = await gemba.fetch('/who').catch((e) => e);
        expect(error).toBeInstanceOf(TypeError);
        expect(error.cause.code).toBe('ECONNREFUSED');
      });
    });
  `,
  );

  scenario(
    'sends one request where maxRetries is 0',
    `
    test.describe('without retries', () => {
      test.use({ gembaPool: 'once' });
      test('makes one attempt', async ({ gemba }) => { expect((await gemba.fetch('/fails/a?once')).status).toBe(503); });
    });
  `,
    () => expect([count(a, '/fails/a?once'), count(b, '/fails/a?once')]).toEqual([1, 0]),
  );

  scenario(
    'waits for Retry-After outside the time of the test, and limits a request by `timeout`',
    `
    test.describe('throttled', () => {
      test.use({ gembaPool: 'single' });
      test.setTimeout(2000);
      test('waits for Retry-After, not on the time of the test', async ({ gemba }) => {
        const from = Date.now();
        expect((await gemba.fetch('/throttled')).status).toBe(200);
        expect(Date.now() - from).toBeGreaterThanOrEqual(950);
        await new Promise((resolve) => setTimeout(resolve, 1500));
      });
      test('gives up a hanging endpoint after the time of an attempt', async ({ gemba }) => {
        const error = await gemba.fetch('/hangs', { method: 'POST' }).catch((e) => e);
        expect(error.name).toBe('TimeoutError');
        expect(error.message).toMatch(/no answer in \\d+ ms/);
      });
    });
  `,
  );

  scenario(
    'leaves an endpoint that hangs',
    `
    test('leaves an endpoint that hangs', async ({ gemba }) => { expect(await who(await gemba.fetch('/hangs/a'))).toBe('b'); });
  `,
  );

  scenario(
    'ends at once when the caller aborts',
    `
    test('ends at once when its caller aborts, and blames nobody', async ({ gemba }) => {
      const from = Date.now();
      const error = await gemba.fetch('/hangs', { signal: AbortSignal.timeout(100) }).catch((e) => e);
      expect(error.name).toBe('TimeoutError');
      expect(Date.now() - from).toBeLessThan(450);
      const controller = new AbortController();
      controller.abort(new Error('mine'));
      await expect(gemba.fetch('/who', { signal: controller.signal })).rejects.toThrow('mine');
    });
  `,
  );

  scenario(
    'passes a stream on as it arrives',
    `
    test('passes a stream on as it comes', async ({ gemba }) => {
      const response = await gemba.fetch('/stream');
      const reader = response.body.getReader();
      const from = Date.now();
      expect(Buffer.from((await reader.read()).value).toString()).toBe('first');
      expect(Date.now() - from).toBeLessThan(300);
      expect(Buffer.from((await reader.read()).value).toString()).toBe('second');
      expect((await reader.read()).done).toBe(true);
    });
  `,
  );

  scenario(
    'counts a stream that breaks off as a fault',
    `
    test('counts a stream that breaks off', async ({ gemba }) => {
      await expect((await gemba.fetch('/breaks')).text()).rejects.toThrow();
      test.fail();
      expect(1).toBe(2);
    });
  `,
    ({ tests }) =>
      expect(tests[0]!.results[0]!.leases[0]).toMatchObject({
        pool: 'default',
        endpoint: 'a',
        requests: 1,
        failures: 1,
      }),
  );

  scenario(
    "keeps the caller's own authorization",
    `
    test('leaves its caller’s own auth alone, and knows its own', async ({ gemba, lease }) => {
      const own = await gemba.fetch('/who', { headers: { authorization: 'Bearer somebody' } });
      expect(await own.json()).toMatchObject({ key: 'somebody' });
      const same = await gemba.fetch('/who', { headers: lease.headers });
      expect(await same.json()).toMatchObject({ key: 'key-one' });
      await lease.release();
      await expect(gemba.fetch('/who', { lease })).rejects.toMatchObject({ code: 'GEMBA_LEASE_RELEASED' });
    });
  `,
  );

  scenario(
    'sends no key to another origin, in any form of auth',
    `
    for (const pool of ['single', 'header', 'query', 'basic']) {
      test.describe(pool, () => {
        test.use({ gembaPool: pool });
        test('takes no key elsewhere', async ({ gemba }) => {
          const response = await gemba.fetch('/away', { method: 'POST', body: 'x' });
          expect(response.redirected).toBe(true);
          expect(response.url).toBe(FOREIGN + '/landed');
          expect((await gemba.fetch('/away', { redirect: 'manual' })).status).toBe(302);
          expect((await gemba.fetch('/round')).status).toBe(200);
        });
      });
    }
  `,
    () => {
      const landed = foreign.requests.filter((seen) => seen.url.startsWith('/landed'));
      expect(landed.length).toBeGreaterThanOrEqual(4);
      expectNoSecrets(foreign);
    },
  );
});

describe('request contexts', () => {
  scenario(
    'use the proxy of their endpoint, and only theirs',
    `
    test.describe('through a proxy', () => {
      test.use({ gembaPool: 'proxied' });
      test('go fetch and request', async ({ gemba, request }) => {
        expect(await (await gemba.fetch('/who')).json()).toMatchObject({ at: 'a', key: 'key-one' });
        expect(await (await request.get('/who')).json()).toMatchObject({ at: 'a', key: 'key-one' });
      });
    });
  `,
    () => expect(proxy.requests.map((seen) => seen.url)).toEqual([`${a.url}/who`, `${a.url}/who`]),
  );

  scenario(
    'made by hand in a test carry its key',
    `
    test('belong to the lease, whatever options they have but another origin', async ({ request, playwright }) => {
      const second = await playwright.request.newContext();
      expect(await (await second.get('/who')).json()).toMatchObject({ at: 'a', key: 'key-one' });
      const withHeaders = await playwright.request.newContext({ extraHTTPHeaders: { 'x-own': 'second' } });
      expect(await (await withHeaders.get('/who')).json()).toMatchObject({ at: 'a', key: 'key-one', own: 'second' });
      const other = await playwright.request.newContext({ baseURL: FOREIGN });
      expect(await (await other.get('/who')).json()).toMatchObject({ at: 'foreign', key: null });
      expect(await (await request.get('/who')).json()).toMatchObject({ key: 'key-one' });
    });
  `,
  );
});

describe.skipIf(findChromium() === undefined)('a page', () => {
  scenario(
    'moves a first document to an endpoint that answers, with and without a key',
    `
    for (const [pool, how] of [['keyed', 'with a key'], ['plain', 'without']]) {
      test.describe(how, () => {
        test.use({ gembaPool: pool });
        for (const path of ['/fails/a', '/hangs/a']) {
          test('a first document goes elsewhere: ' + path, async ({ page, lease }) => {
            const response = await page.goto(path);
            expect(response.status()).toBe(200);
            expect(page.url()).toBe(B + path);
            await expect(page).toHaveURL(path);
            await page.goto('/page');
            await expect(page).toHaveURL(B + '/page');
            expect(lease.endpoint.name).toBe('b');
          });
        }
        test('a product that fails everywhere fails', async ({ page }) => {
          expect((await page.goto('/fails/all')).status()).toBe(503);
        });
        test('what has loaded stays', async ({ page, lease }) => {
          await page.goto('/page');
          expect((await page.goto('/fails/a')).status()).toBe(503);
          expect(lease.endpoint.name).toBe('a');
        });
        test.describe('dead', () => {
          test.use({ gembaPool: pool + '-dead' });
          test('a first document goes where something answers', async ({ page }) => {
            await page.goto('/page', { waitUntil: 'domcontentloaded' });
            await expect(page).toHaveURL(B + '/page');
          });
        });
      });
    }
  `,
  );

  scenario(
    'keeps the key through routes of the test',
    `
    test.use({ gembaPool: 'keyed' });
    test('keep the key', async ({ page, context }) => {
      const seen = [];
      const spy = (route, request) => { seen.push(request.url()); return route.continue({ headers: { ...request.headers(), 'x-own': 'routed' } }); };
      await page.route('**/who*', spy);
      await page.goto('/page');
      const ask = (path) => page.evaluate(async (p) => (await fetch(p)).json(), path);
      expect(await ask('/who')).toMatchObject({ key: 'key-one', own: 'routed' });
      await page.unroute('**/who*', spy);
      expect(await ask('/who')).toMatchObject({ key: 'key-one', own: null });
      expect(seen).toHaveLength(1);
      await context.route('**/who?fetched', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), fetched: true } });
      });
      await context.route('**/who?fallen', (route) => route.fallback({ headers: { 'x-own': 'fallen' } }));
      await context.route('**/who?made', (route) => route.fulfill({ json: { made: true } }));
      expect(await ask('/who?fetched')).toMatchObject({ key: 'key-one', fetched: true });
      expect(await ask('/who?fallen')).toMatchObject({ key: 'key-one', own: 'fallen' });
      expect(await ask('/who?made')).toEqual({ made: true });
    });
  `,
  );

  scenario(
    'takes no key to another origin through an event stream',
    `
    test.use({ gembaPool: 'keyed' });
    test('and a stream of events takes it nowhere else', async ({ page }) => {
      await page.goto('/page');
      const first = (path) => page.evaluate((p) => new Promise((resolve, reject) => {
        const events = new EventSource(p);
        events.onmessage = ({ data }) => { events.close(); resolve(JSON.parse(data)); };
        events.onerror = () => { events.close(); reject(new Error('no events')); };
      }), path);
      expect(await first('/events')).toMatchObject({ at: 'a', key: 'key-one' });
      await first('/events-away').catch(() => {});
    });
  `,
    () => expectNoSecrets(foreign),
  );

  scenario(
    'made by hand carries the key, whatever headers it brings, unless its visitor is anonymous',
    `
    test.use({ gembaPool: 'keyed' });
    test('a second user has the key too, a visitor has none', async ({ page, browser, lease }) => {
      await page.goto('/page');
      const second = await browser.newContext();
      const other = await second.newPage();
      await other.goto('/who');
      expect(JSON.parse(await other.textContent('body'))).toMatchObject({ at: 'a', key: 'key-one' });
      const withHeaders = await browser.newContext({ extraHTTPHeaders: { 'x-own': 'second' } });
      const own = await withHeaders.newPage();
      await own.goto('/who');
      expect(JSON.parse(await own.textContent('body'))).toMatchObject({ at: 'a', key: 'key-one', own: 'second' });
      const visitor = await lease.newPage(browser, { anonymous: true });
      await visitor.goto('/who');
      expect(JSON.parse(await visitor.textContent('body'))).toMatchObject({ at: 'a', key: null });
    });
  `,
  );
});
