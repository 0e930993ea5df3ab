import { stripVTControlCharacters } from 'node:util';

/** An error of a test, as Playwright describes it in worker and reporter. */
export interface DescribedError {
  readonly message?: string | undefined;
  readonly value?: string | undefined;
  readonly cause?: DescribedError | undefined;
}

const MAX_CAUSES = 5;

/** The message with those of its causes, without colours: a colour in the middle of a secret would hide it. */
export function errorText(error: DescribedError, depth: number = 0): string {
  const own = stripVTControlCharacters(error.message ?? error.value ?? 'An error without a message.');
  if (!error.cause || depth >= MAX_CAUSES) return own;
  return `${own}\n[cause]: ${errorText(error.cause, depth + 1)}`;
}
