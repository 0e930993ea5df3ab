import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InlineResult, runInlineTest } from '../harness/run-inline-test.ts';
import { type SessionServer, sessionServer } from '../harness/servers.ts';

const KEYS = ['session-key-one', 'session-key-two', 'session-key-three'];

const SPEC = `
import { test, expect } from 'gemba-agent';
for (let index = 0; index < 60; index++) {
  test('uses an account ' + index, async ({ request }) => {
    const opened = await request.post('/session');
    expect(opened.status()).toBe(201);
    await new Promise((resolve) => setTimeout(resolve, 200 + (index % 4) * 100));
    const { id } = await opened.json();
    expect((await request.delete('/session/' + id)).status()).toBe(204);
  });
}
`;

describe('3 exclusive accounts, 6 workers, 60 tests, a test timeout of 3 s', () => {
  let server: SessionServer;
  let result: InlineResult;

  beforeAll(async () => {
    server = await sessionServer(KEYS);
    const keys = KEYS.map((value, index) => ({ name: `qa-${index + 1}`, value, maxConcurrent: 1 }));
    const files = {
      'gemba.config.json': JSON.stringify({ pools: { api: { endpoints: [server.url], keys } } }),
      'accounts.spec.ts': SPEC,
    };
    const config = '{ workers: 6, retries: 1, timeout: 3000, fullyParallel: true }';
    result = await runInlineTest(files, { config });
  });

  afterAll(async () => {
    await server.close();
    await result.cleanup();
  });

  it('passes without a rerun, and the server refuses no second session', () => {
    expect({ passed: result.passed, failed: result.failed, flaky: result.flaky }).toEqual({
      passed: 60,
      failed: 0,
      flaky: 0,
    });
    expect(server.refused()).toBe(0);
    expect(server.sessions).toHaveLength(60);
  });

  it('uses all three accounts at once', () => {
    expect(server.mostAtOnce()).toBe(3);
  });

  it('reports each account with its leases and waits', () => {
    const report = result.report!;
    expect(report.totals).toMatchObject({ tests: 60, leases: 60, calls: 120, requests: 120, failures: 0 });
    const keys = report.pools[0]!.keys;
    expect(keys.map((key) => key.name)).toEqual(['qa-1', 'qa-2', 'qa-3']);
    expect(keys.reduce((sum, key) => sum + key.leases, 0)).toBe(60);
    for (const key of keys) expect(key.leases).toBeGreaterThan(10);
    const waits = report.tests.flatMap((test) =>
      test.results.flatMap((run) => run.leases.map((lease) => lease.waitedMs)),
    );
    expect(waits).toHaveLength(60);
    expect(Math.max(...waits)).toBeGreaterThan(150);
    expect(report.totals.waitedMs).toBeGreaterThan(3_000);
  });
});

describe('one exclusive account and tests that wait for it longer than their own timeout', () => {
  it('lets none of them time out, in a fixture, in a hook and in the body', async () => {
    const server = await sessionServer(['only-key-of-all']);
    const spec = `
      import { test, expect } from 'gemba-agent';
      const work = async (request) => expect((await request.get('/hold?ms=900')).status()).toBe(200);
      test('by the fixture 1', async ({ request }) => work(request));
      test('by the fixture 2', async ({ request }) => work(request));
      test('by the fixture 3', async ({ request }) => work(request));
      test('in the body', async ({ gemba }) => {
        const lease = await gemba.lease();
        const headers = lease.headers;
        const response = await fetch(lease.endpoint.url + '/hold?ms=900', { headers });
        expect(response.status).toBe(200);
      });
      test.describe('in a hook', () => {
        let lease;
        test.beforeEach(async ({ gemba }) => { lease = await gemba.lease(); });
        test('and then the body', async () => {
          const response = await fetch(lease.endpoint.url + '/hold?ms=900', { headers: lease.headers });
          expect(response.status).toBe(200);
        });
      });
      test('but a body of its own that takes too long does', async ({ lease }) => {
        await new Promise((resolve) => setTimeout(resolve, 3_500));
      });
    `;
    const pools = {
      api: { endpoints: [server.url], keys: [{ name: 'only', value: 'only-key-of-all', maxConcurrent: 1 }] },
    };
    const result = await runInlineTest(
      { 'gemba.config.json': JSON.stringify({ pools }), 'waits.spec.ts': spec },
      { config: '{ workers: 6, timeout: 2000, fullyParallel: true }' },
    );
    const titles = result
      .report!.tests.filter((test) => test.status === 'unexpected')
      .map((test) => test.title);
    expect(titles.map((title) => title.split(' › ').at(-1))).toEqual([
      'but a body of its own that takes too long does',
    ]);
    expect(result.passed).toBe(5);
    expect(server.refused()).toBe(0);
    await server.close();
    await result.cleanup();
  });
});
