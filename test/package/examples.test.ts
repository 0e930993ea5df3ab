import { chmod, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createExample, exampleFile, runExample, type RunOfExample } from '../harness/examples.ts';
import { foundServers } from '../harness/redis.ts';
import type { GembaReport } from '../harness/report.ts';
import { findChromium } from '../harness/servers.ts';

const RUN_MS = 420_000;
const noBrowser = findChromium() === undefined;

const PLAYWRIGHT = ['node_modules/@playwright/test/cli.js', 'test'];

/** Names of the keys that the tests of a file leased. */
function keysOf(report: GembaReport, title: RegExp): string[] {
  const tests = report.tests.filter((test) => title.test(test.title));
  const leases = tests.flatMap(({ results }) => results.flatMap((result) => result.leases));
  return [...new Set(leases.map(({ key }) => key ?? 'none'))].sort();
}

async function load<T>(name: string, file: string): Promise<T> {
  return (await import(pathToFileURL(exampleFile(name, file)).href)) as T;
}

describe.skipIf(noBrowser)('accounts', { timeout: RUN_MS }, () => {
  let shown: RunOfExample;
  beforeAll(async () => {
    shown = await runExample('accounts', PLAYWRIGHT);
  }, RUN_MS);
  afterAll(() => shown.project.cleanup());

  it('signs each account in once, and no two tests are in one at once', () => {
    expect(shown.exitCode, shown.output).toBe(0);
    expect(shown.output).toMatch(
      /The shop saw 3 sign-ins for 3 accounts, 11 baskets \(at most [12] at once\), and 0 violations\./,
    );
    expect(shown.report.totals).toMatchObject({ tests: 17, passed: 17, leases: 18, failures: 0 });
    expect(shown.report.totals.waitedMs).toBeGreaterThan(0);
  });

  it('gives accounts by their role', () => {
    expect(keysOf(shown.report, /administrator › (?:sees|is)/)).toEqual(['linus']);
    expect(keysOf(shown.report, /orders|basket|customer/)).toEqual(['ada', 'grace']);
    const leases = shown.report.pools[0]!.keys.map((key) => key.leases);
    expect(leases.reduce((sum, one) => sum + one)).toBe(18);
  });

  it('has a shop that says when an account is shared', async () => {
    const { startShop } = await load<{ startShop: (accounts: object) => Promise<Shop> }>(
      'accounts',
      'server/shop.mjs',
    );
    const shop = await startShop({ ada: { role: 'customer', password: 'x' } });
    const post = async (where: string, body = '', cookie = ''): Promise<string> => {
      const request = { method: 'POST', body, headers: { cookie }, redirect: 'manual' } as const;
      const response = await fetch(`${shop.url}${where}`, request);
      return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    };
    const session = await post('/sign-in', 'username=ada&password=x');
    await post('/basket', '', session);
    expect(shop.violations).toEqual([]);
    await post('/basket', '', session);
    await post('/sign-in', 'username=ada&password=x');
    await shop.close();
    expect(shop.violations).toEqual([
      'ada began a second basket while another test had one',
      'ada signed in a second time, which ended the first session',
    ]);
  });
});

interface Shop {
  url: string;
  violations: string[];
  close: () => Promise<void>;
}

describe('llm-keys', { timeout: RUN_MS }, () => {
  let shown: RunOfExample;
  beforeAll(async () => {
    shown = await runExample('llm-keys', PLAYWRIGHT);
  }, RUN_MS);
  afterAll(() => shown.project.cleanup());

  it('passes with the vendors’ own clients, although most keys are in trouble', () => {
    expect(shown.exitCode, shown.output).toBe(0);
    expect(shown.report.totals).toMatchObject({ tests: 13, passed: 13, flaky: 0, calls: 14 });
  });

  it('shows which keys are throttled and which used up', () => {
    const states = shown.report.pools.map(({ name, keys }) => [
      name,
      Object.fromEntries(keys.map((key) => [key.name, key.state])),
    ]);
    expect(Object.fromEntries(states)).toEqual({
      openai: { 'org-a-1': 'cooling', 'org-a-2': 'cooling', 'org-b': 'exhausted', 'org-c': 'healthy' },
      gemini: { 'project-a': 'cooling', 'project-b': 'exhausted', 'project-c': 'healthy' },
    });
    const kinds = new Set(shown.report.errors.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['rate-limit', 'exhausted']));
  });

  it('asks a key that is in trouble at most once per worker, and reports each call that the vendors saw', () => {
    const lines = [...shown.output.matchAll(/^ {2}(.+): (\d+) calls, (\d+) refused$/gm)];
    const saw = new Map(lines.map(([, name, calls, refused]) => [name!, [Number(calls), Number(refused)]]));
    const troubled = [...saw].filter(([name]) => !name.endsWith(' c')).map(([, [, refused]]) => refused);
    expect(troubled).toHaveLength(4);
    for (const refused of troubled) {
      expect(refused).toBeGreaterThanOrEqual(1);
      expect(refused).toBeLessThanOrEqual(3);
    }
    const seen = [...saw.values()].reduce((sum, [calls]) => sum + calls!, 0);
    expect(shown.report.totals.requests).toBe(seen);
  });
});

describe('sharded-redis', { timeout: RUN_MS }, () => {
  it.skipIf(foundServers().length === 0)(
    'shares two exclusive keys between two shards, and merges their reports',
    async () => {
      const { exitCode, output, report, project } = await runExample('sharded-redis', ['run-shards.mjs']);
      expect(exitCode, output).toBe(0);
      expect(output).toContain('20 holds, 0 overlaps');
      expect(output.match(/^\[[12]\] +10 passed/gm)).toHaveLength(2);
      expect(output).toMatch(/^Gemba gate: passed$/m);
      expect(report.run.shards).toEqual({ total: 2, present: [1, 2] });
      expect(report.totals).toMatchObject({ tests: 20, passed: 20, leases: 20, calls: 60, failures: 0 });
      const held = [...output.matchAll(/(till-\d) was held (\d+) times by machine 1, (\d+) times/g)];
      const byTills = held.map(([, name, one, two]) => [name, Number(one) + Number(two)]);
      expect(Object.fromEntries(byTills)).toEqual(
        Object.fromEntries(report.pools[0]!.keys.map((key) => [key.name, key.leases])),
      );
      await project.cleanup();
    },
  );

  it('has a check that finds overlaps', async () => {
    type Hold = { till: string; from: number; to: number | null };
    const { overlapsOf } = await load<{ overlapsOf: (holds: Hold[]) => Hold[][] }>(
      'sharded-redis',
      'server/tills.mjs',
    );
    const [first, second, open] = [
      { till: 'a', from: 0, to: 10 },
      { till: 'a', from: 10, to: 20 },
      { till: 'a', from: 15, to: null },
    ];
    expect(overlapsOf([first!, second!, { till: 'b', from: 0, to: 20 }])).toEqual([]);
    expect(overlapsOf([first!, second!, open!])).toEqual([[second, open]]);
  });
});

describe('commonjs', { timeout: RUN_MS }, () => {
  it('leases and reports, in a project that requires', async () => {
    const { exitCode, output, report, project } = await runExample('commonjs', PLAYWRIGHT);
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/^Gemba: 4 of 4 passed/m);
    expect(report.totals).toMatchObject({ tests: 4, passed: 4, flaky: 0, calls: 6, successes: 6 });
    expect(report.transitions).toContainEqual(
      expect.objectContaining({ pool: 'notes', endpoint: 'one', to: 'ejected' }),
    );
    const used = report.tests.flatMap(({ results }) => results.flatMap(({ leases }) => leases));
    expect(used.length).toBeGreaterThanOrEqual(4);
    expect(new Set(used.map(({ pool, key }) => `${pool}/${key}`))).toEqual(new Set(['notes/ci-1']));
    await project.cleanup();
  });
});

describe('existing-suite', { timeout: RUN_MS }, () => {
  it.skipIf(noBrowser)('comes to the same with and without gemba-agent', async () => {
    const { exitCode, output, report, project } = await runExample('existing-suite', ['compare.mjs']);
    expect(exitCode, output).toBe(0);
    expect(output).toContain('The same titles, statuses and reruns of 17 tests:');
    expect(output).toContain('products › are in stock: flaky (failed, passed)');
    expect(output).toContain('products › are translated: skipped (skipped)');
    expect(output).toContain('products › have no tax yet: expected (failed)');
    expect(output).toMatch(/the whole run +\d+\.\d\d s +\d+\.\d\d s \([+-]\d+ ms\)/);
    expect(report.totals).toMatchObject({ tests: 17, flaky: 1, failed: 0, pinned: 0 });
    expect(report.verdicts).toEqual({ product: 0, environment: 1, unknown: 0 });
    const plain = report.tests.find(({ title }) => title.includes('needs no server'))!;
    expect(plain.results.flatMap(({ leases }) => leases)).toEqual([]);
    expect(await readdir(project.folder)).not.toContain('.before');
    await project.cleanup();
  });

  it('has a comparison that finds a difference', async () => {
    const project = await createExample('existing-suite');
    // In place of Playwright: a test that needs a rerun where gemba-agent is used.
    await project.write({
      'bin/playwright': `#!${process.execPath}
        const { readFileSync, writeFileSync } = require('node:fs');
        const adopted = readFileSync('tests/base.ts', 'utf8').includes('gemba');
        const results = (adopted ? ['failed', 'passed'] : ['passed']).map((status) => ({ status, duration: 1 }));
        const test = { projectName: 'shop', status: adopted ? 'flaky' : 'expected', results };
        const suites = [{ title: 'a.spec.ts', specs: [{ title: 'sells', tests: [test] }] }];
        writeFileSync('results.json', JSON.stringify({ suites, stats: { duration: 1 } }));`,
      'bin/package.json': '{ "type": "commonjs" }',
    });
    await chmod(path.join(project.folder, 'bin/playwright'), 0o755);
    const { exitCode, output } = await project.node(['compare.mjs'], {
      env: { PATH: path.join(project.folder, 'bin') },
    });
    expect(output).toContain('- shop › a.spec.ts › sells: expected (passed)');
    expect(output).toContain('+ shop › a.spec.ts › sells: flaky (failed, passed)');
    expect(exitCode).toBe(1);
    await project.cleanup();
  });
});

describe.skipIf(noBrowser)('strategies, with an API that breaks and recovers', () => {
  it(
    'goes over to the form within few tests, comes back, and the report says so',
    { timeout: RUN_MS },
    async () => {
      const { exitCode, output, report, project } = await runExample('strategies', [
        'server/with-shop.mjs',
        process.execPath,
        ...PLAYWRIGHT,
      ]);
      expect(exitCode, output).toBe(0);
      const diary = /by form \(f\):\n([axf]+)/.exec(output)![1]!;
      // Three workers may each run into it once before anyone has told; then single ones try whether it is back, more of
      // them where tests take longer. Who never learned would run into it with each of the sixteen.
      const broken = diary.slice(diary.indexOf('x'), diary.lastIndexOf('x') + 1);
      expect(broken.slice(0, 12).match(/x/g)!.length, diary).toBeLessThanOrEqual(7);
      expect(diary.match(/x/g)!.length, diary).toBeLessThanOrEqual(14);
      const recovered = diary.slice(diary.lastIndexOf('x') + 1);
      expect(recovered.match(/a/g)?.length ?? 0, diary).toBeGreaterThanOrEqual(3);
      const [api, form] = ['api', 'form'].map((name) => report.strategies.find((row) => row.name === name)!);
      expect(api!.failures).toBe(diary.match(/x/g)!.length);
      expect(form!.fallbacks).toBe(api!.failures);
      expect(api!.chosen + form!.chosen).toBe(64);
      expect(report.totals).toMatchObject({ passed: 64, degraded: api!.failures });
      await project.cleanup();
    },
  );
});

describe('all examples', () => {
  it('are known to their runner and to their index, and say what they show', async () => {
    const folder = exampleFile('.', '');
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const project = await createExample('commonjs');
    const { exitCode, stderr } = await project.node([path.join(folder, 'run.mjs'), 'nothing']);
    expect(exitCode).toBe(2);
    expect(stderr.replace('.', '').split('there are ')[1]!.trim().split(', ').sort()).toEqual(names.sort());
    const index = await readFile(path.join(folder, 'README.md'), 'utf8');
    for (const name of names) {
      expect(index).toContain(`[${name}](${name})`);
      expect(await readFile(exampleFile(name, 'README.md'), 'utf8')).toMatch(/^# /);
    }
    await project.cleanup();
  });
});
