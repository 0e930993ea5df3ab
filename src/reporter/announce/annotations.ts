import path from 'node:path';
import { firstLine } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import type { Report, ReportAttemptError, ReportTest } from '../report/model.ts';

interface AnnotationPlaces {
  /** The folder that the tests' files are relative to. */
  readonly rootDir: string;
  /** The folder that GitHub's files are relative to. */
  readonly workspace: string;
}

const MAX_MESSAGE = 1000;

/**
 * One line for each failed test, with the place of its error, in the form that GitHub Actions shows beside the code: an
 * error where the product failed or nobody knows, a warning where the environment did.
 */
export function annotations({ tests }: Report, places: AnnotationPlaces): string[] {
  return tests.filter(({ status }) => status === 'unexpected').map((test) => annotation(test, places));
}

function annotation(test: ReportTest, { rootDir, workspace }: AnnotationPlaces): string {
  const error = placedError(test);
  const file = path.relative(workspace, path.resolve(rootDir, error?.file ?? test.file));
  const properties = {
    file: file.split(path.sep).join('/'),
    line: String(error?.line ?? test.line),
    ...(error?.column ? { col: String(error.column) } : {}),
    title: plainLine(test.title),
  };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(value)}`);
  const level = test.verdict === 'environment' ? 'warning' : 'error';
  return `::${level} ${list.join(',')}::${escapeData(messageOf(test))}`;
}

/** `product: Error: expect(received).toBe(expected)` */
function messageOf(test: ReportTest): string {
  const verdict = test.verdict ?? 'failed';
  const result = test.results.find((each) => each.verdict === test.verdict) ?? test.results.at(-1);
  const lines = [firstLine(errorsOf(test)[0]?.message ?? ''), ...(result?.evidence ?? [])];
  const text = lines.map(plainLine).filter(Boolean).join('\n');
  return `${verdict}${text ? `: ${text}` : ''}`.slice(0, MAX_MESSAGE);
}

/** The attempt with the test's verdict first. */
function errorsOf({ results, verdict }: ReportTest): readonly ReportAttemptError[] {
  const deciding = results.filter((result) => result.verdict === verdict);
  return [...deciding, ...results].flatMap(({ errors }) => errors);
}

function placedError(test: ReportTest): ReportAttemptError | undefined {
  return errorsOf(test).find(({ file }) => file !== null);
}

/** As GitHub's own toolkit escapes them. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
