/** Control characters, line separators, and what turns the direction of text around: with them a text can pose as another. */
const POSING = String.raw`\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069`;
const POSING_OR_SPACE = new RegExp(String.raw`[\s${POSING}]+`, 'gu');
const POSING_IN_LINES = new RegExp(String.raw`(?!\n)[${POSING}]`, 'gu');
/**
 * What CI systems take for a command in the output of a step: at a line's beginning, or anywhere in it. `::name::` is one,
 * the address `::1` is none.
 */
const COMMAND_AT_START = /^(\s*):(?=:.*::)/;
const COMMAND_WITHIN = /##(?=(?:vso|teamcity)?\[)/g;

/** A text of others as a part of one line of a terminal: it cannot move the cursor, begin a line, or command a CI system. */
export function plainLine(text: string): string {
  return harmless(text.replaceAll(POSING_OR_SPACE, ' ').trim());
}

/** The same for a text that may have several lines. */
export function plainText(text: string): string {
  return text.replaceAll(POSING_IN_LINES, ' ').split('\n').map(harmless).join('\n');
}

/** A text of several lines for a page: without control characters, and without what reverses the direction of text. */
export function plainLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\t', '  ').replaceAll(POSING_IN_LINES, ' ');
}

function harmless(line: string): string {
  return line.replace(COMMAND_AT_START, '$1: ').replaceAll(COMMAND_WITHIN, '# #');
}
