import { createHash } from 'node:crypto';
import { MEMBER_KINDS } from '../../core/types.ts';
import { z } from '../../shared/zod.ts';
import { memberKey } from '../report/member-names.ts';
import { lengthOf as durationOf, spanOfReport, stateIntervalsOf } from '../report/state-intervals.ts';
import type { Report } from '../report/model.ts';
import type { History, HistoryMember, HistoryRun } from './history-run.ts';
import { NOT_RUN, outcomeLetter, OUTCOMES_TEXT } from './outcomes.ts';

const count = z.number().int().min(0);
const rate = z.number().min(0).max(1).nullable();
const text = z.string().max(1000);

/** [index into `members`, requests, failures, tokens or -1, ms not healthy] */
const memberRow = z.tuple([count, count, count, z.number().int().min(-1), z.number().min(0)]);
const historyRun = z.object({
  startedAt: z.iso.datetime(),
  branch: text.nullable(),
  commit: text.nullable(),
  durationMs: z.number().min(0),
  status: z.enum(['passed', 'failed', 'timedout', 'interrupted']),
  totals: z.object({ tests: count, passed: count, failed: count, flaky: count, skipped: count }),
  verdicts: z.object({ product: count, environment: count, unknown: count }),
  requests: count,
  successRate: rate,
  p95Ms: z.number().min(0).nullable(),
  waitedMs: z.number().min(0),
  members: z.array(memberRow),
});
const memberNames = z.array(z.tuple([text, z.enum(MEMBER_KINDS), text]));
const historyFile = z.object({
  schema: z.literal('gemba-history/2'),
  runs: z.array(z.unknown()),
  members: z.array(z.unknown()),
  tests: z.record(z.string(), z.unknown()),
});

export const NO_HISTORY: History = { runs: [], tests: new Map() };
/** The file is kept below this; beyond it the oldest details go first. */
export const MAX_HISTORY_BYTES = 3_000_000;
/** Branches that are kept: those with the latest runs. */
const MAX_BRANCHES = 10;
/** Members of a run that are kept: those with the most trouble, then the most used. */
const MAX_MEMBERS = 400;
/** Lengths in the file, without what varies much. */
const [RUN_LINE, MEMBER_ROW, TEST_LINE] = [700, 40, 20];

/** Whether trends may compare the run with earlier ones. */
export interface RunScope {
  /** Its command line selects a part of the tests, or an editor started it. */
  readonly narrowed: boolean;
  /** `test.only` is forbidden, so it did not reduce the tests. */
  readonly forbidOnly: boolean;
  /** One of several shards, not merged. */
  readonly oneShard: boolean;
}

/** A narrowed run with this share of the last run's tests is a regular job's. */
const WHOLE = 0.9;
/** With less than this share of the last run's tests, `test.only` was used. */
const ONLY = 0.5;

/** The run as the history keeps it. */
export function historyRunOf(report: Report): HistoryRun {
  const { run, totals, verdicts, pools } = report;
  const unhealthy = stateIntervalsOf(report.transitions, spanOfReport(report));
  const { tests, passed, failed, flaky, skipped, requests, successRate, p95Ms, waitedMs } = totals;
  const members = pools.flatMap(({ name: pool, endpoints, keys }) => [
    ...endpoints.map((member) => ({ pool, kind: 'endpoint' as const, ...member })),
    ...keys.map((member) => ({ pool, kind: 'key' as const, ...member })),
  ]);
  return {
    startedAt: run.startedAt,
    branch: run.ci?.branch ?? run.git?.branch ?? null,
    commit: run.ci?.commit ?? run.git?.commit ?? null,
    durationMs: run.durationMs,
    status: run.status,
    totals: { tests, passed, failed, flaky, skipped },
    verdicts,
    requests,
    successRate,
    p95Ms,
    waitedMs,
    members: members
      .map(({ pool, kind, name, requests: used, failures, ...rest }) => {
        const tokens = 'tokens' in rest && typeof rest.tokens === 'number' ? rest.tokens : null;
        const ms = Math.round(durationOf(unhealthy.get(memberKey(pool, kind, name)) ?? []));
        return { pool, kind, name, requests: used, failures, tokens, unhealthyMs: ms };
      })
      .filter((member) => member.requests > 0 || member.unhealthyMs > 0)
      .sort((a, b) => b.unhealthyMs - a.unhealthyMs || b.failures - a.failures || b.requests - a.requests)
      .slice(0, MAX_MEMBERS),
  };
}

/** Whether the run is a full one, as far as that can be told. `runs`: earlier ones of its branch. */
export function isFull(report: Report, runs: readonly HistoryRun[], scope: RunScope): boolean {
  const { run, totals } = report;
  if (run.status === 'interrupted' || totals.tests === 0) return false;
  if (scope.oneShard || run.shards.present.length < run.shards.total) return false;
  const before = runs.at(-1)?.totals.tests ?? 0;
  if (scope.narrowed) return totals.tests >= before * WHOLE;
  return scope.forbidOnly || totals.tests >= before * ONLY;
}

/** A test's name in the file: short, and no text of the user's. */
export function testName(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 9);
}

/** With one more run: the last `keep` of each of ten branches. The same run recorded twice replaces its entry. */
export function withRun(history: History, run: HistoryRun, report: Report, keep: number): History {
  const others = history.runs.filter(({ startedAt }) => startedAt !== run.startedAt);
  const all = [...others, run].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  const kept = new Set(latestOf(all, keep));
  const runs = all.filter((each) => kept.has(each));
  const letters = new Map(report.tests.map((test) => [testName(test.id), outcomeLetter(test)]));
  const columns = runs.map((each) => (each === run ? -1 : history.runs.indexOf(each)));
  return { runs, tests: outcomesOf(history.tests, letters, columns) };
}

/** The letters of each test in the given columns of before; -1: in this run. Tests without an outcome are dropped. */
function outcomesOf(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  columns: readonly number[],
): Map<string, string> {
  const tests = new Map<string, string>();
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    const [own = '', letter = NOT_RUN] = [before.get(name), now.get(name)];
    let letters = '';
    for (const column of columns) letters += column < 0 ? letter : (own[column] ?? NOT_RUN);
    const end = lengthOf(letters);
    if (end > 0) tests.set(name, letters.slice(0, end));
  }
  return tests;
}

/** Without what stands for "not run" at the end. */
function lengthOf(letters: string): number {
  let end = letters.length;
  while (end > 0 && letters[end - 1] === NOT_RUN) end--;
  return end;
}

function latestOf(runs: readonly HistoryRun[], keep: number): HistoryRun[] {
  const branches = new Map<string | null, HistoryRun[]>();
  for (const run of runs.toReversed()) branches.set(run.branch, [...(branches.get(run.branch) ?? []), run]);
  return [...branches.values()].slice(0, MAX_BRANCHES).flatMap((own) => own.slice(0, keep));
}

/** A history file, without what cannot be read of it; null where the text is not a history. */
export function parseHistory(content: string): History | null {
  try {
    const file = historyFile.parse(JSON.parse(content));
    const names = memberNames.safeParse(file.members).data ?? [];
    const read = file.runs.map((run) => historyRun.safeParse(run).data ?? null);
    const columns = read.flatMap((run, index) => (run === null ? [] : [index]));
    const runs = read.filter((run) => run !== null).map((run) => withMembers(run, names));
    const tests = new Map(
      Object.entries(file.tests).flatMap(([name, letters]) => {
        return isOutcomes(letters) ? [[name, letters] as const] : [];
      }),
    );
    return { runs, tests: columns.length === read.length ? tests : outcomesOf(tests, new Map(), columns) };
  } catch {
    return null;
  }
}

function isOutcomes(value: unknown): value is string {
  return typeof value === 'string' && OUTCOMES_TEXT.test(value);
}

function withMembers(
  { members, ...run }: ReturnType<typeof historyRun.parse>,
  names: ReturnType<typeof memberNames.parse>,
): HistoryRun {
  const named = members.flatMap(([index, requests, failures, tokens, unhealthyMs]): HistoryMember[] => {
    const [pool, kind, name] = names[index] ?? [];
    if (pool === undefined || kind === undefined || name === undefined) return [];
    return [{ pool, kind, name, requests, failures, tokens: tokens < 0 ? null : tokens, unhealthyMs }];
  });
  return { ...run, members: named };
}

/** `history.json` below its limit: what members did goes first, from the oldest run on; then the oldest runs. */
export function historyText({ runs, tests }: History): string {
  const rows = runs.map(({ members }) => members.length * MEMBER_ROW);
  const names = new Set(runs.flatMap(({ members }) => members.map(({ pool, name }) => `${pool}/${name}`)));
  const namesSize = [...names].reduce((sum, name) => sum + 2 * name.length + MEMBER_ROW, 0);
  let size = namesSize + sum(rows) + runs.length * (RUN_LINE + tests.size) + tests.size * TEST_LINE;
  let bare = 0;
  while (size > MAX_HISTORY_BYTES && bare < runs.length - 1) size -= rows[bare++]!;
  let dropped = 0;
  while (size > MAX_HISTORY_BYTES && dropped < runs.length - 1) {
    size -= RUN_LINE + tests.size;
    dropped++;
  }
  const kept = runs.map((run, index) => (index < bare ? { ...run, members: [] } : run)).slice(dropped);
  const columns = runs.map((_run, index) => index).slice(dropped);
  return textOf({ runs: kept, tests: dropped === 0 ? tests : outcomesOf(tests, new Map(), columns) });
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** One line a run and a test, so that it can be compared. */
function textOf({ runs, tests }: History): string {
  const indexes = new Map<string, number>();
  const names: (readonly [string, string, string])[] = [];
  const indexOf = ({ pool, kind, name }: HistoryMember): number => {
    const key = memberKey(pool, kind, name);
    const known = indexes.get(key);
    if (known !== undefined) return known;
    indexes.set(key, names.length);
    return names.push([pool, kind, name]) - 1;
  };
  const runLines = runs.map(({ members, ...run }) => {
    const rows = members.map((member) => {
      const { requests, failures, tokens, unhealthyMs } = member;
      return [indexOf(member), requests, failures, tokens ?? -1, unhealthyMs];
    });
    return `    ${JSON.stringify({ ...run, members: rows })}`;
  });
  const testLines = [...tests].map(([name, letters]) => `    ${JSON.stringify(name)}: "${letters}"`);
  const list = (lines: readonly string[]): string => (lines.length === 0 ? '' : `\n${lines.join(',\n')}\n  `);
  return [
    '{\n  "schema": "gemba-history/2"',
    `  "runs": [${list(runLines)}]`,
    `  "members": ${JSON.stringify(names)}`,
    `  "tests": {${list(testLines)}}\n}\n`,
  ].join(',\n');
}
