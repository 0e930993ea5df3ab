/** The tests of the core suite as a user writes them; those that are meant to fail say so in their title. */
export const SPECS: Readonly<Record<string, string>> = {
  'accounts.spec.ts': `
    import { test, expect } from 'gemba-agent';
    test.use({ gembaPool: 'accounts' });
    for (let index = 0; index < 8; index++) {
      test('uses an account ' + index, async ({ request }) => {
        const opened = await request.post('/session');
        expect(opened.status()).toBe(201);
        await new Promise((resolve) => setTimeout(resolve, 150));
        expect((await request.delete('/session/' + (await opened.json()).id)).status()).toBe(204);
      });
    }
  `,

  'calls.spec.ts': `
    import { test as base, mergeTests } from '@playwright/test';
    import { test, expect, gembaFixtures } from 'gemba-agent';

    test('request has key and base URL', async ({ request, baseURL, lease }) => {
      expect(await (await request.get('/who')).json()).toEqual({ path: '/who', key: lease.key.value });
      expect(baseURL).toBe(lease.endpoint.url);
    });
    test.describe('a need', () => {
      test.use({ gembaNeed: { role: 'admin' } });
      test('chooses the key', async ({ request }) => {
        expect(await (await request.get('who')).json()).toEqual({ path: '/who', key: 'compat-key-boss' });
      });
    });
    test.describe('a pool with a dead endpoint', () => {
      test.use({ gembaPool: 'moved' });
      test('has its first call moved', async ({ request, lease }) => {
        expect((await request.get('/who')).ok()).toBe(true);
        expect(lease.endpoint.name).toBe('alive');
      });
    });
    test('the worker has a lease of its own', async ({ workerLease }) => {
      expect(workerLease.endpoint.name).toBe('only');
      expect(workerLease.headers).toEqual({ authorization: 'Bearer ' + workerLease.key.value });
    });
    test('gemba.fetch has key and base URL', async ({ gemba }) => {
      expect(await (await gemba.fetch('/who')).json()).toMatchObject({ key: expect.stringMatching(/^compat-key-/) });
    });
    test('gemba.run falls back', async ({ gemba }) => {
      let tried = false;
      const strategies = {
        broken: async () => { tried = true; throw new Error('out of order'); },
        good: async () => 'done',
      };
      // Which strategy of a new task comes first is a matter of chance.
      for (let turn = 0; !tried; turn++) expect(await gemba.run('task ' + turn, strategies)).toBe('done');
    });
    const greeting = base.extend<{ greeting: string }>({ greeting: async ({}, use) => use('hello') });
    mergeTests(test, greeting)('mergeTests keeps both', async ({ greeting, request }) => {
      expect(greeting).toBe('hello');
      expect((await request.get('/who')).ok()).toBe(true);
    });
    const own = base.extend(gembaFixtures).extend<{ who: object }>({
      who: async ({ request }, use) => use(await (await request.get('/who')).json()),
    });
    own('a test type of their own', async ({ who }) => { expect(who).toMatchObject({ path: '/who' }); });
  `,

  'failures.spec.ts': `
    import { appendFileSync } from 'node:fs';
    import { test, expect } from 'gemba-agent';
    const visit = async (gemba) => {
      const lease = await gemba.lease({ pool: 'mixed' });
      const answered = await fetch(lease.endpoint.url).catch(() => null);
      gemba.record({ kind: answered ? 'ok' : 'network', lease });
      expect(answered).not.toBeNull();
    };
    test('fails by the product', async ({ request }) => {
      appendFileSync('bodies.log', 'product\\n');
      await request.get('/who');
      expect('shown').toBe('expected');
    });
    test('fails first by the environment', async ({ gemba }) => visit(gemba));
    test.describe('an account that only one can have', () => {
      test.use({ gembaPool: 'single' });
      test('is given back by a killed worker', async ({ request }, { retry }) => {
        expect((await request.get('/who')).ok()).toBe(true);
        if (retry === 0) process.kill(process.pid, 'SIGKILL');
      });
      test('goes to the next', async ({ request }) => { expect((await request.get('/who')).ok()).toBe(true); });
    });
    test.describe('a group', () => {
      test.describe.configure({ mode: 'serial' });
      test('begins well', async ({ request }) => {
        appendFileSync('bodies.log', 'group\\n');
        await request.get('/who');
      });
      test('fails then by the product', async ({ request }) => {
        appendFileSync('bodies.log', 'failing in a group\\n');
        await request.get('/who');
        expect('shown').toBe('expected');
      });
    });
  `,

  'times.spec.ts': `
    import { test, expect } from 'gemba-agent';
    test.use({ gembaPool: 'paced' });
    test.describe('a hook', () => {
      test.beforeAll(async ({ request }) => {
        test.setTimeout(1_200);
        for (let call = 0; call < 2; call++) await request.get('/who');
      });
      test('that waits has its own time extended', async () => { expect(test.info().timeout).toBe(30_000); });
    });
    test('what polls begins no wait beyond its time', async ({ request }) => {
      await request.get('/who');
      const from = Date.now();
      await expect.poll(async () => (await request.get('/who')).status(), { timeout: 1_500 }).toBe(200);
      await expect(async () => { expect((await request.get('/who')).ok()).toBe(true); }).toPass({ timeout: 1_500 });
      expect(Date.now() - from).toBeLessThan(1_500);
    });
  `,

  'live.spec.ts': `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { test, expect } from 'gemba-agent';
    test.use({ gembaConfig: 'live.config.json' });
    test('obeys an edit', async ({ gemba }) => {
      const take = async () => { const lease = await gemba.lease(); await lease.release(); return lease.key.name; };
      expect(await take()).toBe('one');
      writeFileSync('live.config.json', readFileSync('live.config.json', 'utf8').replaceAll('one', 'two'));
      await expect.poll(take, { timeout: 10_000 }).toBe('two');
    });
  `,

  'page.spec.ts': `
    import { test, expect } from 'gemba-agent';
    test('page has key and base URL', async ({ page, lease }) => {
      await page.goto('/page');
      await expect(page).toHaveURL('/page');
      await expect(page.getByRole('status')).toHaveText('key seen: true');
      expect(page.url()).toBe(lease.endpoint.url + '/page');
    });
    test.describe('of a pool with a dead endpoint', () => {
      test.use({ gembaPool: 'moved' });
      test('a page has its first navigation moved', async ({ page }) => {
        await page.goto('/page');
        await expect(page.getByRole('heading')).toHaveText('Hello');
      });
    });
  `,

  'drop-in.spec.ts': `
    import { test, expect } from 'gemba-agent';
    test('is plain where it is switched off', async ({ request, baseURL }) => {
      test.skip(process.env.GEMBA_DISABLE !== '1', 'only with GEMBA_DISABLE=1');
      expect(baseURL).toBe(process.env.PLAIN_URL);
      expect(await (await request.get('/who')).json()).toEqual({ path: '/who', key: null });
    });
  `,
};

/** The same for the language itself: what a project without TypeScript writes. */
export const SCRIPTS: Readonly<Record<'esm' | 'cjs', Readonly<Record<string, string>>>> = {
  esm: { 'plain.spec.js': `import { test, expect } from 'gemba-agent';` + scriptBody() },
  cjs: { 'plain.spec.js': `const { test, expect } = require('gemba-agent');` + scriptBody() },
};

function scriptBody(): string {
  return `
    test('a script leases', async ({ request }) => { expect((await request.get('/who')).ok()).toBe(true); });
  `;
}
