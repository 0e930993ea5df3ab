import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aggregate } from '../../../src/reporter/report/aggregate.ts';
import { collectResult, collectTests } from '../../../src/reporter/collect/collect.ts';
import { emptyRunState } from '../../../src/reporter/collect/run-state.ts';
import { Journal } from '../../../src/reporter/collect/journal.ts';
import { headOf, isOver, journalsIn } from '../../../src/reporter/collect/journal-files.ts';
import { reportFromJournal } from '../../../src/reporter/collect/journal-read.ts';
import { type FakeTest, leased, ORIGIN, RUN, START, testCase } from './synthetic.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-journal-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const HEAD = { startedAt: START, playwright: '1.65.1', title: 'Nightly', planned: 3, shard: null };
const TESTS: FakeTest[] = [
  {
    title: 'flaky',
    results: [
      { status: 'failed', records: [leased('api/eu/k', [[0, 'network']])] },
      {
        records: [
          leased('api/us/k', [
            [900, 'ok'],
            [950, 'server', 503],
          ]),
        ],
      },
    ],
  },
  { title: 'passed', results: [{ records: [leased('api/us/k', [[0, 'ok']])] }] },
];

/** Writes a journal of these tests as a run does; returns it with the report that the run itself would make. */
function journalOf(tests: readonly FakeTest[]): { journal: Journal; own: ReturnType<typeof aggregate> } {
  const journal = new Journal(folder, HEAD);
  const runState = emptyRunState();
  const cases = tests.map(testCase);
  for (const test of cases) {
    for (const result of test.results) {
      const taken = collectResult(runState, test, result, ORIGIN);
      journal.began(taken.test, result.retry, 0);
      journal.ended(taken.test, taken.result, taken.text);
    }
  }
  return { journal, own: aggregate(runState, collectTests(runState, cases, ORIGIN), RUN) };
}

describe('a journal', () => {
  it('gives the report that its run would have written', async () => {
    const { journal, own } = journalOf(TESTS);
    journal.began({ id: 'x', title: 'was running', file: 'a.spec.ts', line: 1, project: '', tags: [] }, 0, 4);
    journal.close(false);
    const [file] = journalsIn(folder);
    const { report, title } = (await reportFromJournal(file!, RUN.version))!;
    expect(title).toBe('Nightly');
    expect(report.run).toMatchObject({ status: 'interrupted', cutOff: { planned: 3, ended: 2 } });
    expect(report.totals).toEqual({ ...own.totals, tests: 3, interrupted: 1 });
    expect(report.verdicts).toEqual(own.verdicts);
    expect(report.tests.slice(0, 2)).toEqual(own.tests);
    expect(report.pools).toEqual(own.pools);
    expect(report.tests[2]).toMatchObject({
      title: 'was running',
      results: [{ status: 'interrupted', worker: 4 }],
    });
  });

  it('skips a cut last line and lines that are not JSON', async () => {
    journalOf(TESTS).journal.close(false);
    const file = journalsIn(folder)[0]!;
    truncateSync(file, readFileSync(file).length - 40);
    const cut = (await reportFromJournal(file, RUN.version))!.report;
    expect(cut.totals).toMatchObject({ tests: 2, flaky: 1, passed: 0 });
    writeFileSync(
      file,
      `${readFileSync(file, 'utf8')}\nnull\n[]\n{"ended":"nobody","record":null}\n{"began":1}\n`,
    );
    expect((await reportFromJournal(file, RUN.version))!.report.totals).toEqual(cut.totals);
    writeFileSync(file, '{"no": "journal"}\n');
    expect(await reportFromJournal(file, RUN.version)).toBeNull();
  });

  it('is on disk during the run and removed after its report', async () => {
    const { journal } = journalOf(TESTS);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(readFileSync(journalsIn(folder)[0]!, 'utf8').split('\n')).toHaveLength(8);
    journal.close(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('removes the journals of ended runs, not of a running one', () => {
    const { journal } = journalOf([]);
    const head = { journal: 'gemba-journal/1', ...HEAD, host: hostname() };
    writeFileSync(path.join(folder, 'journal-a-1.ndjson'), JSON.stringify({ ...head, pid: 2 ** 22 + 1 }));
    writeFileSync(path.join(folder, 'journal-b-2.ndjson'), JSON.stringify({ ...head, pid: process.ppid }));
    writeFileSync(
      path.join(folder, 'journal-c-3.ndjson'),
      JSON.stringify({ ...head, host: 'elsewhere', pid: 1 }),
    );
    expect(isOver(path.join(folder, 'journal-b-2.ndjson'))).toBe(false);
    journal.close(true);
    expect(readdirSync(folder)).toEqual(['journal-b-2.ndjson', 'journal-c-3.ndjson']);
    expect(headOf(path.join(folder, 'journal-b-2.ndjson'))?.title).toBe('Nightly');
  });
});
