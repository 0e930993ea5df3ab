import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GembaReport } from '../harness/report.ts';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { deadUrl, json, startServer, type TestServer } from '../harness/servers.ts';

const SPEC = `
import { appendFileSync } from 'node:fs';
import { test, expect } from 'gemba-agent';
const log = (line) => appendFileSync('ran.log', line + '\\n');
test.beforeEach(() => log('hook of ' + test.info().title + ' ' + test.info().retry));
const scenario = (title, body) => test(title, async ({ gemba, request }) => {
  log(title + ' ' + test.info().retry);
  await body({ gemba, request, retry: test.info().retry });
});
/** Fails on the first attempt's endpoint, which refuses connections. */
const visit = async (gemba) => {
  const lease = await gemba.lease({ pool: 'mixed' });
  const answered = await fetch(lease.endpoint.url).catch(() => null);
  gemba.record({ kind: answered ? 'ok' : 'network', message: answered ? undefined : 'ECONNREFUSED', lease });
  expect(answered).not.toBeNull();
};
const bug = async (request) => { await request.get('/'); expect('shown').toBe('expected'); };

scenario('product', ({ request }) => bug(request));
scenario('environment', ({ gemba }) => visit(gemba));
scenario('environment, then product', ({ gemba, request, retry }) => retry === 0 ? visit(gemba) : bug(request));
scenario('killed', async ({ retry }) => { if (retry === 0) process.kill(process.pid, 'SIGKILL'); });
test('without a lease', async () => { log('without a lease ' + test.info().retry); expect(1).toBe(2); });
test.describe('serial by product', () => {
  test.describe.configure({ mode: 'serial' });
  scenario('s1 goes well', ({ request }) => request.get('/'));
  scenario('s2 fails', ({ request }) => bug(request));
  scenario('s3 follows', () => {});
});
test.describe('serial by environment', () => {
  test.describe.configure({ mode: 'serial' });
  scenario('e1 goes well', ({ request }) => request.get('/'));
  scenario('e2 is hit', ({ gemba }) => visit(gemba));
  scenario('e3 follows', () => {});
});
`;

describe('"retryTests": "environment"', () => {
  let server: TestServer;
  let project: InlineProject;
  let result: InlineResult;
  let ran: string[];

  beforeAll(async () => {
    server = await startServer((_seen, response) => json(response, 200, {}));
    const mixed = {
      endpoints: [
        { name: 'dead', url: await deadUrl(), priority: 0 },
        { name: 'alive', url: server.url, priority: 1 },
      ],
      routing: 'priority',
      maxFailures: 100,
      ejection: { base: 1, max: 1 },
    };
    const config = { pools: { default: { endpoints: [server.url] }, mixed }, retryTests: 'environment' };
    project = await createInlineProject(
      { 'gemba.config.json': JSON.stringify(config), 'reruns.spec.ts': SPEC },
      '{ workers: 2, retries: 2 }',
    );
    result = await project.run();
    ran = readFileSync(path.join(project.folder, 'ran.log'), 'utf8').trim().split('\n');
  });

  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  const bodiesOf = (title: string): string[] =>
    ran.filter((line) => line.startsWith(`${title} `) && /\d$/.test(line));
  const testOf = (title: string): GembaReport['tests'][number] =>
    result.report!.tests.find((test) => test.title.endsWith(title))!;
  const verdictsOf = (title: string): unknown[] =>
    testOf(title).results.map(({ status, verdict }) => `${status} ${verdict}`);

  it('runs no test again that failed by the product, and no hook of it', () => {
    expect(bodiesOf('product')).toEqual(['product 0']);
    expect(bodiesOf('hook of product')).toEqual(['hook of product 0']);
    expect(testOf('product').status).toBe('unexpected');
    expect(verdictsOf('product')).toEqual(['failed product', 'failed product', 'failed product']);
    expect(testOf('product').results[1]!.evidence.join()).toMatch(
      /not run again: it failed by the product in attempt 1 \(its 1 request did not end in a fault/,
    );
    expect(result.output).toContain('"retryTests": "environment"');
  });

  it('runs one again that the environment failed, elsewhere', () => {
    expect(bodiesOf('environment')).toEqual(['environment 0', 'environment 1']);
    expect(verdictsOf('environment')).toEqual(['failed environment', 'passed null']);
    const endpoints = testOf('environment').results.map(({ leases }) =>
      leases.map(({ endpoint }) => endpoint),
    );
    expect(endpoints).toEqual([expect.arrayContaining(['dead']), expect.not.arrayContaining(['dead'])]);
  });

  it('ends with the first product failure, also after others', () => {
    expect(bodiesOf('environment, then product')).toHaveLength(2);
    expect(verdictsOf('environment, then product')).toEqual([
      'failed environment',
      'failed product',
      'failed product',
    ]);
    expect(testOf('environment, then product').verdict).toBe('product');
  });

  it('is told by Playwright’s own reports too: each failed attempt says whose it is', () => {
    const specs = result
      .results!.suites.flatMap((suite) => [suite, ...(suite.suites ?? [])])
      .flatMap(({ specs }) => specs);
    const failed = specs
      .flatMap(({ tests }) => tests.flatMap((test) => test.results.map((each) => ({ test, each }))))
      .filter(
        ({ each }) => each.status === 'failed' && !each.error?.message?.includes('worker process exited'),
      );
    expect(failed.length).toBeGreaterThan(10);
    for (const { test, each } of failed) {
      // Older versions keep the annotations of a test's last attempt only.
      const annotations = 'annotations' in each ? each.annotations : test.annotations;
      if ('annotations' in each || test.status === 'unexpected')
        expect(annotations.filter(({ type }) => type === 'gemba')).toHaveLength(1);
    }
  });

  it('runs one again where nobody can say', () => {
    expect(bodiesOf('killed')).toHaveLength(2);
    expect(bodiesOf('without a lease')).toHaveLength(3);
    expect(verdictsOf('without a lease')).toEqual(['failed unknown', 'failed unknown', 'failed unknown']);
  });

  it('ends the reruns of a serial group with one product failure, and not those of another group', () => {
    expect(bodiesOf('s2 fails')).toEqual(['s2 fails 0']);
    expect(testOf('s2 fails').status).toBe('unexpected');
    if (tellsGroups(result)) {
      expect(bodiesOf('s1 goes well')).toEqual(['s1 goes well 0']);
      expect(testOf('s1 goes well').results.at(-1)!.evidence.join()).toContain(
        's2 fails" of its serial group failed by the product in attempt 1',
      );
    }
    expect(bodiesOf('e1 goes well')).toHaveLength(2);
    expect(bodiesOf('e3 follows')).toHaveLength(1);
    expect(testOf('e2 is hit').status).toBe('flaky');
  });
});

/** Playwright says which serial group a test is of since 1.63. */
function tellsGroups({ results }: InlineResult): boolean {
  const [major = 0, minor = 0] = results!.config.version.split('.').map(Number);
  return major > 1 || minor >= 63;
}
