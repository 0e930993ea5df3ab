import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/shared/json.ts';
import { splitLines, toLine } from '../../../src/wire/lines.ts';

const TITLES = [
  'plain',
  'file.spec.ts › logs in',
  'Größe',
  '価格 😀',
  '\ud83d alone',
  'line\nbreak "quoted" \\',
  '\u2028',
];

function read(text: string): unknown[] {
  const lines: unknown[] = [];
  const hear = splitLines(
    (line) => lines.push(parseJson(line)),
    () => {},
  );
  hear(text);
  return lines;
}

describe('a message as a line', () => {
  test.each(TITLES)('%j is one line of ASCII that says the same', (holder) => {
    const message = { type: 'acquire', holder, need: { [holder]: holder } };
    const line = toLine(message);
    expect(Buffer.from(line, 'latin1').every((byte) => byte < 0x80)).toBe(true);
    expect(line).toHaveLength(Buffer.byteLength(line, 'utf8'));
    expect(read(line)).toEqual([message]);
  });

  test('has the fields of both parts', () => {
    expect(read(toLine({ ask: 7 }, { type: 'retry', lease: 'a › b' }))).toEqual([
      { ask: 7, type: 'retry', lease: 'a › b' },
    ]);
  });
});
