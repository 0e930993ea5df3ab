import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { type Handler, json, startServer, type TestServer } from '../harness/servers.ts';

/** When the second replica is down, in milliseconds after the first request. */
const DOWN_AT = 3_000;
const UP_AT = 8_000;
/** Of a replica that was out for five seconds: the interval of its probes, and time for this machine's other work. */
const PROBE_INTERVAL_MS = 1_600;
const SLACK_MS = 1_500;
const RUN_MS = 200_000;

const SPEC = `
import { test, expect } from 'gemba-agent';
test.describe('an outage', () => {
  test.use({ gembaPool: 'replicas' });
  for (let index = 0; index < 90; index++) {
    test('goes on ' + index, async ({ request }) => {
      for (let call = 0; call < 4; call++) {
        expect((await request.get('/orders?page=' + index)).status()).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
  }
});
test.describe('a 500 on every replica', () => {
  test.use({ gembaPool: 'product' });
  for (let index = 0; index < 4; index++) {
    test('is the product’s ' + index, async ({ request }) => {
      expect((await request.get('/orders')).status()).toBe(200);
      expect((await request.get('/boom')).status()).toBe(200);
    });
  }
  test('is the product’s where one test alone meets it', async ({ request }) => {
    expect((await request.get('/orders')).status()).toBe(200);
    expect((await request.get('/crash')).status()).toBe(200);
  });
});
test.describe('a quota that is gone', () => {
  test.use({ gembaPool: 'gone' });
  for (let index = 0; index < 10; index++) {
    test('is told ' + index, async ({ request }) => {
      expect((await request.get('/paid')).status()).toBe(200);
    });
  }
});
test.describe('a pool that stands in', () => {
  test.use({ gembaPool: 'first' });
  for (let index = 0; index < 6; index++) {
    test('gives the lease ' + index, async ({ lease, request }) => {
      expect([lease.pool, lease.key.name]).toEqual(['spare', 'spare-key']);
      expect((await request.get('/paid')).status()).toBe(200);
    });
  }
});
test.describe('a pool that does not wait', () => {
  test.use({ gembaPool: 'impatient' });
  test('fails at once', async ({ lease, gemba }) => {
    await expect(gemba.lease()).rejects.toMatchObject({
      code: 'GEMBA_POOL_UNAVAILABLE',
      message: expect.stringContaining('"whenEmpty": "fail"'),
    });
  });
});
test.describe('a revoked key among good ones', () => {
  test.use({ gembaPool: 'keys' });
  for (let index = 0; index < 9; index++) {
    test('is found before it is leased ' + index, async ({ request, lease }) => {
      expect(lease.key.name).not.toBe('revoked');
      expect((await request.get('/orders')).status()).toBe(200);
      // A run that is over sends no probe any more.
      await expect.poll(async () => (await request.get('/met')).text(), { timeout: 20_000 }).toBe('true');
    });
  }
});
`;

let servers: TestServer[];
let project: InlineProject;
let run: InlineResult;
const revoked = new Set(['revoked-key-value']);
const downtime = { from: 0, to: 0 };

const api: Handler = (seen, response) => {
  if (seen.token !== null && revoked.has(seen.token)) return json(response, 401, { error: 'unknown key' });
  if (seen.url === '/met')
    return json(
      response,
      200,
      servers[0]!.requests.some(({ token }) => token !== null && revoked.has(token)),
    );
  if (seen.token?.endsWith('-spent-value')) return json(response, 402, { error: 'nothing left' });
  json(response, seen.url === '/boom' || seen.url === '/crash' ? 500 : 200, { url: seen.url });
};

function configOf([one, two, three]: TestServer[]): string {
  const replicas = [one, two, three].map((server, index) => {
    return { name: `replica-${index + 1}`, url: server!.url, health: '/healthz' };
  });
  const twins = [one, three].map((server, index) => ({ name: `twin-${index + 1}`, url: server!.url }));
  const keys = ['good-one', 'good-two', 'revoked'].map((name) => ({ name, value: `${name}-key-value` }));
  const spent = (name: string): object[] => [{ name, value: `${name}-spent-value` }];
  const spare = { name: 'spare-key', value: 'spare-key-value' };
  const pools = {
    gone: { endpoints: [one!.url], keys: [...spent('gone-1'), ...spent('gone-2')], acquireTimeout: '20s' },
    first: {
      endpoints: [one!.url],
      keys: [{ ...spare, enabled: false }],
      whenEmpty: 'fallback',
      fallback: 'spare',
    },
    spare: { endpoints: [three!.url], keys: [spare], auth: { header: 'x-spare-key' } },
    impatient: {
      endpoints: [{ name: 'only', url: one!.url, health: '/healthz', maxConcurrent: 1 }],
      whenEmpty: 'fail',
    },
    replicas: { endpoints: replicas, routing: 'round-robin', failover: 'always' },
    product: { endpoints: twins },
    keys: { endpoints: replicas.slice(0, 1), keys },
  };
  return JSON.stringify({ pools });
}

/** Takes the second replica away for a while, once tests run. */
async function breakDown(server: TestServer): Promise<void> {
  while (servers.every(({ requests }) => requests.length === 0)) await sleep(20);
  await sleep(DOWN_AT);
  await server.close();
  downtime.from = Date.now();
  await sleep(UP_AT - DOWN_AT);
  await server.open();
  downtime.to = Date.now();
}

const changes = (pool: string): string[] =>
  run
    .report!.transitions.filter((transition) => transition.pool === pool)
    .map(({ endpoint, key, from, to }) => `${endpoint ?? key}: ${from} → ${to}`);

beforeAll(async () => {
  servers = [await startServer(api), await startServer(api), await startServer(api)];
  project = await createInlineProject(
    { 'gemba.config.json': configOf(servers), 'recovery.spec.ts': SPEC },
    '{ workers: 4, fullyParallel: true, retries: 0 }',
  );
  const broken = breakDown(servers[1]!);
  run = await project.run({ timeoutMs: RUN_MS });
  await broken;
}, RUN_MS + 20_000);

afterAll(async () => {
  for (const server of servers) await server.close();
  await project.cleanup();
});

describe('a replica that is down from second 3 to second 8', () => {
  it('fails no test', () => {
    const failed = run.report!.tests.filter(
      (test) => test.title.startsWith('an outage') && test.status !== 'expected',
    );
    expect(failed).toEqual([]);
  });

  it('is out within its first faults, and nobody else is', () => {
    const { endpoints } = run.report!.pools.find((pool) => pool.name === 'replicas')!;
    const [one, two, three] = endpoints;
    expect(two!.kinds['network'] ?? 0).toBeLessThanOrEqual(4);
    expect([one!.failures, three!.failures]).toEqual([0, 0]);
    const names = new Set(changes('replicas').map((change) => change.split(':')[0]));
    expect([...names]).toEqual(['replica-2']);
  });

  it('is back within one probe interval, by a probe', () => {
    const back = run.report!.transitions.find(({ pool, to }) => pool === 'replicas' && to === 'healthy')!;
    expect(back.why).toBe('its probe went well (200)');
    const took = Date.parse(back.at) - downtime.to;
    expect(took).toBeGreaterThan(-200);
    expect(took).toBeLessThan(PROBE_INTERVAL_MS + SLACK_MS);
    const calls = servers[1]!.requests.filter(({ url, at }) => url !== '/healthz' && at > downtime.to);
    expect(calls.length).toBeGreaterThan(0);
  });
});

describe('probes', () => {
  it('ask each member once before it is leased, and no other than the one that is out again', () => {
    const asked = servers.map(({ requests }) => requests.filter(({ url }) => url === '/healthz').length);
    // The first replica serves the pool of keys, too: its own probe and those of three keys.
    expect(asked[0]).toBeLessThanOrEqual(1 + 4);
    expect(asked[2]).toBe(1);
  });

  it('count neither as calls nor as requests, nor does what was asked for the evidence', () => {
    const calls = servers.flatMap(({ requests }) => requests).filter(({ url }) => url !== '/healthz');
    const refused = run.report!.pools.flatMap(({ endpoints }) =>
      endpoints.map(({ kinds }) => kinds['network'] ?? 0),
    );
    const unsent = refused.reduce((sum, count) => sum + count, 0);
    const evidence = run.report!.tests.flatMap(({ results }) => results.flatMap((result) => result.evidence));
    const asked = evidence.filter((line) => line.includes('was asked once more')).length;
    expect(asked).toBeGreaterThan(0);
    expect(run.report!.totals.requests).toBe(calls.length + unsent - asked);
  });
});

describe('a 500 on every replica', () => {
  it('is the product’s, and no replica is ejected', () => {
    const tests = run.report!.tests.filter((test) => test.title.startsWith('a 500'));
    expect(tests).toHaveLength(5);
    for (const test of tests) expect(test).toMatchObject({ status: 'unexpected', verdict: 'product' });
    expect(changes('product')).toEqual([]);
  });
});

describe('a quota that is gone', () => {
  it('fails every test within seconds, with that reason, told once', () => {
    const tests = run.report!.tests.filter((test) => test.title.startsWith('a quota'));
    expect(tests).toHaveLength(10);
    for (const test of tests) expect(test).toMatchObject({ status: 'unexpected', verdict: 'environment' });
    for (const test of tests) expect(test.results[0]!.durationMs).toBeLessThan(10_000);
    const asked = servers[0]!.requests.filter(({ token }) => token?.startsWith('gone-'));
    expect(asked.length).toBeLessThanOrEqual(8);
    const lines = run.output.match(/^  environment: .*pool "gone" had no member to give.*/gm) ?? [];
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/gone-1 exhausted until .*its quota is used up 402.*\(\d+ tests/);
  });
});

describe('a pool that stands in', () => {
  it('gives its own endpoint and key, and the tests are told as degraded, with the reason', () => {
    const tests = run.report!.tests.filter((test) => test.title.startsWith('a pool that stands in'));
    for (const test of tests) {
      expect(test).toMatchObject({ status: 'expected', degraded: true });
      expect(test.results[0]!.leases).toMatchObject([{ pool: 'spare', key: 'spare-key' }]);
    }
    const served = servers[2]!.requests.filter(({ url }) => url === '/paid');
    expect(served.map(({ headers }) => headers['x-spare-key'])).toEqual(Array(6).fill('spare-key-value'));
    expect(run.output).toContain(
      'pool "spare" was the fallback of 6 tests: pool "first" had no member to give: spare-key disabled in the configuration',
    );
  });
});

describe('a revoked key', () => {
  it('is quarantined by its probe, before any test meets it', () => {
    const seen = servers[0]!.requests.filter(({ token }) => token === 'revoked-key-value');
    expect(seen.map(({ url }) => url)).toEqual(['/healthz']);
    expect(changes('keys')).toEqual(['revoked: healthy → quarantined']);
    const tests = run.report!.tests.filter((test) => test.title.startsWith('a revoked key'));
    expect(tests.map((test) => test.status)).toEqual(Array(9).fill('expected'));
  });
});
