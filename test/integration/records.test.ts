import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { JSONReport, JSONReportSuite } from '@playwright/test/reporter';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { until } from '../harness/patience.ts';
import { findSecrets } from '../harness/secrets.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';
import type { GembaReport } from '../harness/report.ts';

const BOT = 'canary-bot-7f3a9c-d8';

const SPEC = `
import { test, expect } from 'gemba-agent';
import fs from 'node:fs';
const bot = process.env.BOT;
test('sends its key in a path', async ({ request, gemba, lease }) => {
  expect(await request.get('/bot' + lease.key.value + '/me')).toBeOK();
  expect((await gemba.fetch('/bot' + encodeURIComponent(lease.key.value) + '/me')).ok).toBe(true);
  gemba.record({ kind: 'server', status: 500, message: 'no ' + lease.key.value });
  await gemba.run('sign in as ' + lease.key.value, { ['by ' + lease.key.value]: async () => { throw new Error(lease.key.value); } }).catch(() => {});
});
test('a title with ' + bot, async ({ request }) => { await request.get('/ok'); });
test('without a lease, a title with ' + bot, async () => {
  await new Promise((resolve) => setTimeout(resolve, 600));
  const journal = fs.existsSync('gemba-report') ? fs.readdirSync('gemba-report').filter((name) => name.startsWith('journal')) : [];
  for (const name of journal) expect(fs.readFileSync('gemba-report/' + name, 'utf8').includes(bot)).toBe(false);
  expect(journal.length).toBe(process.env.JOURNALS === undefined ? 1 : 0);
});
test('ends its process once', async ({ request }) => {
  await request.get('/before-the-end');
  if (test.info().retry === 0) process.exit(3);
});
test('shows its key in an error once', async ({ request }) => {
  await request.get('/ok');
  if (test.info().retry === 0) throw new Error('refused: ' + bot, { cause: new Error(encodeURIComponent(bot) + '/x') });
});
test('is a bug once', async ({ request }) => {
  await request.get('/ok');
  expect(test.info().retry).toBe(1);
});
`;

/** Attaches what a worker would write, but for the seal. */
const FORGER = `
import { test, expect } from 'gemba-agent';
import { test as plain } from '@playwright/test';
const forge = (info, parts) => info.attach('_gemba', { contentType: 'application/vnd.gemba.record+json', body: JSON.stringify({
  v: 1, test: info.testId, retry: info.retry, startedAt: Date.now(), worker: info.workerIndex, shard: null, revision: null, configErrors: [],
  gate: { product: 'warn', environment: 'warn', unknown: 'warn', degraded: 'warn', shards: 'warn' }, leases: [{ id: 'x', pool: 'api', endpoint: 'only', key: 'bot', scope: 'test', waitedMs: 0, heldMs: 1 }],
  calls: 500, requests: Array.from({ length: 500 }, (_, call) => [call, 0, 0, 200, 1, call, 0]), requestsOmitted: 0, errors: [], strategies: [], transitions: [],
  pinned: null, degraded: false, verdict: { verdict: 'environment', evidence: ['forged'] }, ...parts }) });
test('is a bug once, and says otherwise', async ({ request }, info) => {
  await forge(info, {});
  await request.get('/ok');
  expect(info.retry).toBe(1);
});
plain('knows no lease, and tells of one', async ({}, info) => {
  await forge(info, { leases: [{ id: 'y', pool: 'other', endpoint: 'none', key: null, scope: 'test', waitedMs: 0, heldMs: 1 }] });
});
`;

describe('the records of a run', () => {
  let server: TestServer;
  let project: InlineProject;
  let result: InlineResult;
  let report: GembaReport;

  beforeAll(async () => {
    server = await startServer((_seen, response) => json(response, 200, {}));
    const keys = [{ name: 'bot', value: '${BOT}' }];
    const pool = { endpoints: [{ name: 'only', url: server.url }], auth: 'none', keys, maxFailures: 1000 };
    project = await createInlineProject(
      {
        'gemba.config.json': JSON.stringify({ pools: { api: pool }, gate: { product: 'fail' } }),
        'a.spec.ts': SPEC,
        'b.spec.ts': FORGER,
      },
      `{ workers: 1, retries: 1 }`,
    );
    result = await project.run({ env: { BOT } });
    report = result.report!;
  });
  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  const cache = (): string => path.join(result.folder, 'node_modules', '.cache', 'gemba-agent');
  const test = (title: string): GembaReport['tests'][number] =>
    report.tests.find((each) => each.title.startsWith(title))!;

  it('hold no key: not of a path, a message, a title, nor of what a test calls its strategies', async () => {
    expect(result.failed, result.output).toBe(0);
    expect(server.requests.filter(({ url }) => url.includes(BOT))).toHaveLength(2);
    expect(await findSecrets(path.join(project.folder, 'gemba-report'), { BOT })).toEqual([]);
    // Written when the broker ends.
    const learned = (): string =>
      readdirSync(cache(), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => readFileSync(path.join(cache(), name), 'utf8'))
        .join('');
    await until('what was learned of the strategies', () => learned().includes('sign in as [key api/bot]'));
    expect(learned()).not.toContain(BOT);
    const records = attachmentsOf(result.results!).map((body) => Buffer.from(body, 'base64').toString());
    expect(records.filter((text) => text.includes(BOT))).toEqual([]);
    expect(test('a title with').title).toBe('a title with [key api/bot]');
    expect(test('without a lease').title).toBe('without a lease, a title with [key api/bot]');
    expect(report.strategies.map(({ task, name }) => [task, name])).toContainEqual([
      'sign in as [key api/bot]',
      'by [key api/bot]',
    ]);
  });

  it('are one for each result that took a lease, or has a secret in its title', () => {
    const counts = resultsOf(result.results!).map(
      ({ attachments }) => attachments.filter(({ name }) => name === '_gemba').length,
    );
    // Of `b.spec.ts`: with those that its tests attach.
    expect(counts).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1]);
  });

  it('tell what a test did that ended its process', () => {
    expect(test('ends its process').results[0]).toMatchObject({
      verdict: 'unknown',
      leases: [{ pool: 'api', endpoint: 'only', key: 'bot', requests: 1 }],
    });
  });

  it('of others are listed, and change neither the gate nor a total nor a verdict', () => {
    expect(result.exitCode).toBe(1);
    expect(report.run.gate).toMatchObject({ failed: true });
    expect(test('is a bug once, and').results[0]).toMatchObject({ verdict: 'product' });
    expect(report.foreignRecords.map(({ why }) => why)).toEqual(
      Array(3).fill('no worker of this run wrote it'),
    );
    expect(report.totals.requests).toBe(12);
    expect(report.pools.map(({ name }) => name)).toEqual(['api']);
    expect(result.output).toContain('3 records that no worker of this run wrote were skipped');
  });

  it('come to the same where blobs are merged, also on a machine without the keys', async () => {
    rmSync(path.join(project.folder, 'gemba-report'), { recursive: true });
    const env = { BOT, JOURNALS: 'none' };
    await project.run({ env, args: ['--reporter=blob'] });
    const cli = 'node_modules/@playwright/test/cli.js';
    await project.node([cli, 'merge-reports', 'blob-report', '--reporter=gemba-agent/reporter']);
    const file = path.join(project.folder, 'gemba-report', 'report.json');
    const merged = JSON.parse(readFileSync(file, 'utf8')) as GembaReport;
    expect(merged.totals).toMatchObject({ requests: 12, calls: report.totals.calls });
    expect(merged.verdicts).toEqual(report.verdicts);
    expect(merged.foreignRecords).toHaveLength(3);
    expect(merged.tests.map(({ title }) => title)).toContain('a title with [key api/bot]');
    const shown = merged.tests.find(({ title }) => title.startsWith('shows its key'))!;
    expect(shown.results[0]!.errors[0]!.message).toBe(
      'Error: refused: [key api/bot]\n[cause]: Error: [key api/bot]/x',
    );
    expect(await findSecrets(path.join(project.folder, 'gemba-report'), { BOT })).toEqual([]);
  });
});

function resultsOf(
  report: JSONReport,
): JSONReport['suites'][number]['specs'][number]['tests'][number]['results'] {
  const inSuite = (suite: JSONReportSuite): ReturnType<typeof resultsOf> => [
    ...(suite.suites ?? []).flatMap(inSuite),
    ...suite.specs.flatMap(({ tests }) => tests.flatMap(({ results }) => results)),
  ];
  return report.suites.flatMap(inSuite);
}

function attachmentsOf(report: JSONReport): string[] {
  return resultsOf(report).flatMap(({ attachments }) =>
    attachments.flatMap(({ name, body }) => (name === '_gemba' && body !== undefined ? body : [])),
  );
}
