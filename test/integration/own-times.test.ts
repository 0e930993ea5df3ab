import { describe, expect, it } from 'vitest';
import { inlineSuite } from '../harness/inline-suite.ts';
import { runInlineTest } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

/** The first call of each path is throttled for as many seconds as the path says. */
async function throttlingServer(): Promise<TestServer> {
  const known = new Set<string>();
  return startServer((seen, response) => {
    const [, wait] = /^\/throttled\/(\d+)/.exec(seen.url) ?? [];
    if (wait === undefined || known.has(seen.url)) return json(response, 200, { done: true });
    known.add(seen.url);
    json(response, 429, {}, { 'retry-after': wait });
  });
}

const pools = (url: string): object => ({
  default: { endpoints: [url], keys: ['key-one'] },
  other: { endpoints: [url], keys: ['key-four'] },
  quiet: { endpoints: [url], keys: ['key-two'] },
  // A call every 6 s.
  paced: { endpoints: [url], keys: [{ name: 'paced', value: 'key-three', rpm: 10 }] },
});

describe('time of a test, a hook and a fixture', () => {
  let server: TestServer;
  const { scenario } = inlineSuite({
    setUp: async () => {
      server = await throttlingServer();
      return {
        files: { 'gemba.config.json': JSON.stringify({ pools: pools(server.url) }) },
        config: '{ workers: 2, timeout: 4000, expect: { timeout: 2500 } }',
        cleanup: () => server.close(),
      };
    },
    head: `
      import { test as base, expect } from 'gemba-agent';
      const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const test = base.extend({
        brief: [async ({ request }, use) => { await request.get('/throttled/4?fixture'); await use('brief'); }, { timeout: 3000 }],
        endless: [async ({ request }, use) => { await request.get('/throttled/1?endless'); await sleep(4100); await use('endless'); }, { timeout: 0 }],
      });
    `,
  });

  scenario(
    'a wait in a test costs nothing of its time, and is a part of its duration',
    `
    test('waits', async ({ request }) => {
      await request.get('/throttled/4?test');
      await sleep(1500);
      expect(test.info().timeout).toBe(4000);
    });
  `,
    ({ tests }) => expect(tests[0]!.results[0]!.durationMs).toBeGreaterThan(5_450),
  );

  scenario(
    'a wait in a hook extends that hook, and nothing else',
    `
    test.beforeAll(async ({ request }) => { test.setTimeout(3000); await request.get('/throttled/4?hook'); await sleep(300); });
    test('a hook with less time', async () => { expect(test.info().timeout).toBe(4000); });
    test.afterAll(async ({ request }) => { test.setTimeout(9000); await request.get('/throttled/1?after'); await sleep(4100); });
  `,
  );

  scenario(
    'a wait in a fixture with its own timeout extends that, and none where it has no limit',
    `
    test('a fixture with its own time', async ({ brief }) => { await sleep(1500); expect(test.info().timeout).toBe(4000); });
    test('a fixture without a limit', async ({ endless }) => { await sleep(1500); });
  `,
  );

  scenario(
    'what a test sets during a wait or after it holds',
    `
    test('setTimeout during a wait', async ({ request }) => {
      const waiting = request.get('/throttled/2?set');
      await sleep(300);
      test.setTimeout(9000);
      await waiting;
      await sleep(5000);
      expect(test.info().timeout).toBe(9000);
    });
    test('slow during a wait', async ({ request }) => {
      const waiting = request.get('/throttled/2?slow');
      await sleep(300);
      test.slow();
      await waiting;
      expect(test.info().timeout).toBe(12000);
    });
    test('setTimeout after a wait', async ({ request }) => {
      await request.get('/throttled/4?later');
      test.setTimeout(4100);
      await sleep(1000);
    });
  `,
  );

  scenario(
    'what polls is handed an answer whose wait would pass its deadline, and sent without a turn that comes later',
    `
    test.beforeEach(() => test.setTimeout(10_000));
    test('expect.poll', async ({ request }) => {
      await expect.poll(async () => (await request.get('/throttled/5?poll')).status(), { timeout: 3000 }).toBe(200);
    });
    test('expect.poll by its configured time', async ({ request }) => {
      await expect.poll(async () => (await request.get('/throttled/5?configured')).status()).toBe(200);
      await expect.configure({ timeout: 2400 }).poll(async () => (await request.get('/throttled/5?own')).status()).toBe(200);
    });
    test('toPass', async ({ request }) => {
      await expect(async () => { expect((await request.get('/throttled/5?pass')).status()).toBe(200); }).toPass({ timeout: 3000 });
    });
    test('toPass without a time of its own, by that of the test', async ({ request }) => {
      const statuses = [];
      await expect(async () => { statuses.push((await request.get('/throttled/20?whole')).status()); expect(statuses.at(-1)).toBe(200); }).toPass();
      expect(statuses[0]).toBe(429);
    });
    test.describe('another pool', () => {
      test.use({ gembaPool: 'other' });
      test('gemba.fetch in toPass', async ({ gemba }) => {
      await expect(async () => { expect((await gemba.fetch('/throttled/5?fetch')).status).toBe(200); }).toPass({ timeout: 3000 });
      });
    });
    test('a call with a timeout of its own', async ({ request }) => {
      expect((await request.get('/throttled/5?call', { timeout: 2500 })).status()).toBe(429);
    });
    test.describe('where there is time', () => {
      test.use({ gembaPool: 'quiet' });
      test('toPass waits', async ({ request }) => {
        const statuses = [];
        await expect(async () => { statuses.push((await request.get('/throttled/1?short')).status()); expect(statuses.at(-1)).toBe(200); }).toPass({ timeout: 6000 });
        expect(statuses).toEqual([200]);
        expect((await request.get('/throttled/1?called', { timeout: 6000 })).status()).toBe(200);
      });
    });
    test.describe('paced', () => {
      test.use({ gembaPool: 'paced' });
      test('a turn', async ({ request }) => {
        await request.get('/one');
        const from = Date.now();
        await request.get('/two', { timeout: 3000 });
        await expect.poll(async () => (await request.get('/three')).status(), { timeout: 3000 }).toBe(200);
        expect(Date.now() - from).toBeLessThan(2500);
      });
    });
  `,
  );

  scenario(
    'matchers of functions, and what is made of expect, stay as they are',
    `
    test('matchers', async () => {
      const own = () => { throw new Error('mine'); };
      expect(own).toBe(own);
      expect(own).toThrow('mine');
      expect(own).not.toThrow('yours');
      await expect(async () => own()).not.toPass({ timeout: 200 });
      await expect(async () => own()).rejects.toThrow('mine').catch(() => {});
      expect({ a: own }).toEqual({ a: expect.any(Function) });
      const more = expect.extend({ toBeMine: (actual) => ({ pass: actual === own, message: () => 'not mine' }) });
      more(own).toBeMine();
      more.soft(own).not.toBe(1);
      await more(async () => {}).toPass();
      await more.poll(() => 1, { message: 'a message' }).toBe(1);
      const error = await expect(async () => { throw new Error('never'); }).toPass({ timeout: 100 }).catch((e) => e);
      expect(error.message).toContain('never');
    });
  `,
  );
});

it('time that is used up is used up in spite of waits', async () => {
  const server = await throttlingServer();
  const result = await runInlineTest(
    {
      'gemba.config.json': JSON.stringify({ pools: pools(server.url) }),
      'late.spec.ts': `
        import { test as base } from 'gemba-agent';
        const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        const test = base.extend({
          brief: [async ({ request }, use) => { await request.get('/throttled/1?fixture'); await sleep(9000); await use(''); }, { timeout: 2500 }],
        });
        test('the test', async ({ request }) => { await request.get('/throttled/1?test'); await sleep(9000); });
        test('its fixture', async ({ brief }) => {});
        test.describe('hook', () => {
          test.beforeAll(async ({ request }) => { test.setTimeout(2400); await request.get('/throttled/1?hook'); await sleep(9000); });
          test('its hook', async () => {});
        });
      `,
    },
    { config: '{ timeout: 3000 }' },
  );
  await server.close();
  expect(result.failed, result.output).toBe(3);
  for (const message of [
    'Test timeout of 3000ms exceeded.',
    'Fixture "brief" timeout of 2500ms exceeded during setup.',
    '"beforeAll" hook timeout of 2400ms exceeded.',
  ])
    expect(result.output).toContain(message);
  await result.cleanup();
});
