import { describe, expect, it } from 'vitest';
import { listOptions, memberOptions } from '../../../src/cli/options.ts';
import { GembaError } from '../../../src/core/errors.ts';

const USAGE = 'Usage: gemba status [--json] [--config FILE] [--env-file FILE]';

function misuse(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(GembaError.is(error) && error.code).toBe('GEMBA_USAGE');
    return (error as GembaError).message;
  }
  throw new Error('nothing was found wrong');
}

describe('the options of a command', () => {
  it('are read in any order', () => {
    expect(listOptions('status', [])).toEqual({ config: undefined, envFile: undefined, json: false });
    const all = { config: 'a.json', envFile: '-x', json: true };
    expect(listOptions('status', ['--json', '--config=a.json', '--env-file=-x'])).toEqual(all);
    expect(memberOptions('disable', ['--config', 'a.json', 'api/ci-1', '--env-file', 'b'])).toEqual({
      options: { config: 'a.json', envFile: 'b', json: false },
      target: 'api/ci-1',
    });
    expect(memberOptions('reset', ['--', '--odd/name']).target).toBe('--odd/name');
  });

  it.each([
    [['--jsn'], 'gemba status does not know "--jsn"; did you mean "--json"?'],
    [['--verbose=3'], 'gemba status does not know "--verbose"; known: --config, --env-file, --json'],
    [['-j'], 'gemba status does not know "-j"; known: --config, --env-file, --json'],
    [['--config'], 'gemba status needs the name of a file after --config'],
    [['--config', '--json'], 'gemba status needs the name of a file after --config'],
    [['--env-file='], 'gemba status needs the name of a file after --env-file'],
    [['--json=yes'], 'gemba status takes no value after --json'],
    [['api'], 'gemba status takes no "api"'],
  ])('%j is misuse, said in words, with the usage', (args, message) => {
    expect(misuse(() => listOptions('status', args))).toBe(`${message}\n${USAGE}`);
  });

  it.each([
    [[], 'gemba enable needs the name of an endpoint or key, such as api/ci-1'],
    [['api/a', 'api/b'], 'gemba enable takes one POOL/NAME at a time, not api/a and api/b'],
    [['api/a', '--json'], 'gemba enable does not know "--json"; known: --config, --env-file'],
  ])('%j names no one member', (args, message) => {
    const usage = 'Usage: gemba enable POOL/NAME [--config FILE] [--env-file FILE]';
    expect(misuse(() => memberOptions('enable', args))).toBe(`${message}\n${usage}`);
  });
});
