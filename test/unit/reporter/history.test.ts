import {
  existsSync,
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
import {
  historyRunOf,
  isFull,
  parseHistory,
  type RunScope,
  withRun,
} from '../../../src/reporter/history/history.ts';
import { keepHistory } from '../../../src/reporter/history/history-file.ts';
import type { HistoryRun } from '../../../src/reporter/history/history-run.ts';
import type { Report } from '../../../src/reporter/report/model.ts';
import { isNarrowed } from '../../../src/reporter/collect/narrowing.ts';
import { leased, reportOf, START } from './synthetic.ts';

const SCOPE: RunScope = { narrowed: false, forbidOnly: false, oneShard: false };

function reportWith(tests: number, startedAt = START, status: 'passed' | 'interrupted' = 'passed'): Report {
  const fakes = Array.from({ length: tests }, (_, index) => ({
    title: `t${index}`,
    results: [{ records: [leased('api/eu/k', [[0, 'ok']])] }],
  }));
  return reportOf(fakes, { startedAt, status });
}

const runsOf = (...tests: number[]): HistoryRun[] =>
  tests.map((count, index) => historyRunOf(reportWith(count, START + index)));

describe('a run in the history', () => {
  it('has the numbers of the trends', () => {
    expect(historyRunOf(reportWith(2))).toEqual({
      startedAt: new Date(START).toISOString(),
      durationMs: 60_000,
      status: 'passed',
      totals: { tests: 2, passed: 2, failed: 0, flaky: 0, skipped: 0 },
      verdicts: { product: 0, environment: 0, unknown: 0 },
      requests: 2,
      successRate: 1,
      p95Ms: 40,
      waitedMs: 0,
    });
  });

  it('is kept only where the run is full', () => {
    const before = runsOf(100);
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

  it('is sorted by time, kept once, and replaces the oldest', () => {
    const [a, b, c] = runsOf(1, 2, 3) as [HistoryRun, HistoryRun, HistoryRun];
    expect(withRun([a, c], b, 20)).toEqual([a, b, c]);
    expect(withRun([a, b], c, 2)).toEqual([b, c]);
    expect(withRun([a, b], { ...b, durationMs: 1 }, 20)).toEqual([a, { ...b, durationMs: 1 }]);
  });
});

describe('history.json', () => {
  let folder: string;
  let file: string;
  const warned: string[] = [];
  const keep = (report: Report, keep = 20, scope = SCOPE): Promise<readonly HistoryRun[]> =>
    keepHistory(file, report, { keep, scope, warn: (line) => warned.push(line) });

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gemba-history-'));
    file = path.join(folder, 'deep/history.json');
    warned.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('grows with each full run, not with a partial one', async () => {
    await keep(reportWith(10, START));
    expect(await keep(reportWith(10, START + 1))).toHaveLength(2);
    const text = readFileSync(file, 'utf8');
    expect(JSON.parse(text)).toEqual({ schema: 'gemba-history/1', runs: expect.any(Array) as unknown });
    expect(await keep(reportWith(1, START + 2))).toHaveLength(2);
    expect(await keep(reportWith(10, START + 3, 'interrupted'))).toHaveLength(2);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(path.dirname(file))).toEqual(['history.json']);
  });

  it('is not written where history is 0', async () => {
    expect(await keep(reportWith(1), 0)).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });

  it('discards a corrupt file with a warning, and skips a run that it cannot read', async () => {
    await keep(reportWith(5));
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, 100));
    expect(await keep(reportWith(5, START + 1))).toHaveLength(1);
    expect(warned).toEqual([expect.stringContaining('is corrupt and was discarded')]);
    expect(parseHistory('{"schema":"gemba-history/1","runs":[{"startedAt":"never"}]}')).toEqual([]);
    expect(parseHistory('[]')).toBeNull();
  });

  it('removes the lock of a dead process', async () => {
    await keep(reportWith(5));
    writeFileSync(`${file}.lock`, '');
    utimesSync(`${file}.lock`, 1, 1);
    expect(await keep(reportWith(5, START + 1))).toHaveLength(2);
  });

  it('keeps every run when several processes write at once', async () => {
    const reports = Array.from({ length: 30 }, (_, index) => reportWith(3, START + index));
    await Promise.all(reports.map((report) => keep(report, 100)));
    const runs = parseHistory(readFileSync(file, 'utf8'))!;
    expect(new Set(runs.map(({ startedAt }) => startedAt)).size).toBe(30);
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
