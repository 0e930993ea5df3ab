import { type Verdict, VERDICTS } from '../../core/types.ts';
import { capital, count, counted, timeWindow } from '../../shared/format.ts';
import type { Report, ReportCause } from '../report/model.ts';
import { type Notice, noticesOf } from './view-notices.ts';

export interface AnswerView {
  readonly headline: string;
  /** What became of tests that failed at first; empty where none did. */
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
  /** How many of them failed in the end; empty where none passed on a rerun. */
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
  product: 'failed although its calls went well, or where every endpoint gave the same error',
  environment: 'failed with a fault of an endpoint, a key or the network at its own lease',
  unknown: 'failed with nothing measured, or its worker died',
};
const MAX_CAUSES = 6;

const NOTHING_MEASURED = 'No lease was taken in this run, so nothing was measured.';

/** The page's first question: was it the environment or the product? */
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
    return `${count(failed)} of ${counted(tests, 'test')} failed${whose(report, 'unexpected')}.`;
  }
  const rerun =
    flaky === 0 ? '' : flaky === ran ? ' only on a rerun' : `, ${count(flaky)} of them only on a rerun`;
  return `${everyTest(ran, skipped > 0)} passed${rerun}.`;
}

function everyTest(ran: number, someSkipped: boolean): string {
  const ones = ran === 1 ? 'The one test' : ran === 2 ? 'Both tests' : `All ${count(ran)} tests`;
  return someSkipped ? `${ones} that ran` : ones;
}

/** Why there are no numbers, or null where there are some. */
export function nothingMeasured({ totals }: Report): string | null {
  if (totals.requests > 0) return null;
  if (totals.leases === 0) return NOTHING_MEASURED;
  return 'No call went through a lease in this run, so nothing was measured.';
}

function whose(report: Report, status: 'unexpected' | 'flaky'): string {
  const tests = report.tests.filter((test) => test.status === status);
  const number = (verdict: Verdict): number => tests.filter((test) => test.verdict === verdict).length;
  const said: string[] = [];
  if (number('product')) said.push(`${count(number('product'))} by the product`);
  if (number('environment')) said.push(`${count(number('environment'))} by the environment`);
  if (number('unknown')) said.push(`${count(number('unknown'))} for an unknown reason`);
  if (said.length === 0) return '';
  if (said.length > 1) return `: ${said.join(', ')}`;
  const only = said[0]!.replace(/^\S+ /, '');
  return tests.length === 1 ? `, ${only}` : `, all ${only}`;
}

function leadOf(report: Report): string {
  const { failed, flaky } = report.totals;
  if (flaky === 0) return '';
  const which = counted(flaky, failed > 0 ? 'more test' : 'test');
  return `${which} failed at first and passed on a rerun${whose(report, 'flaky')}.`;
}

function notesOf(report: Report, running: boolean): string[] {
  const { totals } = report;
  const notes: string[] = [];
  if (totals.degraded > 0) notes.push(`${counted(totals.degraded, 'test')} ran degraded, on a fallback.`);
  if (totals.pinned > 0) notes.push(`${counted(totals.pinned, 'test')} ran on a target pinned by its user.`);
  if (totals.unmeasured > 0 && totals.requests > 0) {
    notes.push(
      `${counted(totals.unmeasured, 'test was', 'tests were')} not measured: no call went through a lease.`,
    );
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
    more: cut > 0 ? `and ${counted(cut, 'further cause')}` : null,
  };
}

function splitOf(causes: readonly ReportCause[]): string {
  const failed = causes.reduce((sum, cause) => sum + cause.failed, 0);
  const cured = causes.reduce((sum, cause) => sum + cause.tests.length, 0) - failed;
  return cured === 0 ? '' : `${count(failed)} failed, ${count(cured)} flaky`;
}

/** `17 tests, 02:10–02:27, 5 of them passed on a rerun` */
export function noteOfCause(cause: ReportCause): string {
  const said = [counted(cause.tests.length, 'test')];
  if (cause.from !== null && cause.to !== null) {
    said.push(timeWindow(Date.parse(cause.from), Date.parse(cause.to)));
  }
  const cured = cause.tests.length - cause.failed;
  if (cured > 0 && cured === cause.tests.length)
    said.push(cured === 1 ? 'passed on a rerun' : 'all passed on a rerun');
  else if (cured > 0) said.push(`${count(cured)} of them passed on a rerun`);
  return said.join(', ');
}
