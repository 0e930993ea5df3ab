import type { Verdict } from '../../core/types.ts';
import { clockTime, count, counted, encodedPart } from '../../shared/format.ts';
import { FIRST_ERRORS } from './data-format.ts';
import { memberName } from '../report/member-names.ts';
import type { Report, ReportError, ReportTest } from '../report/model.ts';

/** Choices of one filter; the search finds the rest. */
const MAX_CHOICES = 20;

export interface ErrorsView {
  readonly rows: readonly ErrorRowView[];
  readonly note: string;
  readonly filters: readonly ErrorFilter[];
  readonly shown: string;
}

interface ErrorRowView {
  readonly at: string;
  readonly member: string;
  readonly kind: string;
  readonly message: string;
  readonly id: string;
  readonly test: string;
  readonly verdict: Verdict | null;
}

interface ErrorFilter {
  /** Its name in the page’s address. */
  readonly param: string;
  readonly label: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
}

/** The verdict filter's value for tests without a verdict: they passed. */
const PASSED = 'none';

export function errorsView(report: Report): ErrorsView | null {
  const { errors, totals } = report;
  if (errors.length === 0) return null;
  const tests = new Map(report.tests.map((test) => [test.id, test]));
  const cut = totals.errorsCut;
  const all = counted(errors.length + cut, 'error');
  return {
    rows: errors.slice(0, FIRST_ERRORS).map((error) => toErrorRow(error, tests.get(error.testId))),
    note: cut > 0 ? `${all} recorded; the first ${count(errors.length)} are kept.` : `${all} recorded.`,
    filters: filtersOf(errors, tests),
    shown: `${count(Math.min(FIRST_ERRORS, errors.length))} of ${all}`,
  };
}

function filtersOf(
  errors: readonly ReportError[],
  tests: ReadonlyMap<string, ReportTest>,
): readonly ErrorFilter[] {
  const verdictOf = (error: ReportError): string => tests.get(error.testId)?.verdict ?? PASSED;
  const filters: ErrorFilter[] = [
    { param: 'error-pool', label: 'Pool', choices: choices(errors.map(({ pool }) => pool)) },
    { param: 'error-member', label: 'Member', choices: choices(errors.flatMap(membersOf)) },
    { param: 'error-kind', label: 'Kind', choices: choices(errors.map(({ kind }) => kind)) },
    { param: 'error-status', label: 'Status', choices: choices(errors.map(statusOf)) },
    { param: 'error-verdict', label: 'Verdict of its test', choices: choices(errors.map(verdictOf)) },
  ];
  return filters.filter((filter) => filter.choices.length > 0);
}

function membersOf({ pool, endpoint, key }: ReportError): string[] {
  return [endpoint, key].filter((name) => name !== null).map((name) => `${pool}/${name}`);
}

function statusOf({ status }: ReportError): string {
  return status === null ? 'no response' : String(status);
}

function choices(values: readonly string[]): { value: string; label: string }[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_CHOICES);
  return sorted.map(([value, times]) => {
    return { value, label: `${value === PASSED ? 'none, passed' : value} (${count(times)})` };
  });
}

function toErrorRow(error: ReportError, test: ReportTest | undefined): ErrorRowView {
  return {
    at: clockTime(Date.parse(error.at)),
    member: memberName(error),
    kind: error.status === null ? error.kind : `${error.kind} ${error.status}`,
    message: error.message,
    id: encodedPart(error.testId),
    test: test?.title ?? '',
    verdict: test?.verdict ?? null,
  };
}
