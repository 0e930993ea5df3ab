import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GembaReport } from '../harness/report.ts';
import { type InlineResult, runInlineTest } from '../harness/run-inline-test.ts';
import { deadUrl, json, startServer, type TestServer } from '../harness/servers.ts';

/** Each test is named by its verdict. All of them begin at eu, and stay there. */
const SPEC = `
import { test, expect } from 'gemba-agent';

test('passed: both endpoints serve /orders', async ({ gemba }) => {
  const eu = await gemba.lease();
  const us = await gemba.lease();
  for (const lease of [eu, us]) expect((await gemba.fetch('/orders', { lease })).status).toBe(200);
});
test('passed: expects a 503', async ({ request }) => {
  expect((await request.get('/teapot')).status()).toBe(503);
});

test('product: a GET fails everywhere', async ({ request }) => {
  expect((await request.get('/bug/17?page=2', { headers: { 'x-tenant': 'a' } })).status()).toBe(200);
});
test('product: a POST fails with 500 where other routes work', async ({ request }) => {
  expect((await request.post('/pay')).status()).toBe(201);
});
test('product: all calls succeed', async ({ request }) => {
  expect(await (await request.get('/orders')).json()).toEqual({ orders: [1] });
});
test('product: a fault recovered', async ({ request }) => {
  await expect.poll(async () => (await request.get('/once')).status(), { intervals: [10] }).toBe(200);
  expect(1).toBe(2);
});
test('product: a fault came after the first error', async ({ request }) => {
  expect.soft((await request.get('/orders')).status()).toBe(201);
  await request.get('/only-eu');
});
test('product: passed tests end so as well', async ({ request }) => {
  await request.get('/teapot');
  expect(1).toBe(2);
});

test('environment: a GET fails at one endpoint alone', async ({ request }) => {
  expect((await request.get('/only-eu')).status()).toBe(200);
});
test('environment: a POST fails with 503', async ({ request }) => {
  expect((await request.post('/busy')).status()).toBe(201);
});
test.describe('dead', () => {
  test.use({ gembaPool: 'dead' });
  test('environment: nothing was sent', async ({ request }) => {
    await request.post('/pay');
  });
});

test('unknown: a pool that there is not', async ({ gemba, request }) => {
  await request.get('/orders');
  await gemba.lease({ pool: 'nopool' });
});
test('unknown: nothing was measured', () => {
  expect(1).toBe(2);
});
test('unknown: the worker died', async ({ request }) => {
  await request.get('/orders');
  process.exit(1);
});
`;

let polled = 0;

function startApi(name: string): Promise<TestServer> {
  return startServer(({ url }, response) => {
    const path = new URL(url, 'http://host').pathname;
    const status =
      path.startsWith('/bug') || path === '/pay' ? 500
      : path === '/busy' || path === '/teapot' ? 503
      : path === '/only-eu' && name === 'eu' ? 500
      : path === '/once' && polled++ === 0 ? 503
      : 200; // prettier-ignore
    json(response, status, { orders: [] });
  });
}

describe('verdicts', () => {
  const servers = new Map<string, TestServer>();
  let run: InlineResult;

  beforeAll(async () => {
    for (const name of ['eu', 'us']) servers.set(name, await startApi(name));
    const endpoints = [...servers].map(([name, { url }], priority) => {
      return { name, url, priority, maxConcurrent: 1 };
    });
    const pools = {
      default: { endpoints, keys: ['one', 'two'], routing: 'priority', failover: 'never', maxFailures: 99 },
      dead: { endpoints: [{ name: 'dead', url: await deadUrl() }], failover: 'never' },
    };
    const files = { 'gemba.config.json': JSON.stringify({ pools }), 'a.spec.ts': SPEC };
    run = await runInlineTest(files, { config: '{ workers: 1 }' });
  });

  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.close()));
    await run?.cleanup();
  });

  const tests = (): GembaReport['tests'] => run.report!.tests;

  it('follow the rules, in the report and in Playwright’s own', () => {
    const titles = tests().map(({ title }) => title.replace(/^.* › /, ''));
    const expected = titles.map((title) => title.split(':')[0]!.replace('passed', 'null'));
    const inReport = tests().map(({ verdict }) => String(verdict));
    expect(
      titles.map((title, index) => `${inReport[index]} ${title}`),
      run.output,
    ).toEqual(titles.map((title, index) => `${expected[index]} ${title}`));
    const annotated = new Map(annotations(run));
    const shown = titles.map((title) => annotated.get(title)?.split(':')[0] ?? 'null');
    // Only our own report knows that a worker died.
    const known = expected.map((verdict, index) => (titles[index]!.includes('died') ? 'null' : verdict));
    expect(titles.map((title, index) => `${shown[index]} ${title}`)).toEqual(
      titles.map((title, index) => `${known[index]} ${title}`),
    );
  });

  it('ask once more at another endpoint where that can decide, as the test asked', () => {
    const us = servers.get('us')!.requests.filter(({ url }) => url !== '/orders');
    expect(us.map(({ method, url, headers }) => [method, url, headers['x-tenant'] ?? null])).toEqual([
      ['GET', '/bug/17?page=2', 'a'],
      ['GET', '/only-eu', null],
    ]);
    const bug = tests().find(({ title }) => title === 'product: a GET fails everywhere')!;
    expect(bug.results[0]!.evidence).toEqual([
      expect.stringMatching(/^default\/eu\/key-\d: GET \/bug\/17: server 500, 1×, /),
      'eu and us gave 500 for this route, and succeeded for others',
      'GET /bug/17 was asked once more at us, for the evidence alone: 500',
    ]);
  });

  it('leave what was asked once more out of all totals', () => {
    const { totals, pools } = run.report!;
    const { requests } = pools
      .find(({ name }) => name === 'default')!
      .endpoints.find(({ name }) => name === 'us')!;
    expect(requests).toBe(1);
    const counted = tests().flatMap(({ results }) => results.flatMap((result) => result.requests));
    expect(totals.requests).toBe(counted.length);
  });
});

function* annotations({ results }: InlineResult): Generator<[string, string]> {
  type Suite = NonNullable<InlineResult['results']>['suites'][number];
  const specsOf = (suite: Suite): Suite['specs'] => [
    ...suite.specs,
    ...(suite.suites ?? []).flatMap(specsOf),
  ];
  for (const spec of results!.suites.flatMap(specsOf))
    for (const { type, description } of spec.tests[0]!.results[0]!.annotations)
      if (type === 'gemba') yield [spec.title, description ?? ''];
}
