import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareRun } from '../../../src/reporter/history/compare.ts';
import {
  historyRunOf,
  historyText,
  isFull,
  NO_HISTORY,
  parseHistory,
  type RunScope,
  testName,
  withRun,
} from '../../../src/reporter/history/history.ts';
import { historyOf, keepHistory } from '../../../src/reporter/history/history-file.ts';
import type { History, RunHistory } from '../../../src/reporter/history/history-run.ts';
import { changeOf, type TestChange } from '../../../src/reporter/history/outcomes.ts';
import type { Report } from '../../../src/reporter/report/model.ts';
import { isNarrowed } from '../../../src/reporter/collect/narrowing.ts';
import { type FakeTest, leased, reportOf, START } from './synthetic.ts';

const SCOPE: RunScope = { narrowed: false, forbidOnly: false, oneShard: false };

type Letters = Readonly<Record<string, 'p' | 'P' | 'E' | 'f' | 's'>>;
const RESULTS: Record<string, FakeTest['results']> = {
  p: [{ records: [leased('api/eu/k', [[0, 'ok']])] }],
  P: [{ status: 'failed', records: [leased('api/eu/k', [[0, 'ok']])] }],
  E: [{ status: 'failed', records: [leased('api/eu/k', [[0, 'network']])] }],
  f: [{ status: 'failed', records: [leased('api/eu/k', [[0, 'ok']])] }, {}],
  s: [{ status: 'skipped' }],
};

/** A report of tests by title, with the outcome of each. */
function reportOn(branch: string | null, minute: number, letters: Letters): Report {
  const fakes = Object.entries(letters).map(([title, letter]) => ({ title, results: RESULTS[letter]! }));
  const git = { branch, commit: null };
  return reportOf(fakes, { startedAt: START + minute * 60_000, git });
}

function reportWith(tests: number, startedAt = START, status: 'passed' | 'interrupted' = 'passed'): Report {
  const fakes = Array.from({ length: tests }, (_, index) => ({ title: `t${index}`, results: RESULTS['p']! }));
  return reportOf(fakes, { startedAt, status });
}

/** The history after these runs, in this order. */
function historyAfter(reports: readonly Report[], keep = 20): History {
  return reports.reduce(
    (history, report) => withRun(history, historyRunOf(report), report, keep),
    NO_HISTORY,
  );
}

const lettersOf = (history: History, report: Report, title: string): string | undefined =>
  history.tests.get(testName(report.tests.find((test) => test.title === title)!.id));

describe('a run in the history', () => {
  it('has the numbers of the trends, the branch, and what its members did', () => {
    const report = reportOf(
      [
        {
          title: 'a',
          results: [
            {
              records: [
                leased('api/eu/k', [[0, 'ok']], {
                  transitions: [
                    {
                      seq: 1,
                      broker: 'b',
                      at: START + 10_000,
                      pool: 'api',
                      endpoint: 'eu',
                      key: null,
                      from: 'healthy',
                      to: 'ejected',
                      why: 'w',
                      until: null,
                    },
                    {
                      seq: 2,
                      broker: 'b',
                      at: START + 25_000,
                      pool: 'api',
                      endpoint: 'eu',
                      key: null,
                      from: 'ejected',
                      to: 'healthy',
                      why: 'w',
                      until: null,
                    },
                  ],
                }),
              ],
            },
          ],
        },
      ],
      { git: { branch: 'main', commit: 'abc' }, ci: null },
    );
    expect(historyRunOf(report)).toEqual({
      startedAt: new Date(START).toISOString(),
      branch: 'main',
      commit: 'abc',
      durationMs: 60_000,
      status: 'passed',
      totals: { tests: 1, passed: 1, failed: 0, flaky: 0, skipped: 0 },
      verdicts: { product: 0, environment: 0, unknown: 0 },
      requests: 1,
      successRate: 1,
      p95Ms: 40,
      waitedMs: 0,
      members: [
        {
          pool: 'api',
          kind: 'endpoint',
          name: 'eu',
          requests: 1,
          failures: 0,
          tokens: null,
          unhealthyMs: 15_000,
        },
        { pool: 'api', kind: 'key', name: 'k', requests: 1, failures: 0, tokens: null, unhealthyMs: 0 },
      ],
    });
  });

  it('is kept only where the run is full', () => {
    const before = [historyRunOf(reportWith(100))];
    const full = (tests: number, scope: Partial<RunScope> = {}): boolean =>
      isFull(reportWith(tests), before, { ...SCOPE, ...scope });
    expect(full(100)).toBe(true);
    expect(full(60)).toBe(true);
    expect(full(1)).toBe(false);
    expect(full(1, { forbidOnly: true })).toBe(true);
    expect(full(60, { narrowed: true, forbidOnly: true })).toBe(false);
    expect(full(95, { narrowed: true })).toBe(true);
    expect(full(100, { oneShard: true })).toBe(false);
    expect(full(0)).toBe(false);
    expect(isFull(reportWith(100, START, 'interrupted'), before, SCOPE)).toBe(false);
    expect(isFull(reportWith(1), [], { ...SCOPE, narrowed: true })).toBe(true);
    const cut = reportWith(100);
    const shards = { total: 3, present: [1, 3] };
    expect(isFull({ ...cut, run: { ...cut.run, shards } }, before, SCOPE)).toBe(false);
  });

  it('is sorted by time, kept once, and replaces the oldest of its branch', () => {
    const on = (branch: string, minute: number): Report => reportOn(branch, minute, { a: 'p' });
    const days = ({ runs }: History): string[] =>
      runs.map(({ startedAt, branch }) => `${branch} ${startedAt.slice(14, 16)}`);
    expect(days(historyAfter([on('main', 1), on('main', 3), on('main', 2)]))).toEqual([
      'main 01',
      'main 02',
      'main 03',
    ]);
    expect(days(historyAfter([on('main', 1), on('x', 2), on('main', 3), on('main', 4)], 2))).toEqual([
      'x 02',
      'main 03',
      'main 04',
    ]);
    expect(days(historyAfter([on('main', 1), on('main', 1)]))).toEqual(['main 01']);
    const branches = Array.from({ length: 12 }, (_, index) => on(`b${index}`, index));
    expect(historyAfter(branches).runs.map(({ branch }) => branch)).toEqual(
      branches.slice(2).map(({ run }) => run.git!.branch),
    );
  });

  it('has one letter of each test, at its place, also after an older run came later', () => {
    const last = reportOn('main', 3, { a: 'P', b: 'p', c: 's' });
    const reports = [reportOn('main', 1, { a: 'p', b: 'E' }), last, reportOn('main', 2, { a: 'f', c: 'p' })];
    const history = historyAfter(reports);
    expect(['a', 'b', 'c'].map((title) => lettersOf(history, last, title))).toEqual(['pfP', 'E.p', '.ps']);
  });
});

describe('a test over its runs', () => {
  it.each<[string, string, TestChange | null]>([
    ['fails for the first time', 'ppP', { change: 'new', runs: 1, since: null }],
    ['fails in its first run', 'P', { change: 'new', runs: 1, since: null }],
    ['fails again after it was fixed', 'PpP', { change: 'new', runs: 1, since: null }],
    ['still fails', 'pPPP', { change: 'still', runs: 3, since: 1 }],
    ['still fails, whatever the environment did between', 'pPEsP', { change: 'still', runs: 2, since: 1 }],
    ['is fixed', 'pPPp', { change: 'fixed', runs: 1, since: null }],
    ['is fixed after a failure of the environment', 'PEp', { change: 'fixed', runs: 1, since: null }],
    ['is flaky by the product', 'pfpfp', { change: 'flaky-product', runs: 2, since: null }],
    ['is flaky by the environment', 'pepe', { change: 'flaky-environment', runs: 2, since: null }],
    ['passes as ever', 'pppp', null],
    ['failed by the environment, which counts not against it', 'pppE', null],
    ['passed before and after an outage', 'pEEp', null],
    ['was skipped', 'pPs', null],
    ['has no history', '', null],
  ])('%s', (_, outcomes, expected) => {
    expect(changeOf(outcomes)).toEqual(expected);
  });

  it('is compared within its branch, else with the default branch, else with all', () => {
    const before = historyAfter([
      reportOn('main', 1, { a: 'P' }),
      reportOn('feature', 2, { a: 'p' }),
      reportOn('develop', 3, { a: 'f' }),
    ]);
    const compared = (branch: string | null, defaultBranch: string | null = null) => {
      const report = reportOn(branch, 9, { a: 'p' });
      const { comparedWith, outcomes } = compareRun(report, before, historyRunOf(report), defaultBranch);
      return [comparedWith, [...outcomes.values()][0]];
    };
    expect(compared('feature')).toEqual(['feature', 'pp']);
    expect(compared('other')).toEqual(['main', 'Pp']);
    expect(compared('other', 'develop')).toEqual(['develop', 'fp']);
    expect(compared(null)).toEqual(['main', 'Pp']);
    const report = reportOn('x', 9, { a: 'p' });
    const others = historyAfter([reportOn('y', 1, { a: 'P' }), reportOn('z', 2, { a: 'p' })]);
    expect(compareRun(report, others, historyRunOf(report))).toMatchObject({ comparedWith: null });
  });
});

describe('history.json', () => {
  let folder: string;
  let file: string;
  const warned: string[] = [];
  const keep = (report: Report, keep = 20, scope = SCOPE): Promise<RunHistory | null> =>
    keepHistory(file, report, { keep, scope, defaultBranch: null, warn: (line) => warned.push(line) });
  const runs = (): number => parseHistory(readFileSync(file, 'utf8'))!.runs.length;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gemba-history-'));
    file = path.join(folder, 'deep/history.json');
    warned.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('grows with each full run, not with a partial one', async () => {
    expect(await keep(reportWith(10, START))).toMatchObject({ runs: [], own: { totals: { tests: 10 } } });
    expect(await keep(reportWith(10, START + 1))).toMatchObject({ runs: [{}], own: {} });
    const text = readFileSync(file, 'utf8');
    expect(parseHistory(text)).toMatchObject({ runs: [{}, {}] });
    expect(await keep(reportWith(1, START + 2))).toMatchObject({ runs: [{}, {}], own: null });
    expect(await keep(reportWith(10, START + 3, 'interrupted'))).toMatchObject({ runs: [{}, {}], own: null });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(path.dirname(file))).toEqual(['history.json']);
  });

  it('gives back what it was given', async () => {
    const reports = [1, 2, 3].map((minute) =>
      reportOn('main', minute, { a: 'p', b: minute === 2 ? 'P' : 'f' }),
    );
    for (const report of reports) await keep(report);
    expect(parseHistory(readFileSync(file, 'utf8'))).toEqual(historyAfter(reports));
    const again = await historyOf(file, reports[2]!);
    expect([again.runs.length, again.own?.startedAt]).toEqual([2, reports[2]!.run.startedAt]);
  });

  it('is not written where history is 0', async () => {
    expect(await keep(reportWith(1), 0)).toBeNull();
    expect(existsSync(file)).toBe(false);
  });

  it('discards a corrupt file with a warning, and skips a run that it cannot read', async () => {
    await keep(reportWith(5));
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, 100));
    expect(await keep(reportWith(5, START + 1))).toMatchObject({ runs: [] });
    expect(warned).toEqual([expect.stringContaining('is corrupt and was discarded')]);
    const odd = parseHistory(
      '{"schema":"gemba-history/2","runs":[{"startedAt":"never"}],"members":[],"tests":{"a":"p"}}',
    );
    expect(odd).toEqual({ runs: [], tests: new Map() });
    expect(parseHistory('[]')).toBeNull();
  });

  it('refuses a folder in its place, and does not read a file that no run wrote', async () => {
    mkdirSync(file, { recursive: true });
    await expect(keep(reportWith(5))).rejects.toThrow('is not a regular file');
    rmSync(file, { recursive: true });
    writeFileSync(file, '['.repeat(9_000_000));
    expect(await keep(reportWith(5))).toMatchObject({ runs: [] });
    expect(runs()).toBe(1);
  });

  it('holds 10,000 tests of 20 runs, on ten branches, in 3 MB', () => {
    const letters = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`test ${index}`, 'p' as const]),
    );
    const report = reportOn('b0', 0, letters);
    const members = Array.from({ length: 360 }, (_, index) => ({
      pool: 'api',
      kind: 'key' as const,
      name: `key-${index}`,
      requests: 200 + index,
      failures: index,
      tokens: 90_000,
      unhealthyMs: 1000 * index,
    }));
    const own = historyRunOf(report);
    const many = Array.from({ length: 200 }, (_, index) => ({
      ...own,
      members,
      branch: `branch-${index % 10}`,
      startedAt: new Date(START + index * 60_000).toISOString(),
    }));
    const tests = new Map(report.tests.map(({ id }) => [testName(id), 'pPEfes.u'.repeat(25)]));
    const text = historyText({ runs: many, tests });
    expect(text.length).toBeLessThan(3_000_000);
    const read = parseHistory(text)!;
    expect([read.runs.length, read.tests.size]).toEqual([200, 10_000]);
    expect(read.runs.at(-1)!.members).toHaveLength(360);
    const larger = new Map(
      [...tests].flatMap(([name, own]) => [0, 1, 2].map((part) => [`${name}${part}`, own] as const)),
    );
    const cut = parseHistory(historyText({ runs: many, tests: larger }))!;
    expect(cut.runs.length).toBeLessThan(200);
    expect(cut.tests.get(`${testName(report.tests[0]!.id)}0`)).toHaveLength(cut.runs.length);
    expect(cut.runs.at(-1)!.startedAt).toBe(many.at(-1)!.startedAt);
  }, 30_000);

  it.each([
    ['of long ago', (lock: string) => (writeFileSync(lock, ''), utimesSync(lock, 1, 1))],
    ['with a date in the future', (lock: string) => (writeFileSync(lock, ''), utimesSync(lock, 4e9, 4e9))],
    ['that is a folder', (lock: string) => mkdirSync(lock)],
  ])('removes a lock that nobody holds, %s', async (_what, leave) => {
    await keep(reportWith(5));
    leave(`${file}.lock`);
    const began = performance.now();
    await keep(reportWith(5, START + 1));
    expect(runs()).toBe(2);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it.skipIf(process.platform === 'win32')(
    'rejects at once where a named pipe lies in its place',
    async () => {
      mkdirSync(path.dirname(file), { recursive: true });
      execFileSync('mkfifo', [file]);
      await expect(keep(reportWith(5))).rejects.toThrow('is not a regular file');
    },
  );

  it('keeps every run when several processes write at once', async () => {
    const reports = Array.from({ length: 30 }, (_, index) => reportWith(3, START + index));
    await Promise.all(reports.map((report) => keep(report, 100)));
    expect(runs()).toBe(30);
    expect(readdirSync(path.dirname(file))).toEqual(['history.json']);
  });
});

describe('a command line', () => {
  it.each([
    ['test', false],
    ['test --headed --workers=2 -c pw.config.ts --reporter line -x', false],
    ['test --workers 4 --retries 2 --grep=slow', true],
    ['test -g checkout', true],
    ['test -G slow', true],
    ['test orders.spec.ts', true],
    ['test --headed orders.spec.ts:12', true],
    ['test --project chromium', true],
    ['test --last-failed', true],
    ['test --only-changed=main', true],
    ['test --ui', true],
    ['test -u all', false],
    ['test --update-snapshots changed a.spec.ts', true],
    ['test --shuffle 7', false],
    ['test-server', true],
    ['merge-reports blob-report', false],
    ['', false],
  ])('%j selects a part of the tests: %s', (line, expected) => {
    expect(isNarrowed(['node', 'playwright', ...line.split(' ').filter(Boolean)])).toBe(expected);
  });
});
