import { type Verdict, VERDICTS } from '../../core/types.ts';
import { count, counted, duration, NOT_MEASURED } from '../../shared/format.ts';
import { INTERRUPTED, OUTCOME_LABELS, OUTCOMES } from './data-format.ts';
import type { RunHistory } from '../history/history-run.ts';
import { type StripView, stripOf } from './strip.ts';
import { type TestMemory, memoryOf } from './view-memory.ts';
import { memberName } from '../report/member-names.ts';
import { waitedMsOf } from './waits.ts';
import type { Report, ReportTest, TestOutcome } from '../report/model.ts';

/** Rows that the markup has; the script lists the others. */
const FIRST_TESTS = 30;

export interface TestsView {
  readonly rows: readonly TestRow[];
  readonly all: string;
  readonly outcomes: readonly {
    readonly value: TestOutcome | '';
    readonly label: string;
    readonly count: string;
  }[];
  readonly verdicts: readonly { readonly value: Verdict; readonly label: string }[];
  readonly marks: readonly { readonly value: string; readonly label: string }[];
  /** Filters whose choices the script lists, since there may be hundreds. */
  readonly choices: readonly { readonly param: 'file' | 'project' | 'tag'; readonly label: string }[];
  readonly shown: string;
}

interface TestRow {
  /** Position in the page’s list. */
  readonly index: number;
  readonly outcome: TestOutcome;
  readonly label: string;
  readonly title: string;
  readonly place: string;
  readonly verdict: Verdict | null;
  readonly tags: readonly string[];
  /** Its last outcomes; null without earlier runs. */
  readonly strip: StripView | null;
  /** `new failure`; empty where the runs before say nothing of it. */
  readonly change: string;
  readonly members: string;
  readonly duration: string;
  readonly waited: string;
}

const ORDER: readonly (Verdict | null)[] = [...VERDICTS, null];

/** Failed tests first, then flaky, degraded or pinned, passed, skipped ones; within these in the run's order. */
export function orderTests(tests: readonly ReportTest[]): ReportTest[] {
  return [...tests].sort((a, b) => rank(a) - rank(b));
}

export function testsView(
  report: Report,
  ordered: readonly ReportTest[],
  history: RunHistory | null = null,
): TestsView {
  const memory = memoryOf(history);
  const { totals, verdicts } = report;
  const counts: Record<TestOutcome, number> = {
    unexpected: totals.failed,
    flaky: totals.flaky,
    expected: totals.passed,
    // The list counts tests that were interrupted with them: neither has an outcome.
    skipped: totals.skipped + totals.interrupted,
  };
  return {
    rows: ordered.slice(0, FIRST_TESTS).map((test, index) => toTestRow(test, index, memory)),
    all: count(ordered.length),
    outcomes: OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => {
      const label = outcome === 'skipped' ? skippedLabel(totals) : OUTCOME_LABELS[outcome];
      return { value: outcome, label, count: count(counts[outcome]) };
    }),
    verdicts: VERDICTS.filter((verdict) => verdicts[verdict] > 0).map((verdict) => ({
      value: verdict,
      label: `${verdict} (${count(verdicts[verdict])})`,
    })),
    marks: marksOf(totals),
    choices: choicesOf(ordered),
    shown: `${count(Math.min(FIRST_TESTS, ordered.length))} of ${counted(ordered.length, 'test')}`,
  };
}

/** A filter needs a choice: one file or one project is none, one tag is. */
function choicesOf(tests: readonly ReportTest[]): TestsView['choices'] {
  const files = new Set(tests.map(({ file }) => file)).size;
  const projects = new Set(tests.map(({ project }) => project)).size;
  const tags = tests.some((test) => test.tags.length > 0);
  const choices = [
    { param: 'file' as const, label: 'File', isNeeded: files > 1 },
    { param: 'project' as const, label: 'Project', isNeeded: projects > 1 },
    { param: 'tag' as const, label: 'Tag', isNeeded: tags },
  ];
  return choices.filter(({ isNeeded }) => isNeeded).map(({ param, label }) => ({ param, label }));
}

function skippedLabel({ skipped, interrupted }: Report['totals']): string {
  if (interrupted === 0) return OUTCOME_LABELS.skipped;
  return skipped === 0 ? INTERRUPTED : `${OUTCOME_LABELS.skipped}, interrupted`;
}

/** It was running when the run ended. */
function isInterrupted({ status, results }: ReportTest): boolean {
  return status === 'skipped' && results.at(-1)?.status === 'interrupted';
}

function marksOf({ degraded, pinned, unmeasured }: Report['totals']): TestsView['marks'] {
  const marks = [
    { value: 'degraded', tests: degraded },
    { value: 'pinned', tests: pinned },
    { value: NOT_MEASURED, tests: unmeasured },
  ];
  return marks
    .filter(({ tests }) => tests > 0)
    .map(({ value, tests }) => ({ value, label: `${value} (${count(tests)})` }));
}

/** It ran, and made no leased request. */
export function isUnmeasured({ status, results }: ReportTest): boolean {
  const requests = results.flatMap(({ leases }) => leases).reduce((sum, lease) => sum + lease.requests, 0);
  return status !== 'skipped' && results.length > 0 && requests === 0;
}

function rank(test: ReportTest): number {
  const verdict = ORDER.indexOf(test.verdict);
  if (test.status === 'unexpected') return verdict;
  if (test.status === 'flaky') return 10 + verdict;
  if (test.status === 'skipped') return 40;
  return test.degraded || test.pinned ? 20 : 30;
}

function toTestRow(test: ReportTest, index: number, memory: TestMemory): TestRow {
  const outcomes = memory.outcomes(test.id);
  const tags = [
    test.degraded ? 'degraded' : '',
    test.pinned ? 'pinned' : '',
    isUnmeasured(test) ? NOT_MEASURED : '',
  ].filter(Boolean);
  return {
    index,
    outcome: test.status,
    label: isInterrupted(test) ? INTERRUPTED : OUTCOME_LABELS[test.status],
    title: test.title,
    place: placeOf(test),
    verdict: test.verdict,
    tags,
    strip: outcomes === null ? null : stripOf(outcomes),
    change: memory.change(test.id) ?? '',
    members: membersOf(test),
    duration:
      test.results.length === 0 ? '–' : duration(sum(test, (result) => Math.round(result.durationMs))),
    waited: waitedText(test),
  };
}

function waitedText(test: ReportTest): string {
  if (test.results.every(({ leases }) => leases.length === 0)) return '–';
  return duration(Math.round(waitedMsOf(test)));
}

function placeOf(test: ReportTest): string {
  const place = `${test.file}:${test.line}`;
  return test.project ? `${place} · ${test.project}` : place;
}

/** The members of the last lease, and how many others there were before it. */
function membersOf(test: ReportTest): string {
  const names = [...new Set(test.results.flatMap(({ leases }) => leases.map(memberName)))];
  if (names.length === 0) return '–';
  return names.length === 1 ? names[0]! : `${names.at(-1)} +${names.length - 1}`;
}

function sum(test: ReportTest, of: (result: ReportTest['results'][number]) => number): number {
  return test.results.reduce((all, result) => all + of(result), 0);
}
