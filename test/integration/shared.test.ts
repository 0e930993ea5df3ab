import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../harness/redis.ts';
import { createInlineProject, type InlineProject, runInlineTest } from '../harness/run-inline-test.ts';
import { json, sessionServer, startServer } from '../harness/servers.ts';

const KEYS = ['shared-key-one', 'shared-key-two'];
const PASSWORD = 'canary-redis-password';

/** Three folders with the same project stand for three machines: each has a broker of its own. */
const SPEC = `
import { test, expect } from 'gemba-agent';
for (let index = 0; index < 16; index++) {
  test('holds ' + index, async ({ request }) => {
    expect((await request.get('/hold?ms=200&machine=MACHINE')).status()).toBe(200);
  });
}
`;

describe('one store for several machines', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis({ password: PASSWORD });
  });

  afterAll(async () => {
    await redis.close();
  });

  function configOf(url: string, name: string): string {
    const keys = KEYS.map((value, index) => ({ name: `qa-${index + 1}`, value, maxConcurrent: 1 }));
    const pools = { api: { endpoints: [url], keys, leaseTtl: '3s' } };
    return JSON.stringify({ name, store: redis.url, pools });
  }

  async function machine(url: string, name: string, number: number): Promise<InlineProject> {
    const spec = SPEC.replaceAll('MACHINE', String(number));
    const files = { 'gemba.config.json': configOf(url, name), 'shared.spec.ts': spec };
    return createInlineProject(files, '{ workers: 2, fullyParallel: true, timeout: 5000 }');
  }

  it('shares exclusive accounts between shards and an unrelated run, also when it is killed and comes back empty', async () => {
    const server = await sessionServer(KEYS);
    const machines = await Promise.all([1, 2, 3].map((number) => machine(server.url, 'shards', number)));
    const [first, second, third] = machines;
    const running = Promise.all([
      first!.run({ args: ['--shard=1/2'] }),
      second!.run({ args: ['--shard=2/2'] }),
      third!.run(),
    ]);
    // A machine that begins while the store is away is refused, so all of them come first.
    const hasBegun = (number: number): boolean =>
      server.requests.some(({ url }) => url.endsWith(`machine=${number}`));
    while (server.sessions.length < 8 || ![1, 2, 3].every(hasBegun)) await sleep(20);
    await redis.kill();
    await sleep(700);
    await redis.start();
    const runs = await running;
    for (const run of runs) expect(run.failed, run.output).toBe(0);
    expect(runs.reduce((sum, run) => sum + run.passed, 0)).toBe(32);
    expect(server.refused()).toBe(0);
    expect(server.mostAtOnce()).toBe(2);
    const told = runs
      .flatMap((run) => run.report!.transitions)
      .filter(({ endpoint, key }) => !endpoint && !key);
    expect(told.map((transition) => transition.to)).toContain('ejected');
    expect(told.map((transition) => transition.to)).toContain('healthy');
    expect(told[0]!.why).toContain('127.0.0.1');
    for (const run of runs) expect(run.output + JSON.stringify(run.report)).not.toContain(PASSWORD);
    for (const one of machines) await one.cleanup();
    await server.close();
  });

  it('stops a test whose machine is cut off for too long, and blames the environment', async () => {
    const server = await startServer((seen, response) => {
      if (seen.url === '/first') redis.pause();
      json(response, 200, {});
    });
    const spec = `
      import { test, expect } from 'gemba-agent';
      test('is stopped', async ({ request }) => {
        expect((await request.get('/first')).ok()).toBe(true);
        while ((await request.get('/again')).ok()) await new Promise((resolve) => setTimeout(resolve, 50));
      });
    `;
    const run = await runInlineTest(
      { 'gemba.config.json': configOf(server.url, 'cut-off'), 'cut.spec.ts': spec },
      { config: '{ timeout: 30000 }' },
    ).finally(() => redis.resume());
    const [test] = run.report!.tests;
    expect(run.output).toContain('The lease of api/');
    expect(test).toMatchObject({ status: 'unexpected', verdict: 'environment' });
    expect(test!.results[0]!.evidence.join()).toContain('was lost');
    await run.cleanup();
    await server.close();
  });

  it('tells other machines at once what one found out about a key', async () => {
    const api = await startServer((seen, response) => {
      if (seen.token === 'shared-key-one') return json(response, 401, { error: { code: 'invalid_api_key' } });
      json(response, 200, {});
    });
    const spec = `
      import { test, expect } from 'gemba-agent';
      test('works', async ({ request }) => { expect((await request.get('/v1/files')).ok()).toBe(true); });
    `;
    const pools = { api: { endpoints: [api.url], keys: KEYS, protocol: 'openai' } };
    const config = JSON.stringify({ name: 'facts', store: redis.url, pools });
    const files = { 'gemba.config.json': config, 'facts.spec.ts': spec };
    const first = await runInlineTest(files);
    const second = await runInlineTest(files);
    expect([first.passed, second.passed]).toEqual([1, 1]);
    // The second run asks with a probe of its own whether the key is still refused; no call of a test goes with it.
    const calls = api.requests.filter((seen) => seen.url === '/v1/files');
    expect(calls.filter((seen) => seen.token === 'shared-key-one')).toHaveLength(1);
    expect(second.report!.pools[0]!.keys[0]).toMatchObject({ state: 'quarantined', requests: 0 });
    for (const one of [first, second]) await one.cleanup();
    await api.close();
  });
});
