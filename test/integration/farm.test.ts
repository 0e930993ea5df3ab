import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createInlineProject, runInlineTest } from '../harness/run-inline-test.ts';
import { json, sessionServer, startServer } from '../harness/servers.ts';

describe('3 keys at 5 requests a second each, 8 workers, 300 calls', () => {
  it('are paced: hardly a 429, none before its Retry-After ended, and little time lost', async () => {
    const keys = ['paced-key-one', 'paced-key-two', 'paced-key-three'];
    const served = new Map<string, number[]>(keys.map((key) => [key, []]));
    const closedUntil = new Map<string, number>();
    let refused = 0;
    let early = 0;
    const server = await startServer((seen, response) => {
      const times = served.get(seen.token!)!;
      if (seen.at < (closedUntil.get(seen.token!) ?? 0)) early++;
      if (times.filter((at) => seen.at - at < 1_000).length >= 5) {
        refused++;
        closedUntil.set(seen.token!, seen.at + 1_000);
        return json(response, 429, {}, { 'retry-after': '1' });
      }
      times.push(seen.at);
      json(response, 200, {});
    });
    const spec = `
      import { test, expect } from 'gemba-agent';
      for (let index = 0; index < 100; index++) {
        test('calls ' + index, async ({ request }) => {
          for (let call = 0; call < 3; call++) expect((await request.get('/things')).status()).toBe(200);
        });
      }
    `;
    const pools = { api: { endpoints: [server.url], keys: keys.map((value) => ({ value, rpm: 300 })) } };
    const result = await runInlineTest(
      { 'gemba.config.json': JSON.stringify({ pools }), 'paced.spec.ts': spec },
      { config: '{ workers: 8, fullyParallel: true, timeout: 5000 }' },
    );
    expect({ passed: result.passed, failed: result.failed }).toEqual({ passed: 100, failed: 0 });
    expect(refused).toBeLessThanOrEqual(9);
    // A call may be on its way already when another one is refused.
    expect(early).toBeLessThanOrEqual(2 * refused);
    const times = [...served.values()].flat();
    expect(times).toHaveLength(300);
    expect((Math.max(...times) - Math.min(...times)) / 1_000).toBeLessThan(1.4 * 20);
    await server.close();
    await result.cleanup();
  });
});

describe('leases of every scope', () => {
  it('hold in beforeAll, serial groups, repetitions, several in one test, and for a worker’s life', async () => {
    // One more than there are workers, so that tests that take two of them never wait for each other in a circle.
    const names = ['scope-key-one', 'scope-key-two', 'scope-key-three'];
    const server = await sessionServer(names);
    const spec = `
      import { test, expect } from 'gemba-agent';
      const held = async (request) => expect((await request.get('/hold?ms=60')).status()).toBe(200);
      test.describe('a serial group', () => {
        test.describe.configure({ mode: 'serial' });
        test.beforeAll(async ({ request }) => held(request));
        test('goes first', async ({ request }) => held(request));
        test('fails once', async ({ request }) => { await held(request); expect(test.info().retry).toBe(1); });
        test('comes after', async ({ request }) => held(request));
        test.afterAll(async ({ request }) => held(request));
      });
      for (const index of [1, 2, 3, 4]) {
        test('holds one ' + index, async ({ request }) => held(request));
      }
      for (const index of [1, 2, 3]) {
        test('takes both ' + index, async ({ gemba }) => {
          const first = await gemba.lease();
          const second = await gemba.lease();
          expect(first.key.name).not.toBe(second.key.name);
        });
      }
    `;
    const workerSpec = `
      import { test, expect } from 'gemba-agent';
      test.use({ gembaPool: 'lives' });
      for (const index of [1, 2, 3, 4]) {
        test('keeps the worker’s ' + index, async ({ lease, workerLease }) => {
          expect(workerLease.pool).toBe('default');
          expect(lease.key.name).toMatch(/life/);
          await new Promise((resolve) => setTimeout(resolve, 100));
        });
      }
    `;
    const exclusive = (value: string): object => ({ value, maxConcurrent: 1 });
    const lives = {
      endpoints: [server.url],
      keys: [{ name: 'life-1', value: 'life', maxConcurrent: 1 }],
      scope: 'worker',
    };
    const accounts = { endpoints: [server.url], keys: names.map(exclusive) };
    const shared = { endpoints: [server.url] };
    const project = await createInlineProject(
      {
        'gemba.config.json': JSON.stringify({ pools: { accounts, lives, default: shared } }),
        'scopes.spec.ts': spec.replace(
          "import { test, expect } from 'gemba-agent';",
          (text) => `${text}\ntest.use({ gembaPool: 'accounts' });`,
        ),
        'worker.spec.ts': workerSpec,
      },
      '{ workers: 2, fullyParallel: true, retries: 1, timeout: 5000 }',
    );
    const result = await project.run({ args: ['--repeat-each=2', 'scopes'] });
    expect(result.failed, result.output).toBe(0);
    expect(result.flaky).toBe(2);
    expect(server.refused()).toBe(0);
    const forLife = await project.run({ args: ['worker'] });
    expect(forLife.failed, forLife.output).toBe(0);
    expect(forLife.output.match(/2 workers share 1 place of pool "lives"/g)).toHaveLength(1);
    await project.cleanup();
    await server.close();
  });
});

describe('a run that ends early', () => {
  it('by Ctrl-C, by maxFailures or by its global timeout leaves no account held', async () => {
    const server = await sessionServer(['early-key-one', 'early-key-two']);
    const keys = ['early-key-one', 'early-key-two'].map((value) => ({ value, maxConcurrent: 1 }));
    const spec = `
      import { test, expect } from 'gemba-agent';
      for (let index = 0; index < 4; index++) {
        test('holds ' + index, async ({ request }) => {
          expect((await request.get('/hold?ms=' + (process.env.HOLD ?? 50))).status()).toBe(200);
          expect(process.env.FAIL).toBeUndefined();
        });
      }
    `;
    const pools = { api: { endpoints: [server.url], keys } };
    const project = await createInlineProject(
      { 'gemba.config.json': JSON.stringify({ pools }), 'early.spec.ts': spec },
      '{ workers: 2, fullyParallel: true }',
    );
    const interrupted = project.run({
      env: { HOLD: '20000' },
      onStart: (child) => {
        void (async () => {
          while (server.sessions.length < 2) await sleep(20);
          child.kill('SIGINT');
        })();
      },
    });
    expect((await interrupted).exitCode).toBe(130);
    expect((await project.run({ env: { HOLD: '20000' }, args: ['--global-timeout=2500'] })).exitCode).toBe(1);
    expect((await project.run({ env: { FAIL: '1' }, args: ['--max-failures=1'] })).exitCode).toBe(1);
    const last = await project.run();
    expect({ passed: last.passed, failed: last.failed }).toEqual({ passed: 4, failed: 0 });
    expect(server.refused()).toBe(0);
    expect(last.report!.totals.waitedMs).toBeLessThan(2_000);
    await project.cleanup();
    await server.close();
  });
});
