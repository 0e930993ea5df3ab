import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { TestError } from '@playwright/test/reporter';
import { errorText } from '../../shared/error-text.ts';
import { shorten } from '../../shared/format.ts';
import { plainLines } from '../../shared/sanitize.ts';

/** An error of a failed attempt, as Playwright reports it. */
export interface AttemptError {
  readonly message: string;
  /** The code around it; empty where Playwright has none. */
  readonly snippet: string;
  /** Its place in the user's files; null where it has none. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

interface ErrorContext {
  /** The folder that files are relative to. */
  readonly rootDir: string;
  readonly redact: (text: string) => string;
  /** Messages that the worker has redacted, by index: where blobs are merged, it alone knew the secrets. */
  readonly redacted?: readonly (string | null)[] | undefined;
}

const MAX_ERRORS = 20;
const MAX_MESSAGE = 4000;
const MAX_SNIPPET = 2500;

export function attemptErrors(errors: readonly TestError[], context: ErrorContext): AttemptError[] {
  return errors.slice(0, MAX_ERRORS).map((error, index) => {
    const place = placeOf(error, context.rootDir);
    return {
      message: clean(context.redacted?.[index] ?? errorText(error), MAX_MESSAGE, context),
      snippet: clean(error.snippet ?? '', MAX_SNIPPET, context),
      file: place && relativeFile(place.file, context.rootDir),
      line: place?.line ?? null,
      column: place?.column ?? null,
    };
  });
}

/** Redacted before it is cut, and after the colours are gone: both could split a secret. */
function clean(text: string, length: number, { redact }: ErrorContext): string {
  return shorten(redact(plainLines(stripVTControlCharacters(text))), length);
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Playwright's own place, or, where that is a package's, the first place in the user's files. */
function placeOf({ location, stack = '' }: TestError, rootDir: string): Place | null {
  if (location && isOwn(location.file, rootDir)) return location;
  return framesOf(stack).find(({ file }) => isOwn(file, rootDir)) ?? location ?? null;
}

function isOwn(file: string, rootDir: string): boolean {
  const relative = path.relative(rootDir, file);
  return rootDir !== '' && !relative.startsWith('..') && !/(^|[\\/])node_modules[\\/]/.test(relative);
}

const FRAME = /^\s+at (?:.*? \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/;
const MAX_FRAMES = 50;

function framesOf(stack: string): Place[] {
  const lines = stripVTControlCharacters(stack).split('\n').slice(0, MAX_FRAMES);
  return lines.flatMap((text) => {
    const [, file, line, column] = FRAME.exec(text) ?? [];
    return file === undefined ? [] : [{ file, line: Number(line), column: Number(column) }];
  });
}

/** A file as reports show it: relative to the tests' folder, with slashes. */
export function relativeFile(file: string, rootDir: string): string {
  const relative = path.isAbsolute(file) && rootDir ? path.relative(rootDir, file) : file;
  return relative.replaceAll('\\', '/');
}
