import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { findSecrets } from '../harness/secrets.ts';
import { deadUrl, findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const SECRETS = {
  bearer: 'canary-bearer-7f3a9c',
  header: 'canary-header-51d2e8',
  query: 'canary-query-b40c77',
  password: 'canary-password-93aa10',
};

const SPEC = `
import { test, expect } from 'gemba-agent';
for (const pool of ['bearer', 'header', 'query', 'basic']) {
  test.describe(pool, () => {
    test.use({ gembaPool: pool });
    test('answers', async ({ request }) => { expect((await request.get('/orders')).status()).toBe(200); });
    test('fails', async ({ request }) => { expect((await request.get('/orders')).status()).toBe(500); });
    test('throws on its status', async ({ request }) => { await request.get('/missing', { failOnStatusCode: true }); });
    test('times out', async ({ request }) => { await request.post('/slow', { timeout: 200 }); });
    test('is cut off', async ({ request }) => { await request.post('/cut'); });
    test('is sent away', async ({ request }) => { expect((await request.get('/away')).status()).toBe(200); });
    test('prints its lease', async ({ lease }) => { console.log(lease, JSON.stringify(lease)); expect(lease).toBe(null); });
  });
  test.describe(pool + ' at nothing', () => {
    test.use({ gembaPool: pool + '-dead' });
    test('is refused', async ({ request }) => { await request.get('/orders'); });
  });
}
`;

const PAGE_SPEC = `
import { test, expect } from 'gemba-agent';
for (const pool of ['bearer', 'header', 'query']) {
  test.describe(pool, () => {
    test.use({ gembaPool: pool });
    test('shows a page', async ({ page }) => {
      await page.goto('/page');
      await expect(page.getByText('loaded by script: 200')).toBeVisible();
      await expect(page).toHaveURL('/page');
      await page.goto('/same');
      await expect(page).toHaveURL('/page');
      await page.getByRole('button', { name: 'Send' }).click();
      await expect(page).toHaveURL('/done');
      await expect(page.getByText('done')).toBeVisible();
      await page.goto('/away');
      await expect(page.getByText('elsewhere')).toBeVisible();
      expect((await page.request.get('/orders')).status()).toBe(200);
    });
    test('fails on a page', async ({ page }) => {
      await page.goto('/page');
      await expect(page.getByText('never there')).toBeVisible({ timeout: 300 });
    });
  });
}
`;

const PAGE = `<title>Orders</title><img src="/picture"><form method="post" action="/send"><button>Send</button></form>
<output></output><script>fetch('/orders').then((r) => document.querySelector('output').textContent = 'loaded by script: ' + r.status)</script>`;

function auths(url: string, dead: string): string {
  const pool = (auth: unknown, key: unknown): [object, object] => {
    const common = { auth, keys: [key], maxRetries: 1 };
    return [
      { ...common, endpoints: [url] },
      { ...common, endpoints: [dead] },
    ];
  };
  const pools = {
    bearer: pool('bearer', SECRETS.bearer),
    header: pool({ header: 'X-Api-Key' }, SECRETS.header),
    query: pool({ query: 'key' }, SECRETS.query),
    basic: pool('basic', { name: 'qa', fields: { username: 'qa', password: SECRETS.password } }),
  };
  const all = Object.entries(pools).flatMap(([name, [alive, gone]]) => [
    [name, alive],
    [`${name}-dead`, gone],
  ]);
  return JSON.stringify({ pools: Object.fromEntries(all) });
}

describe('keys', () => {
  let api: TestServer;
  let foreign: TestServer;
  let project: InlineProject;
  let result: InlineResult;

  beforeAll(async () => {
    foreign = await startServer((_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>elsewhere</p>');
    });
    api = await startServer(async (seen, response, request) => {
      const { pathname, searchParams } = new URL(seen.url, 'http://any');
      if (!isAuthorized(seen.headers, searchParams)) return json(response, 401, {});
      if (pathname === '/missing') return json(response, 404, {});
      if (pathname === '/slow') await new Promise((resolve) => setTimeout(resolve, 800));
      if (pathname === '/cut') return void request.socket.destroy();
      if (pathname === '/away')
        return void response.writeHead(302, { location: `${foreign.url}/landed` }).end();
      if (pathname === '/same') return void response.writeHead(302, { location: '/page' }).end();
      if (pathname === '/send') return void response.writeHead(303, { location: '/done' }).end();
      if (pathname === '/picture')
        return void response.writeHead(302, { location: `${foreign.url}/picture` }).end();
      const isPage = pathname === '/page' || pathname === '/done';
      if (isPage)
        return void response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(pathname === '/page' ? PAGE : 'done');
      json(response, 200, { orders: [] });
    });
    project = await createInlineProject(
      {
        'gemba.config.json': auths(api.url, await deadUrl()),
        'keys.spec.ts': SPEC,
        'page.spec.ts': PAGE_SPEC,
      },
      `{
        workers: 2, fullyParallel: true, timeout: 10000,
        use: { trace: 'on', launchOptions: ${JSON.stringify(findChromium() ?? {})} },
        reporter: [['list'], ['json', { outputFile: 'results.json' }], ['junit', { outputFile: 'junit.xml' }], ['blob'], ['html', { open: 'never' }], ['gemba-agent/reporter']],
      }`,
    );
    result = await project.run({ args: findChromium() ? [] : ['keys.spec.ts'] });
  });

  afterAll(async () => {
    await api.close();
    await foreign.close();
    await project.cleanup();
  });

  it('reach the leased origin in each form', () => {
    const status = new Map(result.report!.tests.map((test) => [`${test.file} ${test.title}`, test.status]));
    for (const pool of ['bearer', 'header', 'query', 'basic']) {
      expect([...status].filter(([title]) => title.includes(pool) && title.endsWith('answers'))).toHaveLength(
        1,
      );
      for (const [title, outcome] of status)
        if (title.endsWith('answers')) expect(outcome, title).toBe('expected');
    }
  });

  it.skipIf(!findChromium())('go along with a page, its scripts, forms and redirects on the origin', () => {
    const pages = result.report!.tests.filter((test) => test.title.endsWith('shows a page'));
    expect(pages.map((test) => test.status)).toEqual(['expected', 'expected', 'expected']);
    for (const test of pages) expect(test.results[0]!.leases[0]!.requests).toBeGreaterThan(5);
  });

  it('never reach another origin, also not by a redirect', () => {
    expect(foreign.requests.length).toBeGreaterThan(3);
    const text = JSON.stringify(foreign.requests);
    const encoded = Buffer.from(`qa:${SECRETS.password}`).toString('base64');
    for (const secret of [...Object.values(SECRETS), encoded, 'x-gemba']) expect(text).not.toContain(secret);
  });

  it('are in no file of the run, though nearly every test of it failed, but in traces of pages', async () => {
    expect(result.failed).toBeGreaterThan(15);
    const found = (await findSecrets(project.folder, SECRETS)).filter(
      ({ file }) => file !== 'gemba.config.json',
    );
    // The browser sends the requests of a page, so its trace shows them as they were sent.
    expect(found.filter(({ file }) => !/\.zip!.*trace\.(trace|network)$/.test(file))).toEqual([]);
    const traced = new Set(
      found.map(({ file }) => file.split('!')[0]).filter((file) => file!.startsWith('test-results')),
    );
    for (const file of traced)
      expect(file).toMatch(/^test-results\/page-(bearer|header|query)-(shows-a|fails-on-a)-page/);
  });
});

function isAuthorized(headers: Record<string, unknown>, query: URLSearchParams): boolean {
  const basic = `Basic ${Buffer.from(`qa:${SECRETS.password}`).toString('base64')}`;
  return (
    headers['authorization'] === `Bearer ${SECRETS.bearer}` ||
    headers['authorization'] === basic ||
    headers['x-api-key'] === SECRETS.header ||
    query.get('key') === SECRETS.query
  );
}
