import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccountServer, startAccountServer } from '../harness/account-server.ts';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { findChromium } from '../harness/servers.ts';

const PASSWORDS = { ada: 'secret-of-ada-1', grace: 'secret-of-grace-2', linus: 'secret-of-linus-3' };
type User = keyof typeof PASSWORDS;

function configOf(
  url: string,
  users: readonly User[],
  passwords: Partial<Record<User, string>> = {},
): string {
  const keys = users.map((name) => ({
    name,
    fields: { username: name, password: passwords[name] ?? PASSWORDS[name] },
    labels: { role: name === 'linus' ? 'admin' : 'customer' },
    maxConcurrent: 1,
  }));
  const endpoints = [{ name: 'shop', url }];
  const pools = { shop: { endpoints, auth: 'none', keys, acquireTimeout: '10s' } };
  return JSON.stringify({ name: 'shop', pools });
}

const SIGNED_IN = `
import { test as base, expect, accountFixtures } from 'gemba-agent';
export { expect };
export const test = base.extend(accountFixtures({
  signIn: async ({ lease, request }) => { await request.post('/login', { form: { ...lease.key!.fields } }); },
  signedOut: ({ status, url }) => status === 401 || url.pathname === '/login',
  reset: async ({ request, why }) => { await request.delete('/api/basket', { headers: { 'x-why': why } }); },
}));
`;

const chromium = findChromium();
const USE = chromium ? `use: { launchOptions: ${JSON.stringify(chromium)} },` : '';

interface ReportAttempt {
  status: string;
  verdict: string | null;
  evidence: readonly string[];
  calls: readonly string[];
}

describe('accounts', () => {
  let server: AccountServer;
  let project: InlineProject;
  let run: InlineResult;

  beforeAll(async () => {
    server = await startAccountServer(PASSWORDS);
    project = await createInlineProject(
      {
        'gemba.config.json': configOf(server.url, ['ada', 'grace', 'linus']),
        'signed-in.ts': SIGNED_IN,
        'a.spec.ts': `
          import { test, expect } from './signed-in';
          test('empty', async () => {});
          test('request', async ({ request, lease }) => {
            expect(await (await request.get('/api/me')).json()).toMatchObject({ user: lease.key.name });
          });
          test('page', async ({ page, lease }) => {
            await page.goto('/');
            await expect(page.getByRole('heading')).toHaveText('Hello ' + lease.key.name);
          });
          test('admin beside', async ({ page, gemba, browser, lease }) => {
            const admin = await gemba.lease({ need: { role: 'admin' } });
            const other = await admin.newPage(browser);
            await other.goto('/');
            await expect(other.getByRole('heading')).toHaveText('Hello linus');
            await page.goto('/');
            await expect(page.getByRole('heading')).toHaveText('Hello ' + lease.key.name);
            const visitor = await lease.newPage(browser, { anonymous: true });
            await visitor.goto('/');
            await expect(visitor.getByRole('heading')).toHaveText('Sign in');
          });
          test.use({ gembaNeed: { role: 'customer' } });
          test.describe('signed out', () => {
            test.use({ storageState: { cookies: [], origins: [] } });
            test('begins signed out', async ({ page, request }) => {
              await page.goto('/');
              await expect(page.getByRole('heading')).toHaveText('Sign in');
              expect((await request.get('/api/me')).status()).toBe(401);
              expect((await request.post('/login', { form: { username: 'ada', password: 'x' } })).status()).toBe(401);
            });
          });
          test('refused on purpose', async ({ request }) => {
            expect((await request.get('/api/me')).status()).toBe(200);
            expect((await request.get('/api/never')).status()).toBe(401);
            expect((await request.get('/api/never')).status()).toBe(401);
            expect((await request.get('/api/forbidden')).status()).toBe(403);
          });
          test('signs out', async ({ request }) => {
            await request.get('/api/me');
            await request.get('/logout');
            expect((await request.get('/api/me')).status()).toBe(401);
          });
        `,
      },
      `{ workers: 1, ${USE} }`,
    );
    run = await project.run();
  });
  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  it('are signed in once, by request and page', () => {
    expect(run.exitCode, run.output).toBe(0);
    expect([...server.accounts.values()].map(({ signIns }) => signIns)).toEqual([1, 1, 1]);
  });
});

describe('sessions that end', () => {
  let server: AccountServer;
  let project: InlineProject;
  let run: InlineResult;

  beforeAll(async () => {
    server = await startAccountServer(PASSWORDS, { lifeMs: 2_500 });
    project = await createInlineProject(
      {
        'gemba.config.json': configOf(server.url, ['ada']),
        'signed-in.ts': SIGNED_IN,
        'a.spec.ts': `
          import { test, expect } from './signed-in';
          const expire = () => new Promise((resolve) => setTimeout(resolve, 2600));
          test('a request goes on', async ({ request }) => {
            expect((await request.get('/api/me')).status()).toBe(200);
            await expire();
            expect((await request.get('/api/me')).status()).toBe(200);
            expect((await request.post('/api/basket', { data: 'tea' })).status()).toBe(200);
          });
          test('a page goes on', async ({ page }) => {
            const seen = [];
            page.on('framenavigated', (frame) => seen.push(new URL(frame.url()).pathname));
            await page.goto('/');
            await expire();
            await page.goto('/orders');
            await expect(page.getByRole('heading')).toHaveText('Hello ada');
            await expire();
            await page.evaluate(() => { location.href = '/again'; });
            await page.waitForURL('/again');
            await expect(page.getByRole('heading')).toHaveText('Hello ada');
            expect(seen).toEqual(['/', '/orders', '/again']);
          });
          test('a call that changes something', async ({ request }, testInfo) => {
            expect((await request.get('/api/me')).status()).toBe(200);
            if (testInfo.retry === 0) await expire();
            expect((await request.post('/api/basket', { data: 'tea' })).status()).toBe(200);
          });
          test('a bug signs out', async ({ request }) => {
            expect((await request.get('/api/me')).status()).toBe(200);
            expect((await request.post('/api/buggy')).status()).toBe(200);
            expect((await request.get('/api/me')).status()).toBe(200);
          });
          test('a bug refuses one call', async ({ request }) => {
            expect((await request.get('/api/me')).status()).toBe(200);
            expect((await request.post('/api/never')).status()).toBe(200);
          });
          test('a basket is left', async ({ request }) => {
            expect((await request.post('/api/basket', { data: 'tea' })).status()).toBe(200);
            expect(1).toBe(2);
          });
          test('a clean basket', async ({ request }) => {
            expect(await (await request.get('/api/basket')).json()).toEqual({ user: 'ada', basket: [] });
            await request.post('/api/basket', { data: 'crash' });
          });
          test('a crash', async ({ request }) => {
            await request.post('/api/basket', { data: 'crash' });
            process.kill(process.pid, 'SIGKILL');
          });
          test('a clean basket after the crash', async ({ request }) => {
            expect(await (await request.get('/api/basket')).json()).toEqual({ user: 'ada', basket: [] });
          });
        `,
      },
      `{ workers: 1, retries: 1, ${USE} }`,
    );
    run = await project.run();
  });
  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  const attempts = (title: string): ReportAttempt[] => {
    const test = run.report!.tests.find((each) => each.title === title);
    return test!.results.map(({ status, verdict, evidence, requests }) => {
      const calls = requests.map(({ method, path, kind }) => `${method} ${path} ${kind}`);
      return { status, verdict, evidence, calls };
    });
  };

  it('are renewed, and a safe call is made again', () => {
    const [attempt] = attempts('a request goes on');
    expect(attempt!.status).toBe('passed');
    const renewed = ['GET /api/me session', 'GET /api/me ok', 'POST /api/basket ok'];
    expect(attempt!.calls.slice(-renewed.length)).toEqual(renewed);
  });

  it.skipIf(!chromium)('are renewed before a page sees the sign-in page', () => {
    const [attempt] = attempts('a page goes on');
    expect(attempt!.status, run.output).toBe('passed');
    expect(attempt!.calls).toEqual(expect.arrayContaining(['GET /orders session', 'GET /again session']));
  });

  it('are the environment’s fault where a call cannot be made again', () => {
    expect(attempts('a call that changes something')).toMatchObject([
      { verdict: 'environment', evidence: ['The session of account ada has expired.'] },
      { status: 'passed' },
    ]);
  });

  it('are the product’s fault where it ends one, or refuses one call', () => {
    for (const title of ['a bug signs out', 'a bug refuses one call'])
      expect(attempts(title).map(({ verdict }) => verdict)).toEqual(['product', 'product']);
  });

  it('leave an account that its next user resets, also after a crash', () => {
    for (const title of ['a clean basket', 'a clean basket after the crash'])
      expect(
        attempts(title).map(({ status }) => status),
        run.output,
      ).toEqual(['passed']);
    const resets = server.requests.filter(({ method }) => method === 'DELETE');
    const reasons = resets.map(({ headers }) => headers['x-why']);
    expect(reasons.filter((why) => why === 'crashed')).toHaveLength(2);
    expect(reasons).toContain('failed');
    expect(run.report!.transitions.some(({ to }) => to === 'dirty')).toBe(true);
  });

  it('are in no total, and on no page', () => {
    const paths = run.report!.tests.flatMap(({ results }) =>
      results.flatMap(({ requests }) => requests.map(({ path }) => path)),
    );
    expect(paths).not.toContain('/login');
  });
});

const ONE_TEST = `
  import { test, expect } from './signed-in';
  for (let index = 0; index < 4; index++) {
    test('works ' + index, async ({ request }) => {
      expect((await request.get('/api/me')).status()).toBe(200);
    });
  }
`;

describe('sign-ins that fail', () => {
  let server: AccountServer;
  const projects: InlineProject[] = [];

  beforeAll(async () => {
    server = await startAccountServer(PASSWORDS);
  });
  afterAll(async () => {
    await server.close();
    await Promise.all(projects.map((project) => project.cleanup()));
  });

  const projectOf = async (users: readonly User[], passwords = {}): Promise<InlineProject> => {
    const files = {
      'gemba.config.json': configOf(server.url, users, passwords),
      'signed-in.ts': SIGNED_IN,
      'a.spec.ts': ONE_TEST,
    };
    const project = await createInlineProject(files, `{ workers: 2, fullyParallel: true, ${USE} }`);
    projects.push(project);
    return project;
  };

  it('quarantine an account once another has signed in, and fail no test', async () => {
    const project = await projectOf(['ada', 'grace', 'linus'], { ada: 'a-wrong-password-9' });
    const { exitCode, report, output } = await project.run();
    expect(exitCode, output).toBe(0);
    const ada = report!.pools[0]!.keys.find(({ name }) => name === 'ada')!;
    expect(ada.state).toBe('quarantined');
    expect(output).toContain('it could not sign in: POST /login: 401');
    const again = await project.run();
    expect(again.exitCode, again.output).toBe(0);
  });

  it('of a server that is down are judged as its calls, and the next run is green', async () => {
    const project = await projectOf(['ada']);
    server.signInAs = '503';
    const first = await project.run();
    server.signInAs = 'works';
    expect(first.exitCode).toBe(1);
    const verdicts = first.report!.tests.map(({ verdict }) => verdict);
    expect(verdicts, first.output).toEqual(verdicts.map(() => 'environment'));
    const second = await project.run();
    expect(second.exitCode, second.output).toBe(0);
  });

  it('by a bug of the product are nobody’s fault that can be told', async () => {
    const project = await projectOf(['grace', 'linus']);
    server.signInAs = 'page again';
    const first = await project.run();
    server.signInAs = 'works';
    expect(first.exitCode).toBe(1);
    const verdicts = first.report!.tests.map(({ verdict }) => verdict);
    expect(verdicts, first.output).toEqual(verdicts.map(() => 'unknown'));
    expect(first.output).toContain('it ended without a cookie');
    const second = await project.run();
    expect(second.exitCode, second.output).toBe(0);
  });
});
