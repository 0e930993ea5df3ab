import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inlineSuite, type SuiteSetup } from '../harness/inline-suite.ts';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { deadUrl, json, startServer, type TestServer } from '../harness/servers.ts';

const startEndpoint = (name: string): Promise<TestServer> =>
  startServer((seen, response) => json(response, 200, { at: name, key: seen.token, url: seen.url }));

function configOf(eu: string, us: string, more: object = {}): string {
  const endpoints = [
    { name: 'eu', url: eu },
    { name: 'us', url: us },
  ];
  const keys = [
    { name: 'one', value: 'key-one' },
    { name: 'two', value: 'key-two' },
  ];
  return JSON.stringify({ pools: { api: { endpoints, keys, acquireTimeout: '1s', ...more } } });
}

describe('a project for each endpoint', () => {
  const spec = `
    import { test, expect } from 'gemba-agent';
    for (let i = 0; i < Number(process.env.COUNT); i++) test('asks its own ' + i, async ({ request, gemba }, info) => {
      expect(await (await request.get('/for/' + info.project.name)).json()).toMatchObject({ at: info.project.name });
      const further = await gemba.lease();
      expect(further.endpoint.name).toBe(info.project.name);
    });
  `;
  const config = `{ workers: 4, projects: ['eu', 'us'].map((name) => ({ name, use: { gembaEndpoint: name } })) }`;
  let eu: TestServer;
  let us: TestServer;
  let project: InlineProject;

  beforeAll(async () => {
    [eu, us] = [await startEndpoint('eu'), await startEndpoint('us')];
    const files = { 'gemba.config.json': configOf(eu.url, us.url), 'a.spec.ts': spec };
    project = await createInlineProject(files, config);
  });
  afterAll(() => Promise.all([eu.close(), us.close(), project.cleanup()]));

  const strays = (): string[] => [
    ...eu.requests.filter(({ url }) => url !== '/for/eu').map(({ url }) => `eu ${url}`),
    ...us.requests.filter(({ url }) => url !== '/for/us').map(({ url }) => `us ${url}`),
  ];

  it('tests each at its own endpoint, and the summary says so', async () => {
    const { passed, failed, output, report } = await project.run({ env: { COUNT: '20' } });
    expect([passed, failed], output).toEqual([40, 0]);
    expect([eu.requests.length, us.requests.length, strays()]).toEqual([20, 20, []]);
    expect(report!.totals.pinned).toBe(40);
    expect(report!.tests.every((test) => test.pinned)).toBe(true);
    for (const name of ['eu', 'us'])
      expect(output).toContain(
        `20 tests pinned to ${name} by gembaEndpoint; remove gembaEndpoint to use every endpoint`,
      );
  });

  it('fails as environment where its endpoint is down, and runs nowhere else', async () => {
    await project.write({ 'gemba.config.json': configOf(eu.url, await deadUrl()) });
    eu.requests.length = 0;
    const { passed, failed, output, report } = await project.run({ env: { COUNT: '5' } });
    expect([passed, failed], output).toEqual([5, 5]);
    expect([eu.requests.length, strays()]).toEqual([5, []]);
    expect(report!.verdicts).toMatchObject({ product: 0, environment: 5, unknown: 0 });
    const page = await readFile(path.join(project.folder, 'gemba-report/index.html'), 'utf8');
    expect(page).toContain('5 tests ran at several endpoints; 5 of them have different results.');
    const row = /<tr class="differs">.*?<\/tr>/.exec(page)![0];
    expect([...row.matchAll(/outcome (\w+)/g)].map(([, outcome]) => outcome)).toEqual([
      'expected',
      'unexpected',
    ]);
  });
});

describe('a target that cannot be', () => {
  let eu: TestServer;
  let us: TestServer;
  let result: InlineResult;

  beforeAll(async () => {
    [eu, us] = [await startEndpoint('eu'), await startEndpoint('us')];
    const spec = `
      import { test } from 'gemba-agent';
      const { EU, US } = process.env;
      const refused = (title, options, body = ({ request }) => request.get('/' + title)) => test.describe(title, () => {
        test.use(options);
        test('fails', async ({ request }) => body({ request }));
      });
      refused('unknown', { gembaEndpoint: 'usa' });
      refused('disagree', { gembaEndpoint: 'us', baseURL: EU + '/x' });
      test('further', async ({ gemba }) => { await gemba.lease({ endpoint: 'usa' }); });
    `;
    const files = {
      'gemba.config.json': configOf(eu.url, us.url),
      'a.spec.ts': spec,
      'pinned.spec.ts': `
        import { test, expect } from 'gemba-agent';
        test('request', async ({ request }) => { await request.get('/pinned'); });
        test('lease', async ({ lease }) => { expect(lease.endpoint.name).toBe('us'); });
      `,
    };
    const project = await createInlineProject(files, `{ use: { baseURL: process.env.BASE } }`);
    const env = { EU: eu.url, US: us.url };
    result = await project.run({ env, args: ['a.spec.ts'] });
    const pinned = await project.run({
      env: { ...env, GEMBA_PIN: 'api/us', BASE: eu.url },
      args: ['pinned.spec.ts'],
    });
    result.output += pinned.output;
    expect([pinned.passed, pinned.failed]).toEqual([0, 2]);
    await project.cleanup();
  });
  afterAll(() => Promise.all([eu.close(), us.close()]));

  it('fails the test with an error that names both, or the known names; nothing is sent', () => {
    expect([result.passed, result.failed]).toEqual([0, 3]);
    expect(eu.requests.length + us.requests.length).toBe(0);
    const said = result.output.match(/GembaError: [^\n]+/g) ?? [];
    expect([...new Set(said)].map((line) => line.replaceAll(eu.url, 'EU'))).toEqual([
      'GembaError: Pool "api" has no endpoint "usa". Did you mean "us"? Known: "eu", "us". (GEMBA_ENDPOINT_UNKNOWN)',
      'GembaError: gembaEndpoint names "us", but baseURL EU/x is at endpoint "eu" of pool "api". A test must not run anywhere else than it says: remove one of the two. (GEMBA_TARGET_CONFLICT)',
      'GembaError: GEMBA_PIN restricts pool "api" to "us", but baseURL EU is at endpoint "eu" of pool "api". A test must not run anywhere else than it says: remove one of the two. (GEMBA_TARGET_CONFLICT)',
    ]);
    expect(result.report!.verdicts).toMatchObject({ product: 0, environment: 0, unknown: 3 });
  });
});

describe('a test that names its target', () => {
  let eu: TestServer;
  let us: TestServer;
  let spare: TestServer;

  const setUp = async (): Promise<SuiteSetup> => {
    [eu, us, spare] = [await startEndpoint('eu'), await startEndpoint('us'), await startEndpoint('spare')];
    const { pools } = JSON.parse(configOf(eu.url, us.url)) as { pools: Record<string, object> };
    const gone = { name: 'gone', url: await deadUrl() };
    const all = {
      default: pools['api'],
      other: pools['api'],
      falling: {
        endpoints: [gone, { name: 'eu', url: eu.url }],
        whenEmpty: 'fallback',
        fallback: 'spare',
        acquireTimeout: 500,
      },
      spare: { endpoints: [{ name: 'spare', url: spare.url }] },
    };
    return {
      files: { 'gemba.config.json': JSON.stringify({ pools: all }) },
      config: `{ workers: 2, use: { storageState: undefined } }`,
      env: { EU: eu.url, US: us.url, SPARE: spare.url },
      cleanup: () => Promise.all([eu.close(), us.close(), spare.close()]),
    };
  };
  const { scenario } = inlineSuite({
    setUp,
    head: `import { test, expect } from 'gemba-agent';\nconst { EU, US } = process.env;\nconst at = async (answer) => (await (await answer).json()).at;`,
  });

  scenario(
    'by a baseURL stays there with the leased key, also by gemba.fetch and further leases',
    `
    test.describe('us', () => {
      test.use({ baseURL: US });
      for (let i = 0; i < 6; i++) test('stays ' + i, async ({ request, gemba }) => {
        expect(await (await request.get('/x')).json()).toMatchObject({ at: 'us', key: expect.stringMatching(/^key-/) });
        expect(await at(gemba.fetch('/y'))).toBe('us');
        expect((await gemba.lease()).endpoint.name).toBe('us');
      });
      test('may ask for another by its name', async ({ gemba }) => {
        expect((await gemba.lease({ endpoint: 'eu' })).endpoint.name).toBe('eu');
        expect(await at(gemba.fetch('/z', { lease: await gemba.lease({ pool: 'other', endpoint: 'eu' }) }))).toBe('eu');
      });
    });
    test('another test is not pinned', async ({ request }) => { expect(await request.get('/free')).toBeOK(); });
  `,
    ({ tests }) => {
      expect(tests.map(({ pinned }) => pinned)).toEqual([...Array<boolean>(6).fill(true), false, false]);
    },
  );

  scenario(
    'by a baseURL with a path keeps the path, as it does in a pool of one endpoint',
    `
    const url = async (answer) => (await (await answer).json()).url;
    for (const gembaPool of ['default', 'spare']) test.describe(gembaPool, () => {
      test.use({ gembaPool, baseURL: (gembaPool === 'spare' ? process.env.SPARE : US) + '/tenant/' });
      test('goes below its base ' + gembaPool, async ({ request, gemba, baseURL, playwright, lease }) => {
        expect(await url(request.get('orders'))).toBe('/tenant/orders');
        expect(await url(request.get('/orders'))).toBe('/orders');
        expect(await url(gemba.fetch('/orders'))).toBe('/tenant/orders');
        expect(await url(gemba.fetch(baseURL + 'orders?a=1'))).toBe('/tenant/orders?a=1');
        expect(baseURL).toMatch(/[/]tenant[/]$/);
        expect(await url((await playwright.request.newContext()).get('byhand'))).toBe('/tenant/byhand');
        expect(await url((await lease.newRequest()).get('oflease'))).toBe('/tenant/oflease');
      });
    });
  `,
    ({ tests }) => {
      expect(tests.map(({ pinned }) => pinned)).toEqual([true, false]);
    },
  );

  scenario(
    'may make its session through its lease',
    `
    const signedIn = test.extend({
      storageState: async ({ request }, use) => {
        const { at } = await (await request.get('/sign-in')).json();
        await use({ cookies: [], origins: [{ origin: at === 'eu' ? EU : US, localStorage: [] }] });
      },
    });
    signedIn('works', async ({ request }) => { expect(await request.get('/after')).toBeOK(); });
  `,
    ({ tests }) => {
      expect(tests.map(({ pinned }) => pinned)).toEqual([false]);
    },
  );

  scenario(
    'by a stored session stays at the endpoint that the session belongs to',
    `
    const origins = [{ origin: US, localStorage: [] }];
    test.use({ storageState: { cookies: [], origins } });
    for (let i = 0; i < 4; i++) test('stays ' + i, async ({ request }) => { expect(await at(request.get('/s'))).toBe('us'); });
  `,
    ({ report }) => {
      expect(report.tests.filter(({ pinned }) => pinned).length).toBeGreaterThanOrEqual(4);
    },
  );

  scenario(
    'has no fallback',
    `
    test.describe('gone', () => {
      test.use({ gembaPool: 'falling', gembaEndpoint: 'gone' });
      test('fails at its endpoint', async ({ request }) => {
        await expect(request.get('/f')).rejects.toThrow(/ECONNREFUSED/);
      });
      test('is refused', async ({ gemba }) => {
        await expect(gemba.lease()).rejects.toMatchObject({
          code: expect.stringMatching(/GEMBA_(POOL_UNAVAILABLE|ACQUIRE_TIMEOUT)/),
          message: expect.stringContaining('pool "falling" at endpoint "gone"'),
        });
      });
    });
    test.describe.configure({ mode: 'default' });
  `,
    () => expect(spare.requests.filter(({ url }) => !/tenant|orders/i.test(url))).toHaveLength(0),
  );
});
