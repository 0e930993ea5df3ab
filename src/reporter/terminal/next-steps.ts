import { counted, firstLine, shorten } from '../../shared/format.ts';
import type { Report, ReportAttemptError, ReportTest } from '../report/model.ts';

const MAX_ERROR = 120;
/** Places or causes that one line names; the report has all. */
const MAX_NAMED = 3;

/**
 * What a person does after a red run: first what is wrong in the product, by error and place, then in the environment, by
 * cause. Empty after a green run.
 */
export function nextLines(report: Report): string[] {
  const failed = report.tests.filter(({ status }) => status === 'unexpected');
  const lines = [productLine(failed), environmentLine(report)];
  return lines.filter((line) => line !== null);
}

/** `fix in the product: orders.spec.ts:7 Error: expect(received).toBe(expected) (2 tests); basket.spec.ts:3 … (1 test)` */
function productLine(failed: readonly ReportTest[]): string | null {
  const texts = groupTexts(failed.filter(({ verdict }) => verdict === 'product'));
  return texts.length === 0 ? null : `fix in the product: ${listed(texts, 'more place')}`;
}

/** `repair in the environment: endpoint api/eu refused connections (3 tests); then: npx playwright test --last-failed` */
function environmentLine({ causes }: Report): string | null {
  const texts = causes
    .filter(({ verdict, failed }) => verdict === 'environment' && failed > 0)
    .map(({ text, failed }) => `${shorten(text, MAX_ERROR)} (${counted(failed, 'test')})`);
  if (texts.length === 0) return null;
  return `repair in the environment: ${listed(texts, 'more cause')}; then: npx playwright test --last-failed`;
}

/** By error and place, the most frequent first. */
function groupTexts(tests: readonly ReportTest[]): string[] {
  const groups = new Map<string, number>();
  for (const test of tests) {
    const error = errorOf(test);
    const place = error?.file ? `${error.file}:${error.line ?? 1}` : `${test.file}:${test.line}`;
    const text = `${place} ${shorten(firstLine(error?.message ?? ''), MAX_ERROR)}`.trim();
    groups.set(text, (groups.get(text) ?? 0) + 1);
  }
  const sorted = [...groups].sort(([, a], [, b]) => b - a);
  return sorted.map(([text, times]) => `${text} (${counted(times, 'test')})`);
}

/** Of the attempt that the test's verdict is from. */
function errorOf({ results, verdict }: ReportTest): ReportAttemptError | undefined {
  return results.find((result) => result.verdict === verdict)?.errors[0];
}

function listed(texts: readonly string[], more: string): string {
  const cut = texts.length - MAX_NAMED;
  const shown = texts.slice(0, MAX_NAMED).join('; ');
  return cut > 0 ? `${shown}; and ${counted(cut, more)}` : shown;
}
