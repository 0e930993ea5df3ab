import { firstLine, shorten } from '../../shared/format.ts';
import type { AttemptError } from '../collect/attempt-errors.ts';
import type { JudgedTest } from './judging.ts';

const MAX_TEXT = 120;
/** Playwright marks the line of the error in the code around it. */
const MARKED_LINE = /^\s*>\s*\d+\s*\|(.*)$/m;

/** The error that the test's verdict is about: the first one of the first attempt with that verdict. */
export function decidingError({ test, verdict, judgements }: JudgedTest): AttemptError | null {
  const index = judgements.findIndex((judgement) => judgement?.verdict === verdict);
  return test.results[index]?.errors[0] ?? null;
}

/** What a failed check is called by Playwright, which its code says as well. */
const CHECK = /^Error: expect\b/;

/**
 * `` `expect(total).toBe(43)` at checkout.spec.ts:85 ``, with the first line of the message where it is no failed check; that line
 * alone without code.
 */
export function errorAndPlace({ message, snippet, file, line }: AttemptError): string {
  const code = codeOf(snippet);
  const said = shorten(firstLine(message), MAX_TEXT);
  const place = file === null ? '' : ` at ${file}:${line ?? 1}`;
  if (code === '') return `${said}${place}`;
  return `\`${code}\`${place}${CHECK.test(said) || said === '' ? '' : `: ${said}`}`;
}

/** What errors of one cause share: place, code and message without its numbers. */
export function errorName(error: AttemptError): string {
  const { message, snippet, file, line } = error;
  return [file, line, codeOf(snippet), firstLine(message).replaceAll(/\d+/g, '#')].join('\n');
}

function codeOf(snippet: string): string {
  const line = MARKED_LINE.exec(snippet)?.[1]?.trim() ?? '';
  return shorten(
    line
      .replace(/^await\s+/, '')
      .replace(/;$/, '')
      .replaceAll('`', '’'),
    MAX_TEXT,
  );
}
