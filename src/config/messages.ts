import { basename } from 'node:path';
import type { ConfigState } from '../core/types.ts';
import { plainText } from '../shared/sanitize.ts';
import { changeText } from './edits/changes.ts';
import type { ConfigEvent } from './live.ts';

const MAX_LINES = 40;

/** What a terminal is told of an edit that cannot be used, or not in this environment. */
export function refusalText(
  file: string,
  { revision, errors }: ConfigState,
  problems: readonly string[],
): string {
  const name = basename(file);
  const what =
    errors.length > 0
      ? `Gemba configuration: an edit of ${name} was refused; revision ${revision} stays in force:`
      : `Gemba configuration: ${name} changed to revision ${revision}, but not all of it can be used in this environment:`;
  return [what, ...lines(problems)].join('\n');
}

/** What a terminal is told of an event beside its problems; null where there is nothing to say. */
export function eventText(
  file: string,
  before: Pick<ConfigEvent, 'revision' | 'errors'> | undefined,
  event: ConfigEvent,
): string | null {
  const { revision, changes, errors } = event;
  if (!before) return null;
  const name = basename(file);
  if (before.revision === revision) {
    const isBack = before.errors.length > 0 && errors.length === 0;
    return isBack ? `Gemba configuration: ${name} is as before, revision ${revision} is in force.` : null;
  }
  const what = `Gemba configuration: ${name} changed, revision ${revision} is in force`;
  if (changes.length === 0) return `${what}; no field differs.`;
  return [`${what}:`, ...lines(changes.map(changeText))].join('\n');
}

function lines(all: readonly string[]): string[] {
  const shown = all.slice(0, MAX_LINES).map((line) => `  ${plainText(line).replaceAll('\n', '\n  ')}`);
  return all.length > MAX_LINES ? [...shown, `  and ${all.length - MAX_LINES} more`] : shown;
}
