import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestCase, TestResult } from '@playwright/test/reporter';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import GembaReporter from '../../../src/reporter/index.ts';
import type { Report } from '../../../src/reporter/report/model.ts';
import { openerFor } from '../../../src/reporter/terminal/open.ts';
import { resolveSettings } from '../../../src/reporter/options.ts';
import { type FakeTest, fakeConfig, fakeSuite, fullResult, leased, testCase } from './synthetic.ts';

let folder: string;
let printed: { out: string; err: string };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gemba-reporter-'));
  printed = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((printed.out += String(text))));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((printed.err += String(text))));
  for (const name of ['GEMBA_REPORT_DIR', 'GITHUB_STEP_SUMMARY', 'CI']) vi.stubEnv(name, '');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

type Options = ConstructorParameters<typeof GembaReporter>[0];

async function run(fakes: readonly FakeTest[], options: Options = {}, end = fullResult()): Promise<unknown> {
  const reporter = new GembaReporter({ configDir: folder, ...options });
  const cases = fakes.map(testCase);
  reporter.onBegin(fakeConfig(), fakeSuite(cases));
  for (const test of cases) for (const result of test.results) reporter.onTestEnd(test, result);
  return reporter.onEnd(end);
}

const flaky: FakeTest[] = [
  {
    title: 'lists',
    results: [
      {
        status: 'failed',
        records: [
          leased('api/eu/k', [[0, 'network']], {
            gate: { product: 'warn', environment: 'fail', unknown: 'warn', degraded: 'warn', shards: 'warn' },
          }),
        ],
      },
      { records: [leased('api/us/k', [[900, 'ok']])] },
    ],
  },
];

const reportIn = (dir: string): Report =>
  JSON.parse(readFileSync(path.join(dir, 'report.json'), 'utf8')) as Report;

describe('the reporter', () => {
  it('leaves the progress output to other reporters', () => {
    expect(new GembaReporter().printsToStdio()).toBe(false);
  });

  it('writes the page and its data, nothing else, and prints the path', async () => {
    expect(await run([{ title: 'a', results: [{}] }])).toBeUndefined();
    const files = ['history.json', 'index.html', 'report.json'];
    expect(readdirSync(path.join(folder, 'gemba-report')).sort()).toEqual(files);
    expect(reportIn(path.join(folder, 'gemba-report')).totals.tests).toBe(1);
    expect(printed.out).toContain('Gemba: 1 of 1 passed · not measured\n  Report: ');
    expect(printed.err).toBe('');
  });

  it('resolves the folder from the options or the environment', async () => {
    await run([], { outputFolder: 'out/gemba' });
    expect(existsSync(path.join(folder, 'out/gemba/report.json'))).toBe(true);
    vi.stubEnv('GEMBA_REPORT_DIR', path.join(folder, 'by-env'));
    await run([], { outputFolder: 'unused' });
    expect(existsSync(path.join(folder, 'by-env/report.json'))).toBe(true);
    expect(existsSync(path.join(folder, 'unused'))).toBe(false);
  });

  it('does nothing for --list', async () => {
    expect(await run(flaky, { _mode: 'list', live: true })).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    expect(printed).toEqual({ out: '', err: '' });
  });

  it('shows the run on a live page that stays open over runs', async () => {
    await run(flaky, { live: true });
    const address = await vi.waitFor(() => /Gemba live: (\S+)/.exec(printed.out)![1]!);
    expect(await (await fetch(`${address}&update`)).text()).toContain('id="live"');
    await run(flaky, { live: true });
    expect(printed.out.match(/Gemba live:/g)).toHaveLength(1);
    expect(await (await fetch(`${address}&update`)).text()).toContain('id="live"');
    // Opened after the end, it is the page that was written.
    const written = readFileSync(path.join(folder, 'gemba-report', 'index.html'), 'utf8');
    expect(await (await fetch(address)).text()).toBe(written);
    expect(printed.err).toBe('');
  });

  it('fails a passed run by the gate, and never passes a failed one', async () => {
    expect(await run(flaky)).toEqual({ status: 'failed' });
    expect(reportIn(path.join(folder, 'gemba-report')).run.status).toBe('failed');
    expect(printed.out).toContain('the gate failed this run');
    expect(await run(flaky, {}, fullResult({ status: 'failed' }))).toBeUndefined();
  });

  it('appends to the summary of a CI step, unless switched off', async () => {
    const file = path.join(folder, 'step.md');
    writeFileSync(file, '# before\n');
    vi.stubEnv('GITHUB_STEP_SUMMARY', file);
    await run(flaky, { stepSummary: false });
    expect(readFileSync(file, 'utf8')).toBe('# before\n');
    await run(flaky, { title: 'Nightly' });
    expect(readFileSync(file, 'utf8')).toMatch(/^# before\n### Nightly\n/);
  });

  it('never throws, and prints one line for each kind of problem', async () => {
    writeFileSync(path.join(folder, 'gemba-report'), 'a file is in the way');
    const reporter = new GembaReporter({ configDir: folder });
    reporter.onBegin(fakeConfig(), fakeSuite([]));
    for (let index = 0; index < 3; index++) {
      reporter.onTestBegin({} as TestCase, {} as TestResult);
      reporter.onTestEnd({} as TestCase, {} as TestResult);
    }
    expect(await reporter.onEnd(fullResult())).toBeUndefined();
    const lines = printed.err.trim().split('\n');
    expect(lines.map((line) => line.replace(/: .*?(not|EEXIST|ENOTDIR).*/, ': …'))).toHaveLength(6);
    expect(lines.join('\n')).toMatch(
      /could not read a test: .*\n.*could not write the journal: .*\n.*could not read a result: .*\n.*could not keep the history: .*\n.*could not write report\.json: .*\n.*could not write index\.html: /,
    );
    expect(printed.out).toContain('Gemba: 0 of 0 passed');
    expect(printed.out).not.toContain('Report:');
  });

  it('reports a run that never began', async () => {
    expect(
      await new GembaReporter({ configDir: folder }).onEnd(fullResult({ status: 'failed' })),
    ).toBeUndefined();
    expect(reportIn(path.join(folder, 'gemba-report')).run).toMatchObject({
      status: 'failed',
      playwright: '',
    });
  });

  it('prints one line for all records that no worker wrote', async () => {
    const broken = { ...leased('api/eu/k', []), v: 9 } as unknown as ReturnType<typeof leased>;
    await run([{ title: 'a', results: [{ records: [broken, broken] }] }]);
    expect(printed.err).toMatch(
      /^gemba-agent reporter: 2 records that no worker of this run wrote were skipped \([^\n]+\)\n$/,
    );
  });
});

describe('opening the report', () => {
  it('never happens on CI or without a terminal', () => {
    expect(resolveSettings({ open: 'always' }, { CI: '1' }, folder).interactive).toBe(false);
    expect(resolveSettings({ open: 'always' }, {}, folder).interactive).toBe(
      Boolean(process.stdin.isTTY && process.stdout.isTTY),
    );
  });

  it.each<[NodeJS.Platform, string[]]>([
    ['linux', ['xdg-open', '/r/index.html']],
    ['darwin', ['open', '/r/index.html']],
    ['win32', ['cmd', '/d', '/s', '/c', '"start "" "/r/index.html""']],
  ])('uses the opener of %s', (platform, command) => {
    expect(openerFor(platform, '/r/index.html')).toEqual(command);
  });
});
