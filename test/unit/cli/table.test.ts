import { describe, expect, it } from 'vitest';
import { table } from '../../../src/cli/table.ts';
import { wantsColours } from '../../../src/cli/terminal.ts';

describe('a table', () => {
  it('aligns its columns and pads no line at its end', () => {
    expect(
      table(
        ['kind', 'name', 'why'],
        [
          ['key', 'ci-1', 'refused 401'],
          ['endpoint', 'eu', 'x'],
        ],
      ),
    ).toBe('kind      name  why\nkey       ci-1  refused 401\nendpoint  eu    x\n');
  });

  it('shows an empty cell as -', () => {
    expect(table(['a', 'b'], [['', '']], { indent: '  ' })).toBe('  a  b\n  -  -\n');
  });

  it('aligns by what is seen, not by the codes of colours', () => {
    const rows = [
      [{ text: 'ejected', colour: 31 }, 'x'],
      ['ok', 'y'],
    ];
    expect(table(['state', 'why'], rows, { colours: true })).toBe(
      'state    why\n\u001B[31mejected\u001B[0m  x\nok       y\n',
    );
    expect(table(['state', 'why'], rows)).toBe('state    why\nejected  x\nok       y\n');
  });

  it('keeps one row on one line and lets no text of others steer the terminal', () => {
    expect(table(['by'], [['a title\nof two\tlines \u001B[2J\u009B31m']])).toBe(
      'by\na title of two lines [2J 31m\n',
    );
  });

  it('of no rows is its head', () => {
    expect(table(['a', 'b'], [])).toBe('a  b\n');
  });
});

describe('colours', () => {
  it('are for a terminal whose user does not refuse them', () => {
    expect(wantsColours(true, {})).toBe(true);
    expect(wantsColours(true, { NO_COLOR: '' })).toBe(true);
    expect(wantsColours(true, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColours(true, { TERM: 'dumb' })).toBe(false);
    expect(wantsColours(false, {})).toBe(false);
    expect(wantsColours(undefined, {})).toBe(false);
  });
});
