import { type Verdict, VERDICTS } from '../../core/types.ts';
import { capital, count, counted, shorten, timeWindow } from '../../shared/format.ts';
import type { Report, ReportAnswers, ReportCause, ReportCauseAnswers } from '../report/model.ts';
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
  /** The code that the text begins with; empty where it begins with none. */
  readonly code: string;
  /** The text after the code. */
  readonly rest: string;
  readonly error: { readonly message: string; readonly snippet: string } | null;
  readonly proof: ProofView | null;
  readonly note: string;
}

/** What endpoints answered: one column for each route, and one for all other routes. */
interface ProofView {
  readonly columns: readonly string[];
  readonly rows: readonly {
    readonly name: string;
    readonly cells: readonly { readonly tone: '' | 'good' | 'warn' | 'bad'; readonly text: string }[];
  }[];
  /** Empty where all endpoints are shown. */
  readonly more: string;
}

const MEANING: Record<Verdict, string> = {
  product: 'No fault of an endpoint, a key or the network explains the failure.',
  environment: 'An endpoint, a key or the network failed a call of the test, or no lease was available.',
  unknown: 'Not judged: no leased request was made, the worker crashed, or too little was seen to decide.',
};
const FAILURES: Record<Verdict, (tests: number) => string> = {
  product: (tests) => counted(tests, 'product failure'),
  environment: (tests) => counted(tests, 'environment failure'),
  unknown: (tests) => `${count(tests)} not judged`,
};
const MAX_CAUSES = 6;

const NOTHING_MEASURED = 'No test took a lease, so nothing was measured.';
const NO_CONFIG =
  'No gemba.config.json was found: the tests ran as plain Playwright. Create one with: npx gemba init';
const NO_LEASE =
  'The tests ran, and none was leased: they do not use the test of gemba-agent, or their requests come from contexts of their own. ' +
  'Import test from gemba-agent, and ask for its request, page or lease there.';
/** Characters of an error and of its code that the answer shows; the test has all. */
const MAX_ERROR = 1200;
/** Endpoints that a table of answers shows. */
const MAX_ENDPOINTS = 40;
/** Causes of a verdict that show their proof. */
const MAX_PROOFS = 3;

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
  const { tests, failed, flaky, skipped, interrupted } = report.totals;
  const ran = tests - skipped - interrupted;
  if (tests === 0) return 'No test ran.';
  if (ran === 0 && interrupted > 0) return 'No test ended.';
  if (ran === 0) return `${tests === 1 ? 'The one test was' : `All ${count(tests)} tests were`} skipped.`;
  if (failed > 0) {
    return `${count(failed)} of ${counted(tests, 'test')} failed${verdictsText(report, 'unexpected')}.`;
  }
  const onRetry =
    flaky === 0 ? '' : flaky === ran ? ' only on a retry' : `, ${count(flaky)} of them only on a retry`;
  return `${everyTest(ran, skipped + interrupted > 0, interrupted > 0)} passed${onRetry}.`;
}

function everyTest(ran: number, notAll: boolean, someInterrupted: boolean): string {
  const ones = ran === 1 ? 'The one test' : ran === 2 ? 'Both tests' : `All ${count(ran)} tests`;
  if (someInterrupted) return `${ones} that ended`;
  return notAll ? `${ones} that ran` : ones;
}

/** Why there are no numbers, or null where there are some. */
export function nothingMeasured(report: Report): string | null {
  const { totals } = report;
  if (totals.requests > 0) return null;
  if (totals.leases === 0) return [NOTHING_MEASURED, whyNoLease(report)].filter(Boolean).join(' ');
  return 'No test made a leased request, so nothing was measured.';
}

/** What a run without any lease lacks. */
function whyNoLease({ run, totals, pools }: Report): string {
  if (totals.tests === totals.skipped) return '';
  if (run.configErrors.length > 0 || run.cutOff !== null) return '';
  return run.configRevision === null && pools.length === 0 ? NO_CONFIG : NO_LEASE;
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
  if (totals.interrupted > 0) {
    notes.push(
      `${counted(totals.interrupted, 'test was', 'tests were')} running when the run ended: interrupted.`,
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
    causes: causes.slice(0, MAX_CAUSES).map(({ cause, index }, place) => {
      return causeView(cause, index, place < MAX_PROOFS);
    }),
    more: cut > 0 ? `and ${counted(cut, 'more cause')}` : null,
  };
}

function causeView(cause: ReportCause, index: number, isProved: boolean): CauseView {
  const text = capital(cause.text);
  const [, code = '', rest = text] = /^`([^`]+)`(.*)$/s.exec(text) ?? [];
  const { message = '', snippet = '' } = cause.error ?? {};
  const hasError = isProved && message !== '';
  return {
    index,
    text,
    code,
    rest,
    note: noteOfCause(cause),
    error: hasError ? { message: shorten(message, MAX_ERROR), snippet: shorten(snippet, MAX_ERROR) } : null,
    proof: isProved && cause.answers ? proofView(cause.answers) : null,
  };
}

function proofView({ routes, endpoints }: ReportCauseAnswers): ProofView {
  const cut = endpoints.length - MAX_ENDPOINTS;
  return {
    columns: [...routes, 'other routes'],
    rows: endpoints.slice(0, MAX_ENDPOINTS).map(({ name, answers, others }) => {
      return { name, cells: [...answers, others].map(cellOf) };
    }),
    more: cut > 0 ? `${counted(cut, 'more endpoint')} in report.json` : '',
  };
}

/** `12 ok, 3 × 503` */
function cellOf({ successes, failures }: ReportAnswers): ProofView['rows'][number]['cells'][number] {
  const faults = Object.entries(failures).map(([status, times]) => `${count(times)} × ${status}`);
  if (successes === 0 && faults.length === 0) return { tone: '', text: '–' };
  const parts = [...(successes > 0 ? [`${count(successes)} ok`] : []), ...faults];
  return { tone: faults.length === 0 ? 'good' : successes > 0 ? 'warn' : 'bad', text: parts.join(', ') };
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
