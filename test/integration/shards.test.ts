import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GembaReport } from '../harness/report.ts';
import { createInlineProject, type Finished, type InlineProject } from '../harness/run-inline-test.ts';
import { deadUrl, json, startServer, type TestServer } from '../harness/servers.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';

/** Calls that succeed, a retry after an environment failure, a product failure, a crash, and tests without a lease. */
const spec = (name: string): string => `
  import { test, expect } from 'gemba-agent';
  for (let index = 0; index < 4; index++) {
    test('${name} reads ' + index, async ({ request }) => {
      await request.get('/who');
      expect((await request.get('/missing')).status()).toBe(404);
    });
  }
  test('${name} is hit once', async ({ gemba }) => {
    const lease = await gemba.lease({ pool: test.info().retry === 0 ? 'dead' : 'api' });
    const answered = await fetch(lease.endpoint.url).catch(() => null);
    gemba.record({ kind: answered ? 'ok' : 'network', lease });
    expect(answered).not.toBeNull();
  });
  test('${name} crashes once', async ({ request }) => {
    await request.get('/who');
    if ('${name}' === 'a' && test.info().retry === 0) process.kill(process.pid, 'SIGKILL');
  });
  ${name === 'b' ? `test('b is a bug', async ({ request }) => { await request.get('/who'); expect(1).toBe(2); });` : ''}
  test('${name} takes no lease', async () => {});
`;
/** A shard without any lease still says that it ran. */
const PLAIN = `
  import { test } from 'gemba-agent';
  for (let index = 0; index < 7; index++) test('plain ' + index, async () => {});
`;

describe('a run in three shards', () => {
  let server: TestServer;
  let project: InlineProject;
  let whole: GembaReport;
  let folder: string;

  const merge = (blobs: string): Promise<Finished> => {
    rmSync(folder, { recursive: true, force: true });
    const cli = 'node_modules/@playwright/test/cli.js';
    return project.node([cli, 'merge-reports', blobs, '--reporter=gemba-agent/reporter']);
  };
  const report = (): GembaReport =>
    JSON.parse(readFileSync(path.join(folder, 'report.json'), 'utf8')) as GembaReport;

  beforeAll(async () => {
    server = await startServer((seen, response) => json(response, seen.url === '/missing' ? 404 : 200, {}));
    const config = {
      pools: {
        default: { endpoints: [server.url], keys: ['merge-key-one', 'merge-key-two'] },
        api: { endpoints: [server.url] },
        dead: { endpoints: [await deadUrl()], maxFailures: 1000, ejection: { base: 1, max: 1 } },
      },
      gate: { environment: 'fail' },
    };
    project = await createInlineProject(
      {
        'gemba.config.json': JSON.stringify(config),
        'a.spec.ts': spec('a'),
        'b.spec.ts': spec('b'),
        'c.spec.ts': PLAIN,
      },
      '{ workers: 1, retries: 1, fullyParallel: true }',
    );
    folder = path.join(project.folder, 'gemba-report');
    await project.run({ args: ['--list'] });
    expect(existsSync(folder)).toBe(false);
    whole = (await project.run()).report!;
    for (const shard of [1, 2, 3]) {
      const env = { PLAYWRIGHT_BLOB_OUTPUT_FILE: path.join(project.folder, `blobs/${shard}.zip`) };
      await project.run({ args: [`--shard=${shard}/3`, '--reporter=blob'], env });
    }
    for (const shard of [1, 3]) {
      cpSync(path.join(project.folder, `blobs/${shard}.zip`), path.join(project.folder, `two/${shard}.zip`));
    }
    rmSync(path.join(project.folder, 'gemba.config.json'));
  });

  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  it('has the same numbers merged as in one run', async () => {
    const merging = await merge('blobs');
    const merged = report();
    expect(countsOf(merged)).toEqual(countsOf(whole));
    expect(merged.totals).toMatchObject({ tests: 22, failed: 1, flaky: 3 });
    expect(merged.verdicts).toEqual({ product: 1, environment: 2, unknown: 1 });
    expect(merged.run.shards).toEqual({ total: 3, present: [1, 2, 3] });
    expect(merging.output).not.toContain('missing');
    // Each shard has a worker 0 of its own.
    const workers = merged.tests.flatMap(({ results }) =>
      results.map(({ shard, worker }) => `${shard}:${worker}`),
    );
    expect(new Set(workers.filter((name) => name.endsWith(':0')))).toEqual(new Set(['1:0', '2:0', '3:0']));
  });

  it('fits the published schema', () => {
    const file = path.join(project.folder, 'node_modules/gemba-agent/report.schema.json');
    const schema = JSON.parse(readFileSync(file, 'utf8')) as object;
    const validate = new Ajv({
      allErrors: true,
      formats: { 'date-time': /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ },
    }).compile(schema);
    for (const made of [whole, report()]) {
      validate(made);
      expect(validate.errors).toBeNull();
    }
  });

  it('is judged by the gate in its records', async () => {
    const merging = await merge('blobs');
    const line =
      'the gate failed this run: 2 tests had a failed attempt with verdict environment (gate.environment is "fail")';
    expect(merging.output).toContain(line);
    const judged = await project.node([CLI, 'show-report', '--gate']);
    expect(judged).toMatchObject({ exitCode: 1, stdout: `Gemba gate: ${line}\n` });
  });

  it('lists a missing shard', async () => {
    const merging = await merge('two');
    expect(report().run.shards).toEqual({ total: 3, present: [1, 3] });
    expect(merging.output).toMatch(/Shard 2 of 3 is missing/);
    expect(existsSync(path.join(folder, 'history.json'))).toBe(false);
  });
});

function countsOf({ totals, verdicts, pools }: GembaReport): object {
  const {
    tests,
    passed,
    failed,
    flaky,
    skipped,
    leases,
    calls,
    requests,
    successes,
    failures,
    requestRetries,
  } = totals;
  const counts = {
    tests,
    passed,
    failed,
    flaky,
    skipped,
    leases,
    calls,
    requests,
    successes,
    failures,
    requestRetries,
  };
  const members = pools.map(({ name, endpoints, keys }) => {
    const each = endpoints.map((member) => ({
      requests: member.requests,
      failures: member.failures,
      kinds: member.kinds,
    }));
    const requestsOfKeys = keys.reduce((sum, key) => sum + key.requests, 0);
    return { name, each, requestsOfKeys };
  });
  return {
    counts,
    rates: [totals.successRate, totals.degraded, totals.pinned],
    verdicts,
    members: members.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
