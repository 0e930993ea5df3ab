import { basename } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { plainText } from '../shared/sanitize.ts';

/** One thing that is wrong in a config file, or in a file that it extends. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly file: string;
  /** The field of that file, such as `pools.api.keys[1].value`, or the variable that it is about; empty for the file itself. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A config file that cannot be used, with everything that is wrong in it. */
export class ConfigError extends GembaError {
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], options?: { cause?: unknown }) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const lines = problems.map((problem) => `  ${inWords(problem)}`);
    super(
      'GEMBA_CONFIG_INVALID',
      [`${basename(file)} is not valid (${count}):`, ...lines].join('\n'),
      options,
    );
    this.problems = problems;
  }
}

export type Path = readonly (string | number)[];

/** A problem before its place in the file is looked up. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** Whether it is about the value or about the name of the field. */
  readonly at?: 'name' | undefined;
  /** Its place in the text, where that is known already. */
  readonly offset?: number | undefined;
  /** The file in which `path` and `offset` are; absent: `path` is in the merged value of all files. */
  readonly file?: string | undefined;
  /** What it is about, where that is not the field at `path`. */
  readonly about?: string | undefined;
}

/** Such as `pools.api.keys[1].value`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((before, step) => {
    return typeof step === 'number' ? `${before}[${step}]` : fieldPath(before, step);
  }, '');
}

/** The path of a field, by the path of what holds it. */
export function fieldPath(path: string, field: string): string {
  if (!/^[\w$@-]+$/.test(field)) return `${path}[${JSON.stringify(field)}]`;
  return path === '' ? field : `${path}.${field}`;
}

/** Everything that was found, each at its place, by file and in the order of each. */
export function configError(file: string, document: Locator, findings: readonly Finding[]): ConfigError {
  const problems = findings.map((finding): ConfigProblem => {
    const { path, ...place } = document.locate(finding);
    return { ...place, path: finding.about ?? formatPath(path), message: finding.message };
  });
  const files = [...new Set(problems.map((problem) => problem.file))];
  const unique = new Map(problems.map((problem) => [inWords(problem), problem]));
  const sorted = [...unique.values()].sort(
    (left, right) =>
      files.indexOf(left.file) - files.indexOf(right.file) ||
      left.line - right.line ||
      left.column - right.column,
  );
  return new ConfigError(file, sorted);
}

/** Where a finding stands in a file. */
export interface Located {
  readonly file: string;
  readonly path: Path;
  readonly line: number;
  readonly column: number;
}

interface Locator {
  locate(finding: Finding): Located;
}

/** `file:line:column  path: message` */
export function inWords({ file, path, line, column, message }: ConfigProblem): string {
  return plainText(`${file}:${line}:${column}  ${path === '' ? '' : `${path}: `}${message}`);
}
