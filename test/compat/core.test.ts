import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GembaReport, reportSchema } from '../harness/report.ts';
import type { InlineResult } from '../harness/run-inline-test.ts';
import {
  requestsOf,
  type CoreProject,
  createCoreProject,
  loadsScripts,
  moduleKind,
  readOf,
  testOf,
} from './project.ts';

describe(`in ${moduleKind === 'esm' ? 'an ESM' : 'a CommonJS'} project`, () => {
  let project: CoreProject;
  let result: InlineResult;
  let report: GembaReport;

  beforeAll(async () => {
    project = await createCoreProject();
    const args = project.hasBrowser ? [] : ['--grep-invert', 'page'];
    result = await project.run({ args, timeoutMs: 280_000 });
    report = reportSchema.parse(result.report);
  });

  afterAll(() => project.cleanup());

  const requests = (title: string): string[] => requestsOf(result, title);
  const pool = (name: string): GembaReport['pools'][number] => report.pools.find((one) => one.name === name)!;

  it('runs as many tests as it has, and fails those that are meant to', () => {
    const failing = ['fails by the product', 'begins well', 'fails then by the product'];
    const failed = report.tests.filter(({ status }) => status === 'unexpected').map(({ title }) => title);
    const meant = failed.filter((title) => failing.some((one) => title.endsWith(one)));
    expect(failed, result.output).toEqual(meant);
    expect(report.totals.tests).toBe((project.hasBrowser ? 28 : 26) + (loadsScripts ? 1 : 0));
    expect(result.exitCode).toBe(1);
  });

  it('keys of one holder at a time: over several workers, with nobody refused', () => {
    for (let index = 0; index < 8; index++) expect(requests(`uses an account ${index}`)).toEqual(['passed']);
    expect(project.accounts.refused()).toBe(0);
    expect(project.accounts.mostAtOnce()).toBe(2);
    expect(
      pool('accounts')
        .keys.map(({ leases }) => leases)
        .reduce((a, b) => a + b),
    ).toBe(8);
  });

  it.each([
    ['key and base URL on request', 'request has key and base URL'],
    ['labels', 'chooses the key'],
    ['a first call that moves', 'has its first call moved'],
    ['workerLease', 'the worker has a lease of its own'],
    ['gemba.fetch', 'gemba.fetch has key and base URL'],
    ['gemba.run', 'gemba.run falls back'],
    ['mergeTests', 'mergeTests keeps both'],
    ['gembaFixtures', 'a test type of their own'],
    ['a wait in a hook', 'that waits has its own time extended'],
    ['a wait in what polls', 'what polls begins no wait beyond its time'],
    ['an edit of the configuration in a run', 'obeys an edit'],
    ...(loadsScripts ? [['a spec in JavaScript', 'a script leases'] as const] : []),
  ] as const)('%s', (_feature, title) => {
    expect(requests(title), result.output).toEqual(['passed']);
  });

  it('a first call that moves is told as the endpoint’s fault', () => {
    const dead = pool('moved').endpoints.find(({ name }) => name === 'dead')!;
    expect(dead.failures).toBeGreaterThan(0);
    expect(dead.successes).toBe(0);
  });

  it('gemba.run marks the test as degraded', () => {
    expect(report.tests.find(({ title }) => title.endsWith('gemba.run falls back'))!.degraded).toBe(true);
  });

  it('key and base URL on page', (context) => {
    if (!project.hasBrowser) return context.skip('no Chromium here');
    if (/browserType\.launch/.test(result.output))
      return context.skip('this Playwright does not drive the Chromium here');
    expect(requests('page has key and base URL'), result.output).toEqual(['passed']);
    expect(requests('a page has its first navigation moved'), result.output).toEqual(['passed']);
  });

  it('a verdict as an annotation', () => {
    const { annotations } = testOf(result, 'fails by the product');
    expect(annotations.filter(({ type }) => type === 'gemba')).toMatchObject([
      { description: expect.stringMatching(/^product: /) as unknown },
    ]);
  });

  it('retryTests: environment runs a product failure once', () => {
    expect(requests('fails by the product')).toEqual(['failed', 'failed']);
    expect(bodies('product')).toBe(1);
  });

  it('retryTests: environment runs a serial group with a product failure once, from 1.63 on', () => {
    // Before, Playwright does not say which group a test is of: the failed test alone is not run again.
    expect(bodies('group')).toBe(atLeast(result, 63) ? 1 : 2);
    expect(bodies('failing in a group')).toBe(1);
  });

  it('a rerun on another member', () => {
    expect(requests('fails first by the environment')).toEqual(['failed', 'passed']);
    const { results } = report.tests.find(({ title }) => title.endsWith('fails first by the environment'))!;
    expect(results.map(({ leases }) => leases.map(({ endpoint }) => endpoint))).toEqual([
      ['dead'],
      ['alive'],
    ]);
    expect(results[0]!.verdict).toBe('environment');
  });

  it('a killed worker’s lease returns', () => {
    expect(requests('is given back by a killed worker')).toEqual(['failed', 'passed']);
    expect(requests('goes to the next')).toEqual(['passed']);
  });

  it('the report: a page, numbers and a summary line', () => {
    expect(result.output).toMatch(/^Gemba: \d+ of \d+ passed/m);
    expect(report.run.playwright).toBe(result.results!.config.version);
    expect(report.totals.leases).toBeGreaterThan(20);
    const page = readOf(project.folder, 'gemba-report/index.html');
    expect(page).toContain('fails by the product');
    // Playwright's own complaints, such as of an attachment whose step it does not find.
    expect(result.output).not.toContain('Internal error');
    for (const text of [page, result.output, JSON.stringify(result.results)])
      expect(text).not.toMatch(/compat-(key|account)-/);
  });

  const bodies = (name: string): number =>
    readOf(project.folder, 'bodies.log')
      .split('\n')
      .filter((line) => line === name).length;
});

function atLeast({ results }: InlineResult, minor: number): boolean {
  const [major = 0, own = 0] = results!.config.version.split('.').map(Number);
  return major > 1 || own >= minor;
}
