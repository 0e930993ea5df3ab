import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonic, seededRandom } from '../../src/core/clock.ts';
import { aggregate } from '../../src/reporter/report/aggregate.ts';
import { collectResult, collectTests } from '../../src/reporter/collect/collect.ts';
import { emptyRunState } from '../../src/reporter/collect/run-state.ts';
import { LiveView } from '../../src/reporter/live/live.ts';
import { LiveRun } from '../../src/reporter/live/run.ts';
import { MISSING_MS, until } from '../harness/patience.ts';
import { COMMAND, HOSTILE, HostileRecords, POSING, wellFormed } from '../harness/hostile.ts';
import { foundServers, startRedis, type TestRedis } from '../harness/redis.ts';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { findSecrets } from '../harness/secrets.ts';
import { deadUrl, findChromium, json, startServer, type TestServer } from '../harness/servers.ts';
import { attachment, ORIGIN, RUN, testCase } from '../unit/reporter/synthetic.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';
const SECRETS = {
  VALUE: 'canary-value-61f0/+&"',
  FIELD: 'canary-field-72a1/+&é',
  IN_QUERY: 'canary-query-83b2',
  PROXY: 'canary-proxy-94c3',
  REDIS: 'canary-redis-05d4',
  TYPED: 'canary-typed-16e5',
};

const found = (text: string, what: RegExp): string | null => what.exec(text)?.[0] ?? null;

/** Tests as a hostile pull request could bring them: their names, what they throw, and records that they forge. */
function specOf(titles: readonly string[], records: readonly string[]): string {
  return `
import { test, expect } from 'gemba-agent';
const record = { name: '_gemba', contentType: 'application/vnd.gemba.record+json' };
const titles = ${JSON.stringify(titles)};
const records = ${JSON.stringify(records)};
for (const [index, title] of titles.entries()) {
  test.describe(title, () => {
    test(title + index, async ({ request }, testInfo) => {
      await testInfo.attach('_gemba', { body: records[index % records.length], contentType: record.contentType });
      testInfo.annotations.push({ type: title, description: title });
      expect((await request.get('/' + encodeURIComponent(title), { headers: { 'x-a': 'b' } })).status(), title).toBe(200);
    });
  });
}
test('throws what it must not', async ({ lease, gemba }) => {
  const value = lease.key.value;
  gemba.record({ kind: 'server', status: 503, message: 'at http://me:' + encodeURIComponent(value) + '@host/?key=' + value });
  gemba.record({ kind: 'network', message: JSON.stringify({ value }) + Buffer.from('u:' + value).toString('base64') });
  const error = new Error('failed with ' + value, { cause: new Error('because of ' + value) });
  error.stack = value + error.stack;
  throw error;
});
test.describe('by fields', () => {
  test.use({ gembaPool: 'fields' });
  test('fails', async ({ request }) => { expect((await request.get('/down')).status()).toBe(200); });
});
test.describe('in a query', () => {
  test.use({ gembaPool: 'query' });
  test('fails', async ({ request }) => { expect((await request.get('/down?x=1')).status()).toBe(200); });
});
test.describe('through a proxy', () => {
  test.use({ gembaPool: 'proxied' });
  test('fails', async ({ request }) => { await request.get('/any'); });
});
`;
}

describe.skipIf(foundServers().length === 0)(
  'a run of hostile tests, at a hostile server, over a store',
  () => {
    let server: TestServer;
    let redis: TestRedis;
    let project: InlineProject;
    let result: InlineResult;
    let env: Record<string, string>;

    beforeAll(async () => {
      const text = HOSTILE[0]!;
      server = await startServer((seen, response) => {
        const echo = {
          'content-type': 'text/html',
          'x-echo': encodeURIComponent(String(seen.headers.authorization)),
        };
        if (seen.url.startsWith('/down'))
          response.writeHead(503, text.replaceAll(/\W/g, ' '), echo).end(`${text} ${seen.token} ${seen.url}`);
        else json(response, 200, {});
      });
      redis = await startRedis({ password: SECRETS.REDIS });
      const proxy = (await deadUrl()).replace('//', '//me:${PROXY}@');
      const pool = (more: object): object => ({
        endpoints: [{ name: 'only', url: server.url }],
        maxRetries: 0,
        maxFailures: 1000,
        ...more,
      });
      const pools = {
        default: pool({ keys: [{ name: 'k', value: '${VALUE}' }] }),
        fields: pool({
          auth: 'basic',
          keys: [{ name: 'k', fields: { username: 'u', password: '${FIELD}' } }],
        }),
        query: pool({ auth: { query: 'key' }, keys: [{ name: 'k', value: '${IN_QUERY}' }] }),
        proxied: pool({
          endpoints: [{ name: 'only', url: server.url, proxy }],
          keys: [{ name: 'k', value: '${VALUE}' }],
        }),
      };
      const { TYPED: _, ...variables } = SECRETS;
      env = { ...variables, GEMBA_STORE: redis.url };
      const records = new HostileRecords(seededRandom('run'));
      const forged = HOSTILE.map((_title, index) =>
        index % 3 === 0 ? records.broken() : JSON.stringify(records.next()),
      );
      // Names of tests are at most so long as Playwright's folders bear.
      const titles = HOSTILE.map((title) => wellFormed(title.slice(0, 150)));
      project = await createInlineProject(
        {
          'gemba.config.json': JSON.stringify({ name: '../../evil</script>', pools }),
          // Without one that prints, Playwright adds its own, which shows titles as they are.
          'quiet.mjs': 'export default class { printsToStdio() { return true; } }',
          'hostile.spec.ts': specOf(titles, forged),
        },
        `{
        workers: 2, fullyParallel: true, timeout: 15000, projects: [{ name: ${JSON.stringify(HOSTILE[2])} }],
        reporter: [['./quiet.mjs'], ['json', { outputFile: 'results.json' }], ['gemba-agent/reporter', { title: ${JSON.stringify(HOSTILE[0])} }]],
      }`,
      );
      const summary = path.join(project.folder, 'summary.md');
      result = await project.run({ env: { ...env, GITHUB_STEP_SUMMARY: summary } });
    });

    afterAll(async () => {
      await server.close();
      await project.cleanup();
      await redis.close();
    });

    const cache = (): string => path.join(project.folder, 'node_modules/.cache/gemba-agent');

    it('ends with a report, and lists the records that no worker wrote', () => {
      expect(result.report?.tests.length).toBe(HOSTILE.length + 4);
      expect(result.failed).toBe(4);
      expect(result.passed).toBe(HOSTILE.length);
      expect(result.report?.foreignRecords).toHaveLength(HOSTILE.length);
      expect(result.stderr).toMatch(
        /gemba-agent reporter: \d+ records that no worker of this run wrote were skipped/,
      );
    });

    it('prints one line of its own and no command to a terminal or a CI system', () => {
      expect(result.stdout.match(/^Gemba/gm)).toHaveLength(1);
      expect(found(result.output, POSING)).toBeNull();
      expect(found(result.output, COMMAND)).toBeNull();
      const markdown = readFileSync(path.join(project.folder, 'summary.md'), 'utf8');
      expect(found(markdown, POSING)).toBeNull();
      expect(found(markdown, /<|https?:\/\/|\bwww\.|@|\]\(/i)).toBeNull();
    });

    it('leaves no secret in its reports, its summary, its cache or its output', async () => {
      const { TYPED: _, ...secrets } = SECRETS;
      const own = mkdtempSync(path.join(tmpdir(), 'gemba-own-'));
      try {
        writeFileSync(path.join(own, 'output'), result.output);
        writeFileSync(path.join(own, 'summary'), readFileSync(path.join(project.folder, 'summary.md')));
        await until('the broker has ended', () => existsSync(cache()));
        cpSync(cache(), own, { recursive: true });
        expect(await findSecrets(own, secrets)).toEqual([]);
        expect(await findSecrets(path.join(project.folder, 'gemba-report'), secrets)).toEqual([]);
      } finally {
        rmSync(own, { recursive: true });
      }
      expect(result.report!.errors.length).toBeGreaterThan(3);
    });

    it('leaves no secret in the store that machines share', async () => {
      const keys = (await redis.command('KEYS', '*')) as string[];
      expect(keys.length).toBeGreaterThan(0);
      const dumps = await Promise.all(
        keys.map(async (key) => {
          const type = String(await redis.command('TYPE', key));
          if (type === 'string') return redis.command('GET', key);
          if (type === 'hash') return redis.command('HGETALL', key);
          if (type === 'zset') return redis.command('ZRANGE', key, '0', '-1');
          return type === 'set' ? redis.command('SMEMBERS', key) : redis.command('LRANGE', key, '0', '-1');
        }),
      );
      const folder = mkdtempSync(path.join(tmpdir(), 'gemba-dump-'));
      try {
        writeFileSync(path.join(folder, 'dump'), JSON.stringify([keys, dumps]));
        const { TYPED: _, ...secrets } = SECRETS;
        expect(await findSecrets(folder, secrets)).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('shows no secret on the command line: of the store, of a proxy, of a file that is broken', async () => {
      const said: string[] = [];
      const gemba = async (...args: string[]): Promise<string> => {
        const { output } = await project.node([CLI, ...args], { env });
        said.push(output);
        return output;
      };
      expect(await gemba('status')).toContain(`127.0.0.1:${redis.port}`);
      await gemba('status', '--json');
      await gemba('check');
      await gemba('check', '--json');
      const lost = { ...env, GEMBA_STORE: `redis://me:${SECRETS.REDIS}@127.0.0.1:1/0` };
      said.push((await project.node([CLI, 'status'], { env: lost })).output);
      said.push(
        (await project.node([CLI, 'status'], { env: { ...env, GEMBA_STORE: `redis//:${SECRETS.REDIS}@x` } }))
          .output,
      );
      for (const text of [
        `{"pools":{"a":{"keys":["${SECRETS.TYPED}", ${SECRETS.TYPED}]}}}`,
        `{"pools":{"a":{"keys":[{"name":"k","value":"${SECRETS.TYPED}","valu":"${SECRETS.TYPED}"}],"endpoints":["http://me:${SECRETS.TYPED}@host"],"proxy":"x:${SECRETS.TYPED}"}}}`,
        `{"store":"redis://:${SECRETS.TYPED}@","pools":{"a":{"keys":{"fromEnv":"LIST"},"auth":"${SECRETS.TYPED}"}}}`,
        `{"pools":{"a":{"keys":["${SECRETS.TYPED}`,
      ]) {
        const file = path.join(project.folder, 'broken.json');
        writeFileSync(file, text);
        const list = `[{"value":"${SECRETS.TYPED}","wrong":"${SECRETS.TYPED}"},"${SECRETS.TYPED}",]`;
        said.push(
          (await project.node([CLI, 'check', '--config', file], { env: { ...env, LIST: list } })).output,
        );
      }
      for (const output of said) {
        for (const [name, secret] of Object.entries(SECRETS)) {
          for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
            expect(output.includes(form), `${name} in ${output.slice(0, 300).replaceAll(form, '***')}`).toBe(
              false,
            );
        }
      }
    });

    it('is shown by a browser as text: no script of theirs runs, nothing is asked for', async () => {
      const url = pathToFileURL(path.join(project.folder, 'gemba-report/index.html')).href;
      expect(await troubleOn(url, readAll)).toEqual([]);
    });
  },
);

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(findChromium());
});
afterAll(() => browser.close());

/** What a page did that it must not. `allowed`: the addresses that it may ask. */
async function troubleOn(
  url: string,
  read: (page: Page) => Promise<void>,
  allowed = /^(?:file|data):/,
): Promise<string[]> {
  const trouble: string[] = [];
  const context = await browser.newContext();
  context.setDefaultTimeout(MISSING_MS);
  context.on('page', () => void (context.pages().length > 1 && trouble.push('another page')));
  const page = await context.newPage();
  page.on('console', (message) => trouble.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => void (trouble.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on(
    'request',
    (request) => void (allowed.test(request.url()) || trouble.push(`request: ${request.url()}`)),
  );
  await page.goto(url);
  await page.waitForSelector('html[data-ready]', { state: 'attached' });
  await read(page);
  await context.close();
  return trouble;
}

/** Opens all that a page keeps closed, and follows its own links. */
async function readAll(page: Page): Promise<void> {
  for (const name of ['details', 'summary']) {
    await page.evaluate(`for (const each of document.querySelectorAll('${name}')) each.open = true`);
  }
  await page.evaluate(`(async () => {
    const rest = () => new Promise((resolve) => setTimeout(resolve, 30));
    for (const id of ['tests-more', 'errors-more']) document.getElementById(id)?.click();
    await rest();
    for (const button of [...document.querySelectorAll('#tests-rows button, button[data-cause], button[data-rest]')].slice(0, 60)) { button.click(); await rest(); }
    for (const link of [...document.querySelectorAll('a[href]')].slice(0, 60)) { link.click(); await rest(); }
    for (const field of document.querySelectorAll('input, select')) { field.dispatchEvent(new Event('input', { bubbles: true })); field.dispatchEvent(new Event('change', { bubbles: true })); }
  })()`);
  const elements = `[...document.querySelectorAll('main *')].filter((each) => each.id !== 'edit-form').filter((each) => /^(script|img|iframe|object|embed|base|form)$/i.test(each.localName) || each.getAttributeNames().some((name) => /^on|^srcdoc$|^action$/.test(name)) || /^(?!#|data:,)/.test(each.getAttribute('href') ?? '#')).map((each) => each.outerHTML.slice(0, 200))`;
  expect(await page.evaluate(elements)).toEqual([]);
}

describe('pages of forged records', () => {
  const records = new HostileRecords(seededRandom('pages'));
  const collected = emptyRunState();
  const cases = HOSTILE.map((title, index) => {
    const test = testCase({
      title,
      file: title,
      project: title,
      id: `${title}${index}`,
      results: [{ status: 'failed' }],
    });
    Object.assign(test.results[0]!, {
      attachments: [attachment(records.next()), attachment(records.next())],
    });
    collectResult(collected, test, test.results[0]!, { ...ORIGIN, merging: true });
    return test;
  });
  const report = aggregate(collected, collectTests(collected, cases, ORIGIN), RUN);

  it('while a run goes on are shown as text, too, and ask their own server alone', async () => {
    const printed: string[] = [];
    const say = (line: string): void => void printed.push(line);
    const folder = mkdtempSync(path.join(tmpdir(), 'gemba-live-'));
    const view = new LiveView(
      { host: '127.0.0.1', port: 0 },
      { folder, option: undefined },
      { print: say, warn: say },
    );
    const counts = (): { requests: number; failures: number } => ({ requests: 1, failures: 1 });
    const run = new LiveRun({ title: HOSTILE[0]!, tests: 99, report: () => report, counts }, monotonic);
    for (const test of cases) run.testBegan(test.title, test.results[0]!);
    await view.show(run);
    const url = printed[0]!.replace('Gemba live: ', '');
    const { origin } = new URL(url);
    const own = new RegExp(`^(?:data:|${origin.replaceAll('.', '\\.')}/(?:events|\\?|$))`);
    try {
      expect(
        await troubleOn(
          url,
          async (page) => {
            await page.getByText('Gemba: 9 of 9').first().waitFor({ state: 'attached' });
            for (const test of cases.slice(0, 5)) run.testEnded(test, test.results[0]!);
            await readAll(page);
          },
          own,
        ),
      ).toEqual([]);
    } finally {
      await view.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('after a run are shown as text', async () => {
    const { renderDashboard } = await import('../../src/reporter/page/render.ts');
    const { dashboardView } = await import('../../src/reporter/page/view.ts');
    const folder = mkdtempSync(path.join(tmpdir(), 'gemba-page-'));
    const file = path.join(folder, 'index.html');
    writeFileSync(file, await renderDashboard(dashboardView(report, HOSTILE[0]!)));
    try {
      expect(await troubleOn(pathToFileURL(file).href, readAll)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
