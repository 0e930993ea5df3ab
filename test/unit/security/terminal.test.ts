import { describe, expect, it } from 'vitest';
import { printable } from '../../../src/cli/terminal.ts';
import { table } from '../../../src/cli/table.ts';
import { Findings } from '../../../src/cli/scan/findings.ts';
import { scanText } from '../../../src/cli/scan/scan-view.ts';
import { checkSource } from '../../../src/config/load.ts';
import { sourceOf } from '../../../src/config/source.ts';
import { eventText, refusalText } from '../../../src/config/messages.ts';
import { plainLine, plainText } from '../../../src/shared/sanitize.ts';
import { openerFor } from '../../../src/reporter/terminal/open.ts';
import { COMMAND, HOSTILE, POSING } from '../../harness/hostile.ts';

const found = (text: string, what: RegExp): string | null => what.exec(text)?.[0] ?? null;

/** Nothing in it moves a cursor, turns text around, begins a line of ours, or commands a CI system. */
function expectHarmless(text: string): void {
  expect(found(text, POSING)).toBeNull();
  expect(found(text, COMMAND)).toBeNull();
  expect(found(text, /^Gemba(?::| gate)/m)).toBeNull();
}

describe('a name that others gave', () => {
  it.each(HOSTILE)('is a part of a line, and nothing else: %.40j', (name) => {
    expectHarmless(`x ${plainLine(name)}`);
    expect(plainLine(name)).not.toContain('\n');
    expect(found(plainText(name), POSING)).toBeNull();
    expect(found(plainText(name), COMMAND)).toBeNull();
  });

  it('stays as it is where it is harmless', () => {
    for (const name of [
      'orders › pays “late”',
      'naïve 日本語 👩‍💻',
      'a::b',
      '::1:8080',
      '::ffff:10.0.0.1',
      '# heading',
      '10:00',
      'x ## y',
      'مرحبا',
    ])
      expect([plainLine(name), plainText(name)]).toEqual([name, name]);
  });

  it('is a cell of a table, in one line', () => {
    const rows = HOSTILE.map((name) => ['key', name, name]);
    const text = table(['kind', 'name', 'why'], rows);
    expectHarmless(text);
    expect(text.trimEnd().split('\n')).toHaveLength(HOSTILE.length + 1);
  });

  it('is a file of a scan, in one line', () => {
    const findings = new Findings();
    for (const file of HOSTILE) findings.stopped({ file, inner: HOSTILE.slice(0, 3) }, file);
    const view = {
      folder: '/x',
      findings,
      keys: 1,
      tooShort: [],
      leftOut: [],
      redact: (text: string) => text,
    };
    const text = scanText(view);
    expect(found(text, POSING)).toBeNull();
    expect(found(text, COMMAND)).toBeNull();
    expect(text.trimEnd().split('\n')).toHaveLength(HOSTILE.length + 2);
  });

  it('is a part of a configuration’s problems, and of what a terminal is told of an edit', () => {
    const pools = Object.fromEntries(
      HOSTILE.map((name) => [name, { [name]: name, endpoints: [name], rotation: name }]),
    );
    let message = '';
    try {
      const text = JSON.stringify({ pools, [HOSTILE[9]!]: 1 });
      checkSource(sourceOf([{ path: '/x/gemba.config.json', text }]));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('problems');
    expectHarmless(message);
    const state = { seq: 1, at: 0, broker: 'b', revision: 'r', errors: [...HOSTILE] };
    const told = refusalText('/x/gemba.config.json', state, HOSTILE).split('\n').slice(1).join('\n');
    expectHarmless(told);
    const changes = HOSTILE.map((name) => ({ path: name, old: name, new: name }));
    const event = eventText('/x/gemba.config.json', { revision: 'q', errors: [] }, { ...state, changes });
    expectHarmless(event!.split('\n').slice(1).join('\n'));
  });
});

describe('what a command prints', () => {
  it('commands a terminal to nothing but our colours', () => {
    for (const name of HOSTILE) expect(found(printable(name), /(?![\n\t])\p{Cc}/u)).toBeNull();
    expect(printable('\u001B[31mred\u001B[0m\n\tx')).toBe('\u001B[31mred\u001B[0m\n\tx');
    expect(printable('\u001B[2J\u001B]0;title\u0007\u009B2J')).toBe(' [2J ]0;title  2J');
  });

  it('opens a file by its name alone, whatever the name says to a shell', () => {
    for (const platform of ['linux', 'darwin'] as const)
      expect(openerFor(platform, '/x/a;b$(c)&d.html').slice(1)).toEqual(['/x/a;b$(c)&d.html']);
    // A name there cannot hold a quote.
    expect(openerFor('win32', 'C:\\R&calc\\index.html').at(-1)).toBe('"start "" "C:\\R&calc\\index.html""');
  });
});
