import { describe, expect } from 'vitest';
import { inlineSuite, type SuiteSetup } from '../harness/inline-suite.ts';
import { findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

let api: TestServer;

/** A staging file on a base; its secrets come from a file, from `.env`, and from a default. */
async function setUp(): Promise<SuiteSetup> {
  api = await startServer((seen, response) => {
    if (seen.url === '/page')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('page');
    json(response, 200, { key: seen.token, tenant: seen.headers['x-tenant'], gate: seen.headers['x-gate'] });
  });
  const base = {
    pools: {
      default: {
        endpoints: [
          { name: 'eu', url: '${API}', headers: { 'x-tenant': 'secret-tenant', 'X-Gate': 'open' } },
        ],
        keys: [
          { name: 'file', value: { file: '../secrets/key' }, labels: { from: 'file' } },
          { name: 'env', value: '${KEY}', labels: { from: 'env' } },
        ],
      },
      accented: {
        endpoints: [{ url: '${API}', headers: { 'x-tenant': 'Zoë' } }],
        keys: ['clé'],
        auth: { header: 'x-gate' },
      },
    },
  };
  const staging = {
    extends: './config/base.json',
    pools: {
      default: { keys: [{ name: 'default', value: '${NONE:-key-by-default}', labels: { from: 'default' } }] },
    },
  };
  return {
    files: {
      'config/base.json': JSON.stringify(base),
      'staging.json': JSON.stringify(staging),
      'secrets/key': 'key-from-file\n',
      '.env': `KEY=key-from-env\nAPI=${api.url}\nGEMBA_PIN=default/none\n`,
    },
    env: { GEMBA_CONFIG: 'staging.json' },
    config: `{ use: { launchOptions: ${JSON.stringify(findChromium() ?? {})} } }`,
    cleanup: () => api.close(),
  };
}

const { scenario } = inlineSuite({ setUp });

describe('A configuration of several files', () => {
  scenario(
    'has its keys from a file, from .env and from a default, none of them in the environment',
    `
    for (const from of ['file', 'env', 'default']) test.describe(from, () => {
      test.use({ gembaNeed: { from } });
      test('has the key', async ({ request }) => {
        expect((await (await request.get('/')).json()).key).toBe(from === 'default' ? 'key-by-default' : 'key-from-' + from);
        expect(process.env.KEY).toBeUndefined();
      });
    });
  `,
    ({ result }) => expect(result.passed).toBeGreaterThan(2),
  );

  scenario(
    'sends the headers of its endpoint by request, page and gemba.fetch, and shows them nowhere',
    `
    test('sends them', async ({ request, page, gemba, lease }) => {
      const sent = { tenant: 'secret-tenant', gate: 'open' };
      expect(await (await request.get('/')).json()).toMatchObject(sent);
      expect(await (await request.get('/', { headers: { 'x-gate': 'mine' } })).json()).toMatchObject({ gate: 'mine' });
      expect(await (await gemba.fetch('/')).json()).toMatchObject(sent);
      await page.goto('/page');
      expect(await page.evaluate(async () => (await fetch('/data')).json())).toMatchObject(sent);
      expect(lease.headers).not.toHaveProperty('x-tenant');
      throw Object.assign(new Error('see secret-tenant'), { expected: true });
    });
    test.fail();
  `,
    ({ result }) => {
      const page = api.requests.find(({ url }) => url === '/page');
      expect(page?.headers).toMatchObject({ 'x-tenant': 'secret-tenant', 'x-gate': 'open' });
      expect(JSON.stringify(result.report)).not.toContain('secret-tenant');
    },
  );

  scenario(
    'sends headers beyond ASCII as HTTP clients do, one byte a character, also by a page',
    `
    test.use({ gembaPool: 'accented' });
    test('sends them', async ({ request, page, gemba }) => {
      const sent = { tenant: 'Zoë', gate: 'clé' };
      expect(await (await request.get('/')).json()).toMatchObject(sent);
      expect(await (await gemba.fetch('/')).json()).toMatchObject(sent);
      await page.goto('/page');
      const data = () => page.evaluate(async () => (await fetch('/data')).json());
      expect(await data()).toMatchObject(sent);
      await page.route('**/data', (route) => route.continue());
      expect(await data()).toMatchObject(sent);
      await page.route('**/data', async (route) => route.fulfill({ response: await route.fetch() }));
      expect(await data()).toMatchObject(sent);
    });
  `,
    ({ result }) =>
      expect(result.output).toContain(
        'Gemba warning: since a key or header of pool "accented" has characters beyond ASCII, its pages send',
      ),
  );
});
