import type { JSONReportSpec, JSONReportSuite } from '@playwright/test/reporter';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../harness/redis.ts';
import { createInlineProject, type InlineResult, runInlineTest } from '../harness/run-inline-test.ts';
import { json, type SessionServer, sessionServer, startServer, type TestServer } from '../harness/servers.ts';

const A = ['together-a-one', 'together-a-two', 'together-a-three'];
const B = ['together-b-one', 'together-b-two'];
const USED = ['together-used-one', 'together-used-two'];

/** Each way takes two leases that nobody uses before both are there. */
const UNUSED = `
import { test, expect } from 'gemba-agent';

const hold = (gemba, ...leases) =>
  Promise.all(leases.map(async (lease) => {
    expect((await gemba.fetch('/hold?ms=60', { lease })).status).toBe(200);
  }));
const ways = {
  'one after the other': async (gemba) => {
    const first = await gemba.lease({ pool: 'a' });
    await hold(gemba, first, await gemba.lease({ pool: 'a' }));
  },
  'at once': async (gemba) =>
    hold(gemba, ...(await Promise.all([gemba.lease({ pool: 'a' }), gemba.lease({ pool: 'a' })]))),
  'of two pools': async (gemba) => {
    const first = await gemba.lease({ pool: 'a' });
    await hold(gemba, first, await gemba.lease({ pool: 'b' }));
  },
  'of two pools the other way round': async (gemba) => {
    const first = await gemba.lease({ pool: 'b' });
    await hold(gemba, first, await gemba.lease({ pool: 'a' }));
  },
};
for (let index = 0; index < 6; index++) {
  for (const [way, take] of Object.entries(ways)) test(way + ' ' + index, ({ gemba }) => take(gemba));
}
`;

/** More than there is: nobody else is in its way. */
const TOO_MANY = `
import { test, expect } from 'gemba-agent';
test('asks for two of one', async ({ gemba }) => {
  await gemba.lease({ pool: 'one' });
  const error = await gemba.lease({ pool: 'one' }).catch((reason) => reason);
  expect(error.code).toBe('GEMBA_DEADLOCK');
  expect(error.message).toContain('holds all that could serve it by itself');
});
`;

/** Both have looked at their first lease before either asks for the second. */
const LOOKED_AT = `
import { test, expect } from 'gemba-agent';
for (const name of ['one', 'other']) {
  test('looks at its first lease, ' + name, async ({ gemba }) => {
    const first = await gemba.lease({ pool: 'used' });
    expect(first.key.value).not.toBe('');
    const meet = async () => (await fetch(process.env.MEETING + '/' + first.key.name)).text();
    await expect.poll(meet, { timeout: 15_000 }).toBe('2');
    const refused = await gemba.lease({ pool: 'used' }).then(() => null, (error) => error);
    if (refused) test.info().annotations.push({ type: 'refused', description: refused.code + ': ' + refused.message });
  });
}
`;

const CONFIG = '{ workers: 8, timeout: 20_000, fullyParallel: true }';

describe('several leases of one test', () => {
  let server: SessionServer;
  let meeting: TestServer;
  let result: InlineResult;

  beforeAll(async () => {
    server = await sessionServer([...A, ...B, ...USED]);
    const came = new Set<string>();
    meeting = await startServer((seen, response) => json(response, 200, came.add(seen.url).size));
    const pools = {
      a: poolOf(server, A),
      b: poolOf(server, B),
      used: poolOf(server, USED),
      one: poolOf(server, ['one-key']),
    };
    const files = {
      'gemba.config.json': JSON.stringify({ pools }),
      'unused.spec.ts': UNUSED,
      'looked-at.spec.ts': LOOKED_AT,
      'too-many.spec.ts': TOO_MANY,
    };
    result = await runInlineTest(files, {
      config: CONFIG,
      env: { MEETING: meeting.url },
    });
  });

  afterAll(async () => {
    await server.close();
    await meeting.close();
    await result.cleanup();
  });

  it('are had by all tests that use neither before both are there, in any order', () => {
    const { passed, failed, output } = result;
    expect({ passed, failed, output: failed ? output : '' }).toEqual({ passed: 27, failed: 0, output: '' });
    expect(server.refused()).toBe(0);
    expect(server.sessions).toHaveLength(48);
  });

  it('are refused to one of two tests that have looked at their first, with what to do', () => {
    const tests = specsOf(result.results!.suites).flatMap((spec) => spec.tests);
    const refused = tests.flatMap((test) => test.annotations.filter(({ type }) => type === 'refused'));
    expect(refused).toHaveLength(1);
    expect(refused[0]!.description).toMatch(
      /^GEMBA_DEADLOCK: This test holds a lease and asks for one of pool "used"/,
    );
    expect(refused[0]!.description).toContain('take them one right after the other, before it uses any');
  });

  it('are told as held for as long as they were', () => {
    const held = result.report!.tests.flatMap((test) =>
      test.results.flatMap(({ leases, durationMs }) => leases.map(({ heldMs }) => ({ heldMs, durationMs }))),
    );
    expect(held.length).toBeGreaterThanOrEqual(51);
    for (const { heldMs, durationMs } of held) {
      expect(heldMs).toBeGreaterThanOrEqual(0);
      expect(heldMs).toBeLessThanOrEqual(durationMs + 1_000);
    }
  });
});

it('several leases of one test are had over several machines too', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const server = await sessionServer(A.slice(0, 2));
  const config = { name: 'together', store: redis.url, pools: { a: poolOf(server, A.slice(0, 2)) } };
  const files = { 'gemba.config.json': JSON.stringify(config), 'unused.spec.ts': UNUSED };
  const machines = await Promise.all([1, 2].map(() => createInlineProject(files, CONFIG)));
  const args = ['--workers=2', '--grep=(one after the other|at once) [01]'];
  const runs = await Promise.all(machines.map((machine) => machine.run({ args })));
  for (const { passed, failed, output } of runs)
    expect({ passed, failed }, output).toEqual({ passed: 4, failed: 0 });
  expect(server.refused()).toBe(0);
  await Promise.all(machines.map((machine) => machine.cleanup()));
  await server.close();
});

function poolOf({ url }: TestServer, values: readonly string[]): object {
  const keys = values.map((value) => ({ name: value.replace('together-', ''), value, maxConcurrent: 1 }));
  return { endpoints: [url], keys };
}

function specsOf(suites: readonly JSONReportSuite[]): JSONReportSpec[] {
  return suites.flatMap((suite) => [...suite.specs, ...specsOf(suite.suites ?? [])]);
}
