import { type Verdict, VERDICTS } from '../../core/types.ts';
import { capital, count, counted, timeWindow } from '../../shared/format.ts';
import type { Report, ReportCause } from '../report/model.ts';
import { type Notice, noticesOf } from './view-notices.ts';

export interface AnswerView {
  readonly headline: string;
  /** Tests that failed at first and passed on a retry; empty where none did. */
  readonly lead: string;
  readonly notes: readonly string[];
  /** Empty where no attempt of a test failed. */
  readonly verdicts: readonly VerdictView[];
  readonly notices: readonly Notice[];
}

interface VerdictView {
  readonly name: Verdict;
  readonly count: string;
  readonly meaning: string;
  /** How many of them failed in the end; empty where none passed on a retry. */
  readonly split: string;
  readonly some: boolean;
  readonly causes: readonly CauseView[];
  readonly more: string | null;
}

interface CauseView {
  readonly index: number;
  readonly text: string;
  readonly note: string;
}

const MEANING: Record<Verdict, string> = {
  product: 'No fault of an endpoint, a key or the network explains the failure.',
  environment: 'An endpoint, a key or the network failed a call of the test, or no lease was available.',
  unknown: 'Nothing was measured, the worker crashed, or too little was seen to decide.',
};
const FAILURES: Record<Verdict, (tests: number) => string> = {
  product: (tests) => counted(tests, 'product failure'),
  environment: (tests) => counted(tests, 'environment failure'),
  unknown: (tests) => `${count(tests)} of unknown cause`,
};
const MAX_CAUSES = 6;

const NOTHING_MEASURED = 'No test took a lease, so nothing was measured.';

/** Was it the environment or the product? */
export function answerView(report: Report, running: boolean = false): AnswerView {
  return {
    headline: running ? headlineSoFar(report) : headline(report),
    lead: leadOf(report),
    notes: notesOf(report, running),
    verdicts: report.causes.length === 0 ? [] : VERDICTS.map((verdict) => verdictView(report, verdict)),
    notices: noticesOf(report, running),
  };
}

function headlineSoFar(report: Report): string {
  if (report.totals.tests === 0) return 'No test has ended yet.';
  return headline(report).replace(/\b(failed|passed|skipped)\b/, '$1 so far');
}

export function headline(report: Report): string {
  const { tests, failed, flaky, skipped } = report.totals;
  const ran = tests - skipped;
  if (tests === 0) return 'No test ran.';
  if (ran === 0) return `${tests === 1 ? 'The one test was' : `All ${count(tests)} tests were`} skipped.`;
  if (failed > 0) {
    return `${count(failed)} of ${counted(tests, 'test')} failed${verdictsText(report, 'unexpected')}.`;
  }
  const onRetry =
    flaky === 0 ? '' : flaky === ran ? ' only on a retry' : `, ${count(flaky)} of them only on a retry`;
  return `${everyTest(ran, skipped > 0)} passed${onRetry}.`;
}

function everyTest(ran: number, someSkipped: boolean): string {
  const ones = ran === 1 ? 'The one test' : ran === 2 ? 'Both tests' : `All ${count(ran)} tests`;
  return someSkipped ? `${ones} that ran` : ones;
}

/** Why there are no numbers, or null where there are some. */
export function nothingMeasured({ totals }: Report): string | null {
  if (totals.requests > 0) return null;
  if (totals.leases === 0) return NOTHING_MEASURED;
  return 'No test made a leased request, so nothing was measured.';
}

/** `: 2 product failures, 1 environment failure` */
function verdictsText(report: Report, status: 'unexpected' | 'flaky'): string {
  const tests = report.tests.filter((test) => test.status === status);
  const parts = VERDICTS.flatMap((verdict) => {
    const found = tests.filter((test) => test.verdict === verdict).length;
    return found === 0 ? [] : [FAILURES[verdict](found)];
  });
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

function leadOf(report: Report): string {
  const { failed, flaky } = report.totals;
  if (flaky === 0) return '';
  const which = counted(flaky, failed > 0 ? 'more test' : 'test');
  return `${which} failed at first and passed on a retry${verdictsText(report, 'flaky')}.`;
}

function notesOf(report: Report, running: boolean): string[] {
  const { totals } = report;
  const notes: string[] = [];
  if (totals.degraded > 0) notes.push(`${counted(totals.degraded, 'test')} ran degraded: on a fallback.`);
  if (totals.pinned > 0) notes.push(`${counted(totals.pinned, 'test')} ran pinned to a target.`);
  if (totals.unmeasured > 0 && totals.requests > 0) {
    notes.push(`${counted(totals.unmeasured, 'test was', 'tests were')} not measured: no leased request.`);
  }
  if (totals.skipped > 0 && totals.skipped < totals.tests) {
    notes.push(`${counted(totals.skipped, 'test was', 'tests were')} skipped or did not run.`);
  }
  return [...notes, running ? [] : (nothingMeasured(report) ?? [])].flat();
}

function verdictView(report: Report, verdict: Verdict): VerdictView {
  const causes = report.causes
    .map((cause, index) => ({ cause, index }))
    .filter(({ cause }) => cause.verdict === verdict);
  const cut = causes.length - MAX_CAUSES;
  return {
    name: verdict,
    count: count(report.verdicts[verdict]),
    meaning: MEANING[verdict],
    split: splitOf(causes.map(({ cause }) => cause)),
    some: report.verdicts[verdict] > 0,
    causes: causes.slice(0, MAX_CAUSES).map(({ cause, index }) => {
      return { index, text: capital(cause.text), note: noteOfCause(cause) };
    }),
    more: cut > 0 ? `and ${counted(cut, 'more cause')}` : null,
  };
}

function splitOf(causes: readonly ReportCause[]): string {
  const failed = causes.reduce((sum, cause) => sum + cause.failed, 0);
  const flaky = causes.reduce((sum, cause) => sum + cause.tests.length, 0) - failed;
  return flaky === 0 ? '' : `${count(failed)} failed, ${count(flaky)} flaky`;
}

/** `17 tests, 02:10–02:27, 5 passed on a retry` */
export function noteOfCause(cause: ReportCause): string {
  const parts = [counted(cause.tests.length, 'test')];
  if (cause.from !== null && cause.to !== null) {
    parts.push(timeWindow(Date.parse(cause.from), Date.parse(cause.to)));
  }
  const flaky = cause.tests.length - cause.failed;
  if (flaky > 0 && flaky === cause.tests.length)
    parts.push(flaky === 1 ? 'passed on a retry' : 'all passed on a retry');
  else if (flaky > 0) parts.push(`${count(flaky)} passed on a retry`);
  return parts.join(', ');
}
