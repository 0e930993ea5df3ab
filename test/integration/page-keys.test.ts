import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect } from 'vitest';
import { inlineSuite, type SuiteSetup } from '../harness/inline-suite.ts';
import { findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const SECRETS = {
  bearer: 'canary-bearer-7f3a9c',
  header: 'canary-header-51d2e8',
  query: 'canary-query-b40c77',
  basic: 'canary-password-93aa10',
};
type Form = keyof typeof SECRETS;
const FORMS = Object.keys(SECRETS) as Form[];

/** How an answer sends its reader to the other origin. `copied`: with the query that it was asked with. */
const WAYS = ['301', '302', '303', '307', '308', 'copied'] as const;
const DOCUMENT_WAYS = [...WAYS, 'meta', 'script'] as const;

let api: TestServer;
let elsewhere: TestServer;

async function setUp(): Promise<SuiteSetup> {
  const cors = {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': '*',
    'access-control-allow-methods': '*',
  };
  elsewhere = await startServer((seen, response) => {
    const isDocument = seen.headers['sec-fetch-dest'] === 'document';
    response.writeHead(200, { ...cors, 'content-type': isDocument ? 'text/html' : 'text/plain' });
    response.end('landed');
  });
  api = await startServer((seen, response) => {
    const { pathname, search } = new URL(seen.url, 'http://any');
    const [, way = '', ...rest] = pathname.split('/');
    const target = `${elsewhere.url}/${[way, ...rest].join('/')}`;
    const html = { 'content-type': 'text/html' };
    if (way === 'copied') return void response.writeHead(302, { ...cors, location: target + search }).end();
    if (/^3\d\d$/.test(way)) return void response.writeHead(Number(way), { ...cors, location: target }).end();
    if (way === 'meta')
      return void response.writeHead(200, html).end(`<meta http-equiv="refresh" content="0;url=${target}">`);
    if (way === 'script')
      return void response.writeHead(200, html).end(`<script>location = ${JSON.stringify(target)}</script>`);
    if (way === 'page')
      return void response
        .writeHead(200, html)
        .end('<title>page</title><form method="post"><button>Send</button></form>');
    json(response, 200, { key: keyOf(seen.headers, search) });
  });
  const pool = (auth: unknown, ...keys: unknown[]): object => ({ endpoints: [api.url], auth, keys });
  const pools = {
    bearer: pool('bearer', SECRETS.bearer),
    header: pool({ header: 'X-Api-Key' }, SECRETS.header),
    query: pool({ query: 'key' }, SECRETS.query),
    basic: pool('basic', { name: 'qa', fields: { username: 'qa', password: SECRETS.basic } }),
    pair: pool(
      'bearer',
      { name: 'one', value: 'key-one', maxConcurrent: 1 },
      { name: 'two', value: 'key-two', maxConcurrent: 1 },
    ),
  };
  return {
    files: { 'gemba.config.json': JSON.stringify({ pools }) },
    config: `{ workers: 2, fullyParallel: true, timeout: 60000, use: { launchOptions: ${JSON.stringify(findChromium() ?? {})} } }`,
    cleanup: () => Promise.all([api.close(), elsewhere.close()]),
  };
}

/** The key that a request has, whichever form it takes. */
function keyOf(headers: IncomingHttpHeaders, search: string): string | null {
  const { authorization, 'x-api-key': header } = headers;
  if (typeof header === 'string') return header;
  if (authorization?.startsWith('Basic '))
    return Buffer.from(authorization.slice(6), 'base64').toString().split(':')[1]!;
  return authorization?.replace('Bearer ', '') ?? new URLSearchParams(search).get('key');
}

describe.skipIf(!findChromium())('the key of a lease', () => {
  const { scenario } = inlineSuite({ setUp });

  scenario(
    'goes with each kind of request, and with none that a redirect leads to another origin',
    `
    const WAYS = ${JSON.stringify(WAYS)};
    for (const form of ${JSON.stringify(FORMS)}) test.describe(form, () => {
      test.use({ gembaPool: form });
      test('calls', async ({ request, gemba, page }) => {
        for (const way of WAYS) {
          await request.get('/' + way + '/' + form + '/request?own=1');
          await request.post('/' + way + '/' + form + '/request-post?own=1', { data: 'body' });
          await gemba.fetch('/' + way + '/' + form + '/gemba-fetch?own=1');
          await page.request.get('/' + way + '/' + form + '/page-request?own=1');
        }
      });
      test('a page', async ({ page }) => {
        await page.goto('/page');
        await page.evaluate(async ({ form, WAYS }) => {
          const at = (way: string, kind: string) => '/' + way + '/' + form + '/' + kind + '?own=1';
          const loaded = (element: any) => new Promise((done) => {
            element.onload = element.onerror = done;
            setTimeout(done, 3000);
            document.body.append(element);
          });
          for (const way of WAYS) {
            await fetch(at(way, 'fetch')).catch(() => {});
            await fetch(at(way, 'fetch-post'), { method: 'POST', body: 'x' }).catch(() => {});
            await new Promise((done) => {
              const xhr = new XMLHttpRequest();
              xhr.onloadend = done;
              xhr.open('GET', at(way, 'xhr'));
              xhr.send();
            });
            await loaded(Object.assign(document.createElement('img'), { src: at(way, 'image') }));
            await loaded(Object.assign(document.createElement('script'), { src: at(way, 'classic-script') }));
            await loaded(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: at(way, 'style') }));
            await loaded(Object.assign(document.createElement('iframe'), { src: at(way, 'frame') }));
          }
        }, { form, WAYS });
      });
      for (const way of ${JSON.stringify(DOCUMENT_WAYS)}) test('a document by ' + way, async ({ page, context }) => {
        await page.goto('/' + way + '/' + form + '/document?own=1');
        await expect(page).toHaveURL(/landed|document/);
        await expect(page.getByText('landed')).toBeVisible();
        await page.goto('/page');
        await page.evaluate((action) => { document.querySelector('form')!.action = action; }, '/' + way + '/' + form + '/posted?own=1');
        await page.getByRole('button').click();
        await expect(page.getByText('landed')).toBeVisible();
        await page.goto('/page');
        const opened = context.waitForEvent('page');
        await page.evaluate((address) => { open(address); }, '/' + way + '/' + form + '/popup?own=1');
        await expect((await opened).getByText('landed')).toBeVisible();
      });
    });
  `,
    () => {
      const kinds = ['request', 'request-post', 'gemba-fetch', 'page-request'];
      const ofPages = ['fetch', 'fetch-post', 'xhr', 'image', 'classic-script', 'style', 'frame'];
      const ofDocuments = ['document', 'posted', 'popup'];
      const wanted = FORMS.flatMap((form) => [
        ...WAYS.flatMap((way) => [...kinds, ...ofPages].map((kind) => `/${way}/${form}/${kind}`)),
        ...DOCUMENT_WAYS.flatMap((way) => ofDocuments.map((kind) => `/${way}/${form}/${kind}`)),
      ]);
      const pathsOf = (server: TestServer): Set<string> =>
        new Set(server.requests.map(({ url }) => url.split('?')[0]!));
      const [asked, landed] = [pathsOf(api), pathsOf(elsewhere)];
      expect(wanted.filter((path) => !asked.has(path))).toEqual([]);
      expect(wanted.filter((path) => !landed.has(path))).toEqual([]);
      const own = api.requests.filter(({ url }) => url.includes('own=1'));
      const keyless = own.filter(({ url, headers, method }) => {
        const form = url.split('/')[2] as Form;
        return method !== 'OPTIONS' && keyOf(headers, new URL(url, 'http://any').search) !== SECRETS[form];
      });
      expect(keyless.map(({ url }) => url)).toEqual([]);
      const seen = elsewhere.requests.map(({ url, headers, body }) => JSON.stringify({ url, headers, body }));
      const encoded = Buffer.from(`qa:${SECRETS.basic}`).toString('base64');
      const traces = [...Object.values(SECRETS), encoded, 'x-gemba'];
      expect(
        seen.filter((text) => traces.some((trace) => text.toLowerCase().includes(trace.toLowerCase()))),
      ).toEqual([]);
    },
  );

  scenario(
    'is its own where one test has two leases of one origin, and none is with a visitor',
    `
    test.use({ gembaPool: 'pair' });
    test('two accounts', async ({ page, lease, gemba, browser }) => {
      const second = await gemba.lease();
      const other = await second.newPage(browser);
      const visitor = await (await lease.newContext(browser, { anonymous: true })).newPage();
      const names = [[page, lease.key!.name], [other, second.key!.name], [visitor, 'visitor']] as const;
      for (const [own] of names) await own.goto('/page');
      await Promise.all(names.map(async ([own, name]) => {
        await own.evaluate(async (name) => {
          await Promise.all([1, 2, 3, 4, 5].map((n) => fetch('/pair/' + name + '/fetch-' + n)));
          const frame = Object.assign(document.createElement('iframe'), { src: '/pair/' + name + '/frame' });
          await new Promise((done) => { frame.onload = done; document.body.append(frame); });
          await frame.contentWindow!.fetch('/pair/' + name + '/in-frame');
        }, name);
        const opened = own.waitForEvent('popup');
        await own.evaluate((address) => { open(address); }, '/pair/' + name + '/popup');
        const popup = await opened;
        await popup.waitForLoadState();
        await popup.evaluate((address) => fetch(address).then((answer) => answer.text()), '/pair/' + name + '/in-popup');
        await own.request.get('/pair/' + name + '/page-request');
      }));
    });
  `,
    () => {
      const seen = api.requests.filter(({ url }) => url.startsWith('/pair/'));
      const keys = { one: 'key-one', two: 'key-two', visitor: null };
      for (const [name, key] of Object.entries(keys)) {
        const own = seen.filter(({ url }) => url.startsWith(`/pair/${name}/`));
        expect(own.length).toBeGreaterThan(9);
        expect(new Set(own.map(({ headers }) => keyOf(headers, '')))).toEqual(new Set([key]));
      }
    },
  );
});
