import { runCommand } from '../../harness/command.ts';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/clock.ts';
import { GembaError } from '../../../src/core/errors.ts';
import { aggregate } from '../../../src/reporter/report/aggregate.ts';
import { collectResult, collectTests } from '../../../src/reporter/collect/collect.ts';
import { type RunState, emptyRunState } from '../../../src/reporter/collect/run-state.ts';
import { readHistory } from '../../../src/reporter/history/history-file.ts';
import { reportFromJournal } from '../../../src/reporter/collect/journal-read.ts';
import type { Report } from '../../../src/reporter/report/model.ts';
import { renderDashboard } from '../../../src/reporter/page/render.ts';
import { markdown } from '../../../src/reporter/announce/markdown.ts';
import { summaryText } from '../../../src/reporter/terminal/summary.ts';
import { dashboardView } from '../../../src/reporter/page/view.ts';
import { reportText } from '../../../src/reporter/report/text.ts';
import { RECORD_CONTENT_TYPE } from '../../../src/shared/record.ts';
import { COMMAND, HOSTILE, HostileRecords, POSING } from '../../harness/hostile.ts';
import { attachment, ORIGIN, RUN, testCase } from '../reporter/synthetic.ts';

type Attachment = ReturnType<typeof attachment>;

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-hostile-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A merge of results that carry these attachments, one a test. */
function merged(attachments: readonly Attachment[]): { report: Report; runState: RunState } {
  const runState = emptyRunState();
  const origin = { ...ORIGIN, shard: null, merging: true };
  const cases = attachments.map((attached, index) => {
    const title = HOSTILE[index % HOSTILE.length]!;
    const test = testCase({
      title,
      file: `${title}.ts`,
      project: title,
      id: `${index}`,
      results: [{ status: 'failed' }],
    });
    Object.assign(test.results[0]!, { attachments: [attached] });
    collectResult(runState, test, test.results[0]!, origin);
    return test;
  });
  return { report: aggregate(runState, collectTests(runState, cases, origin), RUN), runState };
}

/** All that is made of a report. */
async function written(
  report: Report,
): Promise<{ page: string; data: string; markdown: string; summary: string }> {
  return {
    page: await renderDashboard(dashboardView(report, HOSTILE[0]!)),
    data: [...reportText(report)].join(''),
    markdown: markdown(report, HOSTILE[0]!),
    summary: summaryText(report, 'gemba-report/index.html'),
  };
}

/** What of a text fits, or null: so that a failure shows the place, not the page. */
const found = (text: string, what: RegExp): string | null => what.exec(text)?.[0] ?? null;

function expectHarmless({ page, data, markdown, summary }: Awaited<ReturnType<typeof written>>): void {
  expect(JSON.parse(data)).toMatchObject({ schema: 'gemba-report/1' });
  expect(page.match(/<script/g)).toHaveLength(5);
  expect(page.match(/<meta http-equiv/g)).toHaveLength(1);
  const markup = page.replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, '');
  expect(found(markup, /<(?:script|img|iframe|base|form|object|embed)\b|href="(?!#|data:,)/)).toBeNull();
  const tags = markup.match(/<[a-z][^>]*>/gi)!.map((tag) => tag.replaceAll(/"[^"]*"/g, ''));
  expect(tags.filter((tag) => /[\s/]on\w+|ontoggle|srcdoc/i.test(tag))).toEqual([]);
  for (const text of [summary, markdown]) expect(found(text, POSING)).toBeNull();
  expect(found(summary, COMMAND)).toBeNull();
  expect(summary.match(/^Gemba/gm)).toHaveLength(1);
  expect(found(markdown, /<|https?:\/\/|\bwww\.|@|\]\(|^\s*::/im)).toBeNull();
}

describe('forged records', () => {
  it('of the right shape, with the worst in every field, end in a report that is whole and harmless', async () => {
    const records = new HostileRecords(seededRandom('records'));
    const { report, runState } = merged(Array.from({ length: 120 }, () => attachment(records.next())));
    expect(runState.foreign.list).toEqual([]);
    expect(report.run.shards.total).toBe(2);
    expect(JSON.stringify(report)).not.toContain('pass@host');
    const all = await written(report);
    expectHarmless(all);
    expect(all.data).not.toMatch(/:(?:NaN|-?Infinity)/);
  }, 60_000);

  it('that are no records are counted, and change nothing else', async () => {
    const records = new HostileRecords(seededRandom('broken'));
    const texts = Array.from({ length: 300 }, () => records.broken());
    const deep = `{"v":1,"configErrors":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const { report, runState } = merged(
      [...texts, deep, '', '[]', 'null', '\u0000'].map((text) => attachment(text)),
    );
    expect(runState.foreign.count).toBeGreaterThan(50);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expectHarmless(await written(report));
  }, 60_000);

  it('that are files are read up to a limit, and only where they are files; nothing of them is quoted', () => {
    const secret = path.join(folder, 'secret');
    writeFileSync(secret, 'root:x:0:0:root');
    symlinkSync('/dev/zero', path.join(folder, 'endless'));
    const at = (file: string): Attachment => ({
      name: '_gemba',
      contentType: RECORD_CONTENT_TYPE,
      path: file,
    });
    const files = [secret, '/dev/zero', path.join(folder, 'endless'), folder, path.join(folder, 'gone')];
    const { runState } = merged(files.map(at));
    expect(runState.foreign.list.map(({ why }) => why)).toEqual(files.map((): unknown => expect.any(String)));
    expect(runState.foreign.list[0]!.why).toBe('not JSON');
    const large = {
      ...at(''),
      path: undefined,
      body: Buffer.alloc(33 * 1024 * 1024, 32),
    } as unknown as Attachment;
    expect(merged([large]).runState.foreign.list[0]!.why).toBe('larger than a record can be');
  });
});

describe('what lies in a folder of artifacts', () => {
  const said = { out: '', err: '' };
  const show = async (...args: string[]): Promise<number> => {
    Object.assign(said, { out: '', err: '' });
    return runCommand('show-report', [folder, ...args], {
      folder,
      print: (text) => void (said.out += text),
      warn: (text) => void (said.err += text),
    });
  };
  const put = (name: string, content: unknown): void => {
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const asReport = (more: object): object => ({ ...merged([]).report, ...more });

  it.each([
    ['nothing but the schema', { schema: 'gemba-report/1' }],
    ['another version', { schema: 'gemba-report/2', run: {} }],
    ['null', 'null'],
    ['half of it', '{"schema":"gemba-report/1","run":{"status":"passed"'],
    ['prototypes', '{"schema":"gemba-report/1","__proto__":{"polluted":1},"run":{"__proto__":null}}'],
    [
      'lists of nothing',
      { schema: 'gemba-report/1', run: {}, totals: {}, causes: [null], pools: [null], tests: [null] },
    ],
  ])('a report.json with %s is an error of the command, not its crash', async (_what, content) => {
    put('report.json', content);
    await expect(show()).rejects.toSatisfy(
      (error) => GembaError.is(error) && error.code === 'GEMBA_REPORT_NOT_FOUND',
    );
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('a report.json with a billion shards, and with lines of its own, is shown in lines of ours', async () => {
    const run = {
      ...(asReport({}) as Report).run,
      status: 'failed',
      shards: { total: 1e9, present: [1, 2] },
    };
    const gate = { line: HOSTILE.join(' '), failed: true };
    put('report.json', asReport({ run: { ...run, gate } }));
    expect(await show()).toBe(0);
    expect(said.out).toContain('999,999,998');
    for (const args of [[], ['--gate']]) {
      await show(...args);
      expect(said.out).not.toMatch(POSING);
      expect(said.out).not.toMatch(COMMAND);
      expect(said.out.match(/^Gemba/gm)).toHaveLength(1);
    }
  });

  it('a folder in place of report.json is no report', async () => {
    mkdirSync(path.join(folder, 'report.json'));
    await expect(show()).rejects.toThrow(/not a report that this version/);
  });

  it('a journal with anything in it gives a report or none, and never more than what it says', async () => {
    const records = new HostileRecords(seededRandom('journal'));
    const head = {
      journal: 'gemba-journal/1',
      startedAt: 1e308,
      planned: 1e308,
      title: { toString: 1 },
      host: {},
      pid: '0',
      shard: { current: -1, total: 1e12 },
      playwright: [],
    };
    const place = {
      id: '__proto__',
      title: HOSTILE[0]!,
      file: HOSTILE[1]!,
      line: -1e308,
      project: HOSTILE[2]!,
    };
    const lines = Array.from({ length: 40 }, (_, retry) => [
      { began: place, retry, worker: 1e308, at: 1e308 },
      {
        ended: '__proto__',
        at: retry,
        outcome: HOSTILE[3],
        result: { retry, status: HOSTILE[4], durationMs: -1e308, startedAt: 'x' },
        records: [records.next(), JSON.parse(records.broken().startsWith('{"v') ? '{}' : 'null')],
      },
      '{"began":',
      '\u0000',
    ]).flat();
    const file = path.join(folder, 'journal-0-1.ndjson');
    const text = [head, ...lines]
      .map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
      .join('\n');
    writeFileSync(file, text);
    const read = await reportFromJournal(file, '0.0.0').catch((error: unknown) => error);
    if (read instanceof Error) expect(read).toBeInstanceOf(TypeError);
    // The command makes a report of it, or says that it is none.
    const code = await show().catch((error: unknown) => (GembaError.is(error) ? error.code : error));
    expect([0, 'GEMBA_REPORT_NOT_FOUND']).toContain(code);
    expect(said.out).not.toMatch(POSING);
    if (code === 0)
      expect(readFileSync(path.join(folder, 'index.html'), 'utf8').match(/<script/g)).toHaveLength(5);
  });

  it.each([
    '[]',
    '{"schema":"gemba-history/1","runs":[null,{"__proto__":1},{"startedAt":"x"}]}',
    '{'.repeat(1e5),
    '',
  ])('a history that is none begins anew: %.30s', async (text) => {
    put('history.json', text);
    expect(readHistory(path.join(folder, 'history.json'))).toEqual({ runs: [], tests: new Map() });
  });
});
