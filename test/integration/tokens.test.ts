import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { findSecrets } from '../harness/secrets.ts';
import { deadUrl, findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';
const SECRETS = {
  ONE: 'client-secret-one-5d1f',
  TWO: 'client-secret-two-88c0',
  WRONG: 'client-secret-wrong-31',
};

/** What one token endpoint does. */
interface Issuer {
  readonly lifeS: number;
  /** Refusals of the first requests. */
  readonly throttled?: number;
  readonly isDown?: boolean;
  readonly minted: string[];
  /** Tokens are refused from then on. */
  readonly revoked: Set<string>;
  /** Scope, audience and how the secret came. */
  readonly asked: string[];
}

interface World {
  readonly server: TestServer;
  readonly issuers: Record<string, Issuer>;
  /** Calls that were refused, by pool. */
  readonly refused: Record<string, string[]>;
  readonly calls: Record<string, number>;
}

function issuer(lifeS: number, more: Partial<Issuer> = {}): Issuer {
  return { lifeS, minted: [], revoked: new Set(), asked: [], ...more };
}

/** `/NAME/token` issues tokens, `/NAME/…` takes them. */
async function world(): Promise<World> {
  const issuers: Record<string, Issuer> = {
    short: issuer(5),
    hour: issuer(3_600),
    wrong: issuer(3_600),
    down: issuer(3_600, { isDown: true }),
    throttled: issuer(3_600, { throttled: 1 }),
    page: issuer(5),
  };
  const refused: Record<string, string[]> = {};
  const calls: Record<string, number> = {};
  const ends = new Map<string, number>();
  const throttledSoFar = new Map<string, number>();
  const server = await startServer((seen, response) => {
    const [, name = '', what = ''] = new URL(seen.url, 'http://server').pathname.split('/');
    const known = issuers[name];
    if (!known) return json(response, 404, {});
    if (what === 'token') {
      if (known.isDown) return json(response, 503, {});
      const before = throttledSoFar.get(name) ?? 0;
      throttledSoFar.set(name, before + 1);
      if (before < (known.throttled ?? 0)) return json(response, 429, {}, { 'retry-after': '1' });
      const body = new URLSearchParams(seen.body);
      const basic = Buffer.from(String(seen.headers.authorization).slice(6), 'base64').toString();
      // One of them takes the secret in the body alone, as some do.
      const [id, secret] =
        name === 'hour' ? [body.get('client_id'), body.get('client_secret')] : basic.split(':');
      known.asked.push([body.get('grant_type'), body.get('scope'), body.get('audience')].join(' '));
      if (secret !== SECRETS.ONE && secret !== SECRETS.TWO)
        return json(response, 401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic' });
      const token = `${name}-${String(id)}-${known.minted.length}-0f3a77b1`;
      known.minted.push(token);
      ends.set(token, Date.now() + known.lifeS * 1_000);
      return json(response, 200, { access_token: token, token_type: 'Bearer', expires_in: known.lifeS });
    }
    if (what === 'revoke') {
      for (const token of known.minted) known.revoked.add(token);
      return json(response, 200, {});
    }
    if (what === 'open')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>open</p>');
    const { token } = seen;
    calls[name] = (calls[name] ?? 0) + 1;
    const isGood = token !== null && (ends.get(token) ?? 0) > Date.now() && !known.revoked.has(token);
    if (!isGood) (refused[name] ??= []).push(`${seen.method} ${seen.url} ${token}`);
    if (what === 'forbidden') return json(response, 401, {});
    json(response, isGood ? 200 : 401, { token: isGood ? 'yes' : 'no' });
  });
  return { server, issuers, refused, calls };
}

const SPEC = `
import { test, expect } from 'gemba-agent';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test.describe('short', () => {
  test.use({ gembaPool: 'short' });
  for (let index = 0; index < 20; index++)
    test('tokens of 5 s ' + index, async ({ request, gemba, lease }) => {
      for (let call = 0; call < 5; call++) {
        const response = call % 2 ? await gemba.fetch('orders') : await request.get('/short/orders');
        expect(typeof response.status === 'function' ? response.status() : response.status).toBe(200);
        expect(lease.headers.authorization).toMatch(/^Bearer short-/);
        await pause(250);
      }
    });
});

test.describe('hour', () => {
  test.use({ gembaPool: 'hour' });
  for (let index = 0; index < 16; index++)
    test('tokens that are revoked ' + index, async ({ request, gemba }) => {
      for (let call = 0; call < 3; call++) {
        if (index === 8 && call === 1) await fetch(process.env.SERVER + '/hour/revoke');
        expect((await request.get('/hour/orders')).status()).toBe(200);
        expect((await request.post('/hour/orders', { data: { call } })).status()).toBe(200);
        expect((await gemba.fetch('orders', { method: 'POST', body: 'x' })).status).toBe(200);
      }
    });
  test('a 401 on purpose stays one', async ({ request }) => {
    for (let call = 0; call < 4; call++) expect((await request.get('/hour/forbidden')).status()).toBe(401);
  });
});

test.describe('wrong', () => {
  test.use({ gembaPool: 'wrong' });
  for (let index = 0; index < 6; index++)
    test('a wrong secret among three ' + index, async ({ request }) => {
      expect((await request.get('/wrong/orders')).status()).toBe(200);
    });
});

test.describe('throttled', () => {
  test.use({ gembaPool: 'throttled' });
  test('a throttled issuer is waited for', async ({ request }) => {
    expect((await request.get('/throttled/orders')).status()).toBe(200);
  });
});

for (const pool of ['down', 'closed'])
  test.describe(pool, () => {
    test.use({ gembaPool: pool });
    test('an issuer that is ' + pool, async ({ request }) => {
      expect((await request.get('/down/orders')).status()).toBe(200);
    });
  });

test.describe('page', () => {
  test.use({ gembaPool: 'page' });
  test.skip(!process.env.CHROMIUM);
  test('a page that is open across a renewal', async ({ page }) => {
    await page.goto('/page/open');
    const tokens = new Set();
    page.on('request', (request) => tokens.add(request.url()));
    for (let call = 0; call < 12; call++) {
      const status = await page.evaluate(async () => (await fetch('/page/orders')).status);
      expect(status).toBe(200);
      await pause(500);
    }
  });
});
`;

describe('tokens by client credentials', () => {
  let all: World;
  let project: InlineProject;
  let result: InlineResult;
  let closed: string;

  beforeAll(async () => {
    all = await world();
    closed = await deadUrl();
    const { url } = all.server;
    const key = (name: string, secret: string): object => ({
      name,
      fields: { client_id: name, client_secret: `\${${secret}}` },
    });
    const pool = (name: string, keys: object[], more: object = {}): object => ({
      endpoints: [{ name: 'only', url: `${url}/${name}` }],
      auth: { oauth2: { tokenUrl: `${url}/${name}/token`, ...more } },
      keys,
    });
    const config = {
      pools: {
        short: pool('short', [key('one', 'ONE'), key('two', 'TWO')], { scope: 'api', audience: 'shop' }),
        hour: pool('hour', [key('one', 'ONE')]),
        wrong: pool('wrong', [key('bad', 'WRONG'), key('one', 'ONE'), key('two', 'TWO')]),
        throttled: pool('throttled', [key('one', 'ONE')]),
        down: pool('down', [key('one', 'ONE')]),
        closed: {
          ...pool('down', [key('one', 'ONE')]),
          auth: { oauth2: { tokenUrl: `${closed}/token` } },
        },
        page: pool('page', [key('one', 'ONE')]),
      },
    };
    const chromium = findChromium();
    project = await createInlineProject(
      { 'gemba.config.json': JSON.stringify(config), 'tokens.spec.ts': SPEC },
      `{ workers: 4, fullyParallel: true, timeout: 20_000, use: { trace: 'on', launchOptions: ${JSON.stringify(chromium ?? {})} } }`,
    );
    result = await project.run({
      env: { ...SECRETS, SERVER: url, CHROMIUM: chromium ? 'yes' : '' },
    });
  });

  afterAll(async () => {
    await all.server.close();
    await project.cleanup();
  });

  it('are shared over workers and renewed before they end: no 401 reaches a test', () => {
    expect({ failed: result.failed }, result.output).toEqual({ failed: 2 });
    expect(all.refused['short']).toBeUndefined();
    expect(all.calls['short']).toBe(100);
    const { minted, asked } = all.issuers['short']!;
    expect(minted.length).toBeGreaterThan(2);
    expect(minted.length).toBeLessThan(50);
    expect(new Set(asked)).toEqual(new Set(['client_credentials api shop']));
    expect(all.refused['page']).toBeUndefined();
  });

  it('are minted anew once after a revocation, which costs each worker one 401 that no test sees', () => {
    const { minted } = all.issuers['hour']!;
    const first = (all.refused['hour'] ?? []).filter((call) => call.endsWith(minted[0]!));
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThanOrEqual(4);
    // One for the beginning, one after the revocation, one for what is forbidden on purpose.
    expect(minted.length).toBeLessThanOrEqual(3);
  });

  it('leave a key out whose client is refused, and no test fails for it', () => {
    const { keys } = result.report!.pools.find(({ name }) => name === 'wrong')!;
    expect(keys.find(({ name }) => name === 'bad')!.state).toBe('quarantined');
    expect(keys.filter(({ state }) => state === 'healthy')).toHaveLength(2);
    const change = result.report!.transitions.find(({ key, pool }) => pool === 'wrong' && key === 'bad')!;
    expect(change.why).toContain('invalid_client');
  });

  it("are the environment's where their issuer is down, and the evidence has its address", () => {
    const failed = result.report!.tests.filter(({ status }) => status === 'unexpected');
    expect(failed.map(({ verdict }) => verdict)).toEqual(['environment', 'environment']);
    const evidence = failed.flatMap(({ results }) => results.flatMap((one) => one.evidence)).join('\n');
    expect(evidence).toContain(`${all.server.url}/down/token answered 503`);
    expect(evidence).toContain(`${closed}/token could not be reached (ECONNREFUSED)`);
  });

  it('are reported as minted and renewed, with their end, and never as such', () => {
    const keys = result.report!.pools.find(({ name }) => name === 'short')!.keys;
    const tokens = keys.flatMap(({ token }) => token ?? []);
    const minted = tokens.reduce((sum, token) => sum + token.minted, 0);
    expect(tokens).toHaveLength(2);
    // A worker that ends has told what it minted with its last test.
    expect(minted).toBeLessThanOrEqual(all.issuers['short']!.minted.length);
    expect(tokens.some(({ renewed }) => renewed > 0)).toBe(true);
    for (const { expiresAt } of tokens) expect(expiresAt).toMatch(/^\d{4}-.*Z$/);
    expect(result.report!.pools.find(({ name }) => name === 'down')!.keys[0]!.token).toBeUndefined();
  });

  it('are asked for by gemba check, and gemba run hands one to its command', async () => {
    const env = { ...SECRETS, SERVER: all.server.url };
    const check = await project.node([CLI, 'check'], { env });
    expect(check.exitCode).toBe(1);
    expect(check.output).toContain('token minted, expires in 60 min');
    expect(check.output).toContain(`no token: ${all.server.url}/wrong/token answered 401, invalid_client`);
    const script = 'console.log(process.env.GEMBA_HEADER_AUTHORIZATION)';
    const run = await project.node([CLI, 'run', '--pool', 'hour', '--', 'node', '-e', script], { env });
    expect(run.stdout.trim(), run.output).toMatch(/^Bearer hour-one-\d+-0f3a77b1$/);
    for (const secret of Object.values(SECRETS)) expect(check.output + run.output).not.toContain(secret);
  });

  it('that are kept are found by gemba scan where they stand in a file', async () => {
    const env = { ...SECRETS, SERVER: all.server.url };
    const script = "require('fs').writeFileSync('leak/log.txt', process.env.GEMBA_HEADER_AUTHORIZATION)";
    await project.write({ 'leak/none.txt': 'nothing' });
    await project.node([CLI, 'run', '--pool', 'hour', '--', 'node', '-e', script], { env });
    const scan = await project.node([CLI, 'scan', 'leak'], { env });
    expect(scan.exitCode, scan.output).toBe(1);
    expect(scan.output).toContain('hour/one (token)');
  });

  it('stand in no artifact and no cache file, nor do the secrets', async () => {
    const tokens = Object.values(all.issuers).flatMap(({ minted }) => minted);
    const secrets = Object.fromEntries([...Object.values(SECRETS), ...tokens].map((value) => [value, value]));
    await rm(path.join(project.folder, 'leak'), { recursive: true });
    const found = await findSecrets(project.folder, secrets);
    // The trace of a page shows its requests as the browser sent them.
    const isOfPage = (file: string): boolean => /tokens-page.*\.zip!.*\.network$/.test(file);
    expect(found.filter(({ file }) => !isOfPage(file))).toEqual([]);
  });
});
