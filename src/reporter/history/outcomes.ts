/**
 * The outcome of a test in a run, as one letter: a history has two hundred of them for each of ten thousand tests.
 * A failed environment is not the test's doing, so those letters count neither for nor against it.
 */
import type { Verdict } from '../../core/types.ts';
import type { ReportTest } from '../report/model.ts';

export const NOT_RUN = '.';
const PASSED = 'p';
const SKIPPED = 's';
const INTERRUPTED = 'i';
const FAILED: Readonly<Record<Verdict, string>> = { product: 'P', environment: 'E', unknown: 'U' };
const FLAKY: Readonly<Record<Verdict, string>> = { product: 'f', environment: 'e', unknown: 'u' };

/** The outcomes of a test over its runs. */
export const OUTCOMES_TEXT: RegExp = /^[.psiPEUfeu]*$/;

export function outcomeLetter({ status, verdict, results }: ReportTest): string {
  if (status === 'expected') return PASSED;
  if (status === 'unexpected') return FAILED[verdict ?? 'unknown'];
  if (status === 'flaky') return FLAKY[verdict ?? 'unknown'];
  if (results.length === 0) return NOT_RUN;
  return results.at(-1)?.status === 'interrupted' ? INTERRUPTED : SKIPPED;
}

/** Outcomes that count for or against a test. */
const COUNTING: ReadonlySet<string> = new Set([PASSED, FAILED.product, FLAKY.product]);

/** What is said of a test that is not simply as it was. */
const CHANGES = ['new', 'still', 'fixed', 'flaky-product', 'flaky-environment'] as const;
type Change = (typeof CHANGES)[number];

export interface TestChange {
  readonly change: Change;
  /** How many runs it concerns: those in which it failed in a row, or was flaky; this one included. */
  readonly runs: number;
  /** Of what still fails: where in the outcomes that began; else null. */
  readonly since: number | null;
}

/** What the outcomes say of the last one; null where there is nothing to say. */
export function changeOf(outcomes: string): TestChange | null {
  const letters = outcomes.split('');
  const now = letters.pop();
  const before = letters.flatMap((letter, at) => (COUNTING.has(letter) ? [{ letter, at }] : []));
  if (now === FAILED.product) {
    const failures = before.slice(before.findLastIndex(({ letter }) => letter !== FAILED.product) + 1);
    if (failures.length === 0) return { change: 'new', runs: 1, since: null };
    return { change: 'still', runs: failures.length + 1, since: failures[0]!.at };
  }
  if (now === PASSED && before.at(-1)?.letter === FAILED.product)
    return { change: 'fixed', runs: 1, since: null };
  if (now !== PASSED && now !== FLAKY.product && now !== FLAKY.environment) return null;
  return flakyBy('product', outcomes) ?? flakyBy('environment', outcomes);
}

function flakyBy(verdict: 'product' | 'environment', outcomes: string): TestChange | null {
  const runs = outcomes.split(FLAKY[verdict]).length - 1;
  return runs === 0 ? null : { change: `flaky-${verdict}`, runs, since: null };
}
