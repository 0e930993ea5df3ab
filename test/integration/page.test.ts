import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Report, ReportMember, ReportRequest, ReportTest } from '../../src/reporter/report/model.ts';
import { duration } from '../../src/shared/format.ts';
import { MISSING_MS } from '../harness/patience.ts';
import { pagesFolder, type Pages, sampleReport } from '../harness/sample-page.ts';
import { findChromium } from '../harness/servers.ts';
import { type FakeAttempt, type FakeTest, leased, reportOf, START } from '../unit/reporter/synthetic.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 375, height: 800 };

let browser: Browser;
let pages: Pages;
let report: Report;
let address: string;
/** What a page did that it must not: errors, warnings, requests, dialogs. */
let trouble: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch(findChromium());
  pages = await pagesFolder();
  const sample = sampleReport();
  report = sample.report;
  address = await pages.write('sample', report, sample.history);
});
afterAll(async () => {
  await browser.close();
  await pages.cleanup();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  const seen = trouble;
  trouble = [];
  expect(seen).toEqual([]);
});

async function open(url: string = address, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  context.setDefaultTimeout(MISSING_MS);
  const page = await context.newPage();
  page.on('console', (message) => trouble.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => void (trouble.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) trouble.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false)
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
  return page;
}

/** Where the focus is, and the ring around it. */
interface Stop {
  readonly name: string;
  readonly stop: string;
  readonly outlineStyle: string;
  readonly outlineWidth: string;
}
/** One of a group of radio buttons is a stop; the arrow keys go on from there. */
const COUNT_STOPS = `[...document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]')]
  .filter((control) => control.checkVisibility() && !(control.type === 'radio' && !control.checked)).length`;
const READ_STOP = `(() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const shown = element.matches('.pills input') ? element.nextElementSibling : element;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  element.dataset.stop ??= String(document.querySelectorAll('[data-stop]').length);
  return { name: element.outerHTML.slice(0, 100), stop: element.dataset.stop, outlineStyle, outlineWidth };
})()`;

const rows = (page: Page) => page.locator('#tests-rows > tr[data-test]');
const errorRows = (page: Page) => page.locator('#errors-rows > tr');

/** Opens all that opens. */
async function unfold(page: Page): Promise<void> {
  const more = page.locator('button[data-rest]');
  while ((await more.count()) > 0) await more.first().press('Enter');
  const moreMembers = page.locator('button[data-more-members]:visible');
  for (const members of await moreMembers.all()) await members.press('Enter');
  // The tables are listed anew then: a key pressed meanwhile would go to a row that is no more.
  await expect.poll(() => moreMembers.count()).toBe(0);
  await page.locator('tr[data-member] button').first().press('Enter');
  await page.locator('tr.member-details').waitFor();
  for (const summary of await page.locator('#answer summary').all()) await summary.press('Enter');
  await rows(page).first().getByRole('button').press('Enter');
  await page.locator('tr.details').waitFor();
}

describe('the page', () => {
  it('shows verdicts, numbers and causes above the fold', async () => {
    const page = await open();
    const { height } = WIDE;
    expect(await page.locator('h1').textContent()).toMatch(
      /^\d+ of 1,200 tests failed: \d+ product failures?, \d+ environment failures?\.$/,
    );
    const cause = page.locator('.verdict.environment li').first();
    expect(await cause.textContent()).toMatch(
      /^Endpoint api\/eu refused connections\d+ tests, 02:1\d–02:2\d/,
    );
    const box = (await cause.boundingBox())!;
    expect(box.y + box.height).toBeLessThan(height);
  });

  // No width changes a colour, and no colour a layout.
  it.each([
    ['light', NARROW],
    ['dark', WIDE],
  ] as const)('has no accessibility violations: %s, %o', async (colorScheme, viewport) => {
    const page = await open(address, { colorScheme, viewport, bypassCSP: true });
    await unfold(page);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    expect(violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`)).toEqual([]);
  });

  it('does not scroll sideways at 375 px with everything open', async () => {
    const page = await open(address, { viewport: NARROW });
    await unfold(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(NARROW.width);
  });

  it('reaches every control by keyboard, with a visible focus', async () => {
    const page = await open();
    const wanted = await page.evaluate<number>(COUNT_STOPS);
    const seen = new Set<string>();
    const unseen: string[] = [];
    for (let step = 0; step < wanted + 5; step++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate<Stop | null>(READ_STOP);
      if (!at) continue;
      seen.add(at.stop);
      if (at.outlineStyle === 'none' || Number.parseFloat(at.outlineWidth) < 2) unseen.push(at.name);
    }
    expect(unseen).toEqual([]);
    expect(seen.size).toBe(wanted);
  });

  it('works by the keyboard: outcome, test, moment of the timeline, theme, more rows', async () => {
    const page = await open();
    await page.getByRole('radio', { name: /^All/ }).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => rows(page).count()).toBe(report.totals.failed);
    await rows(page).first().getByRole('button').focus();
    await page.keyboard.press('Enter');
    await page.locator('tr.details').waitFor();
    await page.locator('#plots').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#readout').textContent()).toMatch(
      /^02:01:00–02:02:00: [\d,]+ requests, \d+ failed, average response \d+ ms$/,
    );
    await page.getByRole('button', { name: 'Dark theme' }).focus();
    await page.keyboard.press('Space');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(20, 22, 25)');
    const members = page.locator('#pool-1 ~ .scroll').last();
    const before = await members.locator('tbody tr').count();
    await page.getByRole('button', { name: /more keys/ }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => members.locator('tbody tr').count()).toBeGreaterThan(before);
    await expect.poll(() => page.locator('.scroll:focus').count()).toBe(1);
  });

  it('is complete without a script, and shows no control that needs one', async () => {
    const page = await open(address, { javaScriptEnabled: false });
    expect(await rows(page).count()).toBe(30);
    expect(await page.locator('.needs-script').evaluateAll((all) => all.length)).toBeGreaterThan(5);
    const cause = page.locator('.verdict.product li').first();
    expect(await cause.textContent()).toMatch(/expect\(total\)\.toBe\(43\) at helpers\/basket\.ts:\d+/);
    await cause.locator('summary').click();
    expect(await cause.locator('pre').first().isVisible()).toBe(true);
    expect(await cause.locator('pre').allTextContents()).toEqual([
      expect.stringContaining('Expected: 43'),
      expect.stringContaining('expect(total).toBe(43);'),
    ]);
    for (const control of await page.locator('select, input, #theme, button.more').all()) {
      expect(await control.isVisible()).toBe(false);
    }
  });

  it('prints light, without controls', async () => {
    const page = await open(address, { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    for (const control of await page.locator('header, .filters, .more').all())
      expect(await control.isVisible()).toBe(false);
    expect(await page.locator('h1').isVisible()).toBe(true);
  });
});

describe('the tests', () => {
  it('are filtered by the address, so that a link shows the same', async () => {
    const page = await open();
    await page.getByRole('radio', { name: /^Flaky/ }).check();
    await page.locator('#tests').getByLabel('Verdict').selectOption('environment');
    await page.getByLabel('Search tests').fill('api/us');
    const found = report.tests.filter(
      ({ status, verdict, results }) =>
        status === 'flaky' &&
        verdict === 'environment' &&
        results.some(({ leases }) => leases.some(({ endpoint }) => endpoint === 'us')),
    );
    expect(found.length).toBeGreaterThan(0);
    await expect.poll(() => rows(page).count()).toBe(found.length);
    expect(new URL(page.url()).search).toBe('?outcome=flaky&verdict=environment&text=api%2Fus');
    const again = await open(page.url());
    expect(await rows(again).count()).toBe(found.length);
    expect(await again.getByRole('radio', { name: /^Flaky/ }).isChecked()).toBe(true);
    await again.locator('#tests-clear').click();
    await expect.poll(() => rows(again).count()).toBe(50);
    expect(new URL(again.url()).search).toBe('');
  });

  it('are filtered by file, project and tag; Back returns to the filters before; paper says what was filtered', async () => {
    const tagged = report.tests.map((test, index) => ({ ...test, tags: index % 10 === 0 ? ['@smoke'] : [] }));
    const page = await open(await pages.write('tagged', { ...report, tests: tagged }));
    const tests = page.locator('#tests');
    const [file] = tagged.map((test) => test.file);
    const found = { file: tagged.filter((test) => test.file === file) };
    const mobile = found.file.filter(({ project }) => project === 'mobile');
    const smoke = mobile.filter(({ tags }) => tags.length > 0);
    expect(smoke.length).toBeGreaterThan(0);
    expect(smoke.length).toBeLessThan(mobile.length);
    const shows = (count: number): Promise<void> =>
      expect
        .poll(() => page.locator('#tests-shown').textContent())
        .toMatch(new RegExp(`of ${count.toLocaleString('en')} tests?$`));
    await tests.getByLabel('File').focus();
    await tests.getByLabel('File').selectOption(file!);
    await shows(found.file.length);
    await tests.getByLabel('Project').selectOption('mobile');
    await shows(mobile.length);
    await tests.getByLabel('Tag').selectOption('@smoke');
    await shows(smoke.length);
    await tests.getByLabel('Search tests').pressSequentially('nothing', { delay: 150 });
    await shows(0);
    expect(new URL(page.url()).searchParams.get('text')).toBe('nothing');
    await page.goBack();
    await shows(smoke.length);
    expect(await tests.getByLabel('Search tests').inputValue()).toBe('');
    await page.goBack();
    await shows(mobile.length);
    expect(await tests.getByLabel('Tag').inputValue()).toBe('');
    await page.emulateMedia({ media: 'print' });
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector('#tests-title'), '::after').content`),
    ).toContain('Project: mobile');
    expect(await page.locator('#tests-title').getAttribute('data-filters')).toBe(
      `File: ${file} (${found.file.length}); Project: mobile (${tagged.filter(({ project }) => project === 'mobile').length})`,
    );
    await page.goForward();
    await shows(smoke.length);
  });

  it('are marked and found as degraded, pinned or not measured', async () => {
    const page = await open();
    const { degraded, pinned, unmeasured } = report.totals;
    for (const [mark, count] of [
      ['degraded', degraded],
      ['pinned', pinned],
      ['not measured', unmeasured],
    ] as const) {
      expect(count).toBeGreaterThan(0);
      await page.getByLabel('Marked').selectOption(mark);
      await expect
        .poll(() => page.locator('#tests-shown').textContent())
        .toMatch(new RegExp(`of ${count} tests$`));
      await page.locator('#tests-rows em', { hasText: mark }).first().waitFor();
    }
  });

  it('are listed by cause', async () => {
    const page = await open();
    const cause = report.causes.find(({ verdict }) => verdict === 'environment')!;
    await page.getByRole('button', { name: /Show tests: Endpoint api\/eu refused connections/ }).click();
    await expect.poll(() => rows(page).count()).toBe(cause.tests.length);
    expect(await page.locator('#cause-text').textContent()).toBe('Only: endpoint api/eu refused connections');
    await page.getByRole('button', { name: 'Show all tests' }).click();
    await expect.poll(() => rows(page).count()).toBe(50);
  });

  it('show why and what next: error, code, place, requests, memory; the error can be copied', async () => {
    const failed = report.tests.find(
      ({ status, verdict }) => status === 'unexpected' && verdict === 'product',
    )!;
    const [result] = failed.results;
    const [error] = result!.errors;
    const page = await open(`${address}#test=${failed.id}`);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const row = page.locator('#tests-rows > tr[data-test]', { has: page.getByText(failed.title) }).first();
    expect(await row.locator('svg').getAttribute('aria-label')).toMatch(
      /^Last \d+ runs: .*failed by the product/,
    );
    expect(await row.textContent()).toMatch(/new failure|still failing since \d{4}-\d\d-\d\d/);
    const attempt = page.locator('tr.details .attempt').first();
    expect(await attempt.locator('.failure code').textContent()).toBe(
      `${error!.file}:${error!.line}:${error!.column}`,
    );
    expect(await attempt.locator('pre').allTextContents()).toEqual([error!.message, error!.snippet]);
    expect(await attempt.locator('mark').textContent()).toContain('expect(total).toBe(43)');
    const requests = attempt.locator('.waterfall tbody tr');
    expect(await requests.count()).toBe(result!.requests.length);
    expect(await requests.first().textContent()).toContain(String(result!.requests[0]!.status));
    expect(await requests.locator('svg rect').count()).toBeGreaterThanOrEqual(result!.requests.length);
    await attempt.getByRole('button', { name: /^Copy error/ }).press('Enter');
    await attempt.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      [`${error!.file}:${error!.line}:${error!.column}`, error!.message, error!.snippet].join('\n\n'),
    );
  });

  it('link to Playwright’s report, trace and CI run, and to nothing that runs', async () => {
    const trace = '../test-results/a/trace.zip';
    const results: FakeTest['results'] = [{ status: 'failed', error: 'Error: no', trace }];
    const links = { playwrightReport: '../playwright-report/index.html', ci: 'https://ci.example.test/1' };
    const facts = { links, git: { branch: 'feature/totals', commit: '0a1b2c3d4e5f' } };
    const page = await open(
      `${await pages.write('links', reportOf([{ title: 'a', id: 'x', results }], facts))}#test=x`,
    );
    const href = (name: string): Promise<string | null> =>
      page.getByRole('link', { name, exact: true }).getAttribute('href');
    expect(await href('Playwright’s report')).toBe(links.playwrightReport);
    expect(await href('CI run')).toBe(links.ci);
    expect(await href('Trace')).toBe(trace);
    expect(await href('Open in Playwright’s report')).toBe(`${links.playwrightReport}#?testId=x`);
    expect(await page.locator('.facts').textContent()).toContain('feature/totals');
    expect(await page.locator('.facts').textContent()).toContain('0a1b2c3d4e');
    const evil = reportOf(
      [{ title: 'a', id: 'x', results: [{ ...results[0], trace: 'javascript:alert(1)' }] }],
      {
        links: { playwrightReport: 'javascript:alert(2)', ci: 'data:text/html,<script>alert(3)</script>' },
        git: { branch: '<img src=x onerror=alert(4)>', commit: '"><script>alert(5)</script>' },
      },
    );
    const hostile = await open(`${await pages.write('evil', evil)}#test=x`);
    await hostile.locator('tr.details').waitFor();
    const hrefs = await hostile.locator('a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    expect(hrefs.filter((each) => !each!.startsWith('#'))).toEqual([]);
    expect(await hostile.locator('img').count()).toBe(0);
  });

  it('open by a link with evidence, leases and faults', async () => {
    const failed = report.tests.find(
      ({ status, verdict }) => status === 'unexpected' && verdict === 'environment',
    )!;
    const page = await open(`${address}#test=${failed.id}`);
    const details = page.locator('tr.details');
    await details.waitFor();
    const text = (await details.textContent())!;
    expect(text).toContain(failed.results[0]!.evidence[0]!);
    expect(text).toContain('Retry 2');
    expect(text).toContain('connect ECONNREFUSED 203.0.113.7:443');
    expect(text).toContain('api/eu/');
    expect(await details.getByRole('link', { name: 'Link to this test' }).getAttribute('href')).toBe(
      `#test=${failed.id}`,
    );
    const client = page.locator('#extremes a').first();
    await client.click();
    await expect.poll(() => page.locator('tr.details').count()).toBe(2);
  });
});

describe('the errors', () => {
  it('are filtered by pool, member, kind, status, verdict and text, in the address', async () => {
    const page = await open();
    const errors = page.locator('#errors');
    const shows = async (count: number): Promise<void> => {
      expect(count).toBeGreaterThan(0);
      await expect
        .poll(() => page.locator('#errors-shown').textContent())
        .toMatch(new RegExp(`of ${count} errors?$`));
    };
    const limited = report.errors.filter(({ pool, kind }) => pool === 'assistant' && kind === 'rate-limit');
    await errors.getByLabel('Pool').selectOption('assistant');
    await errors.getByLabel('Kind').selectOption('rate-limit');
    await shows(limited.length);
    await errors.getByLabel('Member').selectOption('assistant/ci-1');
    await errors.getByLabel('Status').selectOption('429');
    await shows(limited.filter(({ key }) => key === 'ci-1').length);
    await errors.getByLabel('Search errors').fill('no such words');
    await expect.poll(() => errorRows(page).first().textContent()).toBe('No error matches these filters.');
    const query =
      'error-pool=assistant&error-kind=rate-limit&error-member=assistant%2Fci-1&error-status=429&error-text=no+such+words';
    expect(new URL(page.url()).search).toBe(`?${query}`);
    await page.locator('#errors-clear').click();
    await shows(report.errors.length);
    const verdicts = new Map(report.tests.map(({ id, verdict }) => [id, verdict]));
    const blamed = report.errors.filter(({ testId }) => verdicts.get(testId) === 'environment');
    const linked = await open(`${address}?error-verdict=environment`);
    expect(await errorRows(linked).count()).toBe(Math.min(50, blamed.length));
  });
});

describe('the requests', () => {
  const all = (): { request: ReportRequest; test: ReportTest }[] =>
    report.tests.flatMap((test) =>
      test.results.flatMap(({ requests }) => requests.map((request) => ({ request, test }))),
    );
  const requestRows = (page: Page) => page.locator('#requests-rows > tr');

  it('are found by path, member, status and result, in the address', async () => {
    const page = await open();
    const requests = page.locator('#requests');
    const shows = async (count: number): Promise<void> => {
      expect(count).toBeGreaterThan(0);
      const text = new RegExp(`of ${count.toLocaleString('en')} requests?$`);
      await expect.poll(() => page.locator('#requests-shown').textContent()).toMatch(text);
    };
    await shows(all().length);
    const refused = all().filter(({ request }) => request.status === 503);
    await requests.getByLabel('Status').selectOption('503');
    await shows(refused.length);
    const canary = 'ap-southeast-2-canary';
    await requests.getByLabel('Member').selectOption(`api/${canary}`);
    const byMember = refused.filter(({ request }) => request.pool === 'api' && request.endpoint === canary);
    await shows(byMember.length);
    await requests.getByLabel('Result').selectOption('recovered');
    await shows(byMember.filter(({ request }) => request.recovered === true).length);
    await requests.getByLabel('Search requests').fill('no such path');
    await expect
      .poll(() => requestRows(page).first().textContent())
      .toBe('No request matches these filters.');
    expect(new URL(page.url()).search).toBe(
      '?request-status=503&request-member=api%2Fap-southeast-2-canary&request-result=recovered&request-text=no+such+path',
    );
    await page.locator('#requests-clear').click();
    await shows(all().length);
    const basket = all().filter(({ request }) => request.path.includes('/basket/lines'));
    const linked = await open(`${address}?request-text=/BASKET/lines&request-order=slow`);
    expect(await linked.locator('#requests-shown').textContent()).toMatch(
      new RegExp(`of ${basket.length.toLocaleString('en')} requests$`),
    );
    const slowest = Math.max(...basket.map(({ request }) => request.durationMs ?? 0));
    expect(await requestRows(linked).first().locator('td').nth(4).textContent()).toBe(duration(slowest));
  });

  it('say how many are not listed, and lead to their test', async () => {
    const requests = Array.from({ length: 20_005 }, (_, call): FakeAttempt => [call, 'ok']);
    const fakes = Array.from({ length: 5 }, (_, test): FakeTest => ({
      title: `test ${test}`,
      results: [{ records: [leased('api/eu/k1', requests.slice(0, 4001))] }],
    }));
    const page = await open(await pages.write('many-requests', reportOf(fakes)));
    expect(await page.locator('#requests .sub').textContent()).toBe(
      '20,000 of 20,005 requests: all of failed attempts and of retries, and of passed attempts the first ones of the run. ' +
        '5 requests are not listed; all totals include them.',
    );
    await requestRows(page).first().getByRole('link').click();
    await page.locator('tr.details').waitFor();
  });
});

describe('the members', () => {
  /** A pool of 60 endpoints and 300 keys, of which three are not healthy. */
  function bigReport(): Report {
    const [pool] = report.pools;
    const copies = <M extends ReportMember>(base: M, name: string, number: number): M[] =>
      Array.from({ length: number }, (_, index) => {
        const state = index % 149 === 7 ? ('ejected' as const) : ('healthy' as const);
        const estimate = {
          successRate: 1 - index / 1000,
          avgMs: 100 + index,
          successRange: [0.6, 1] as const,
        };
        return {
          ...base,
          name: `${name}-${index + 1}`,
          state,
          why: state === 'healthy' ? null : '5 in a row',
          until: null,
          failures: index % 3,
          requests: 1000 - index,
          estimate,
        };
      });
    const endpoints = copies(pool!.endpoints[1]!, 'eu', 60);
    const keys = copies(pool!.keys[0]!, 'ci', 300).map((key, index) => ({
      ...key,
      tokens: index * 10,
      tokensByModel: { 'gpt-5': index * 10 },
    }));
    return { ...report, pools: [{ ...pool!, endpoints, keys }] };
  }
  const names = (page: Page, table: string): Promise<string[]> =>
    page.locator(`[data-members="${table}"] tr[data-member] th button`).allTextContents();

  it('of a big pool are a row of one line each: what is not healthy first, all on demand, in any order', async () => {
    const page = await open(await pages.write('big', bigReport()));
    expect((await names(page, 'pool-1-keys')).slice(0, 3)).toEqual(['ci-8', 'ci-157', 'ci-3']);
    const line = await page.evaluate<number[]>(
      `[...document.querySelectorAll('tr[data-member]')].map((row) => row.getBoundingClientRect().height)`,
    );
    expect(Math.max(...line)).toBeLessThan(48);
    await page.getByRole('button', { name: 'Show 292 more keys' }).press('Enter');
    await expect.poll(async () => (await names(page, 'pool-1-keys')).length).toBe(300);
    const table = page.locator('[data-members="pool-1-keys"]');
    await table.getByRole('button', { name: 'Tokens' }).press('Enter');
    await expect.poll(async () => (await names(page, 'pool-1-keys'))[0]).toBe('ci-300');
    expect(await table.locator('th[aria-sort]').textContent()).toBe('Tokens');
    expect(new URL(page.url()).search).toBe('?member-sort=tokens');
    const again = await open(page.url());
    expect((await names(again, 'pool-1-keys'))[0]).toBe('ci-300');
    expect(await again.locator('[data-members="pool-1-keys"] .estimate').first().textContent()).toBe(
      '70.1 %',
    );
  });

  it('are found by name, state and reason, in the address', async () => {
    const page = await open(await pages.write('big', bigReport()));
    await page.locator('#pools').getByLabel('State').selectOption('ejected');
    await expect.poll(() => names(page, 'pool-1-keys')).toEqual(['ci-8', 'ci-157']);
    expect(await names(page, 'pool-1-endpoints')).toEqual(['eu-8']);
    await page.getByLabel('Search members').fill('CI-157 row');
    await expect.poll(() => names(page, 'pool-1-keys')).toEqual(['ci-157']);
    expect(await page.locator('[data-members="pool-1-endpoints"]').isVisible()).toBe(false);
    const row = page.locator('tr[data-member]:visible');
    await row.getByRole('button').press('Enter');
    const details = page.locator('.member-details');
    await details.waitFor();
    expect(await details.textContent()).toContain('Tokens1,560 (gpt-5: 1,560)');
    expect(await details.textContent()).toContain('estimated 84.4 % (60 % to 100 %), 256 ms');
    expect(new URL(page.url()).search).toBe('?member-state=ejected&member-text=CI-157+row');
    await page.getByLabel('Search members').fill('nobody');
    await page.getByText('No member matches these filters.').waitFor();
    await page.locator('#members-clear').click();
    await expect.poll(async () => (await names(page, 'pool-1-keys')).length).toBe(8);
  });

  it('show their details without a script', async () => {
    const page = await open(await pages.write('big', bigReport()), { javaScriptEnabled: false });
    const row = page.locator('[data-members="pool-1-keys"] tr[data-member]').first();
    expect(await row.textContent()).toContain('Failures');
    expect(await row.locator('noscript').isVisible()).toBe(true);
  });
});

describe('a run', () => {
  it('shows hostile titles, errors, addresses and names as text', async () => {
    const hostile = `</script><script>alert(1)</script><img src="https://evil.example/x" onerror="alert(2)">{{title}}`;
    const member = { pool: hostile, endpoint: 'eu', key: null, from: 'healthy', to: 'ejected' } as const;
    const record = leased(`api/eu/${hostile.replaceAll('/', '|')}`, [[0, 'server', 503]], {
      memberList: [
        {
          name: hostile,
          endpoints: [{ name: 'eu', url: `https://x/${hostile}` }],
          keys: [{ name: hostile, fingerprint: hostile }],
        },
      ],
      errors: [{ at: START, lease: 0, kind: 'server', status: 503, message: hostile }],
      transitions: [{ ...member, seq: 1, broker: 'b', at: START, why: hostile, until: null }],
      strategies: [{ task: hostile, name: hostile, ok: false, durationMs: 1, fallback: false }],
      configErrors: [hostile],
      revision: hostile,
    });
    const fakes: FakeTest[] = [
      {
        title: hostile,
        id: hostile,
        file: hostile,
        project: hostile,
        results: [
          {
            status: 'failed',
            records: [record],
            errors: [
              {
                message: hostile,
                snippet: `> 1 | ${hostile}`,
                location: { file: hostile, line: 1, column: 1 },
              },
            ],
          },
        ],
      },
    ];
    const page = await open(
      `${await pages.write('hostile', reportOf(fakes))}#test=${encodeURIComponent(hostile)}`,
    );
    await page.locator('tr.details').waitFor();
    await page.locator('[data-param="error-text"]').fill('alert');
    await expect.poll(() => page.locator('#errors-shown').textContent()).toBe('1 of 1 error');
    expect(await page.locator('img, iframe, object').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(5);
  });

  it('without tests or without a lease shows a sentence', async () => {
    const nothing = await open(await pages.write('nothing', reportOf([])));
    expect(await nothing.locator('main').textContent()).toContain('This run used no pool.');
    const plain = await open(await pages.write('plain', reportOf([{ title: 'a', results: [{}] }])));
    expect(await plain.locator('main').textContent()).toContain(
      'No test took a lease, so nothing was measured.',
    );
    expect(await plain.locator('main').textContent()).toContain('No gemba.config.json was found');
    expect(await plain.locator('.tiles').textContent()).toContain('not measured');
    expect(await plain.locator('main').textContent()).not.toContain('100 %');
  });

  it('of ten thousand tests and a hundred thousand requests stays small, with complete lists', async () => {
    const { report: large, history } = sampleReport({ tests: 10_000, calls: 10, minutes: 90 });
    expect(large.totals.requests).toBeGreaterThan(90_000);
    const url = await pages.write('large', large, history);
    expect(statSync(fileURLToPath(url)).size).toBeLessThan(1_500_000);
    const page = await open(url);
    // Bounded, whatever the run: causes have their errors and code, and rows their last outcomes, in the markup.
    expect(await page.locator('*').count()).toBeLessThan(1650);
    await page.getByLabel('Search tests').fill('(9998)');
    await expect.poll(() => rows(page).count()).toBe(1);
  });
});
