import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/arguments.ts';
import { commandHelp, generalHelp } from '../../../src/cli/help.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { GembaError } from '../../../src/core/errors.ts';
import { runCommand } from '../../harness/command.ts';

const spec = (name: string): (typeof COMMANDS)[number] => COMMANDS.find((each) => each.name === name)!;

async function misuse(read: () => unknown): Promise<string> {
  try {
    await read();
  } catch (error) {
    expect(GembaError.is(error) && error.code).toBe('GEMBA_USAGE');
    return (error as GembaError).message;
  }
  throw new Error('nothing was found wrong');
}

describe('the arguments of a command', () => {
  it('are read in any order', () => {
    const { flags, values } = readArguments(spec('status'), ['--json', '--config=a.json', '--env=-x']);
    expect([[...flags], [...values]]).toEqual([
      ['json'],
      [
        ['config', 'a.json'],
        ['env', '-x'],
      ],
    ]);
    const { operands, values: files } = readArguments(spec('disable'), ['--config', 'a.json', 'api/ci-1']);
    expect([operands, [...files]]).toEqual([['api/ci-1'], [['config', 'a.json']]]);
    expect(readArguments(spec('reset'), ['--', '--odd/name']).operands).toEqual(['--odd/name']);
  });

  it.each([
    [['--jsn'], 'gemba status does not know "--jsn"; did you mean "--json"?'],
    [['--verbose=3'], 'gemba status does not know "--verbose"; known: --json, --config, --env, --help'],
    [['-j'], 'gemba status does not know "-j"; known: --json, --config, --env, --help'],
    [['--config'], 'gemba status needs a file after --config'],
    [['--config', '--json'], 'gemba status needs a file after --config'],
    [['--env='], 'gemba status needs a file after --env'],
    [['--json=yes'], 'gemba status takes no value after --json'],
    [['api'], 'gemba status takes no "api"'],
  ])('%j is misuse, answered with the usage', async (args, message) => {
    const usage = 'Usage: gemba status [--json] [--config FILE] [--env FILE]';
    expect(await misuse(() => readArguments(spec('status'), args))).toBe(
      `${message}\n${usage}\n(GEMBA_USAGE)`,
    );
  });

  it('takes what stands after "--" as a command, with each value of an option', () => {
    const args = readArguments(spec('run'), [
      '--need',
      'a=1',
      '--need=b=2',
      '--',
      'npm',
      'test',
      '--',
      '--json',
      '-h',
    ]);
    expect(args.operands).toEqual(['npm', 'test', '--', '--json', '-h']);
    expect(args.repeated.get('need')).toEqual(['a=1', 'b=2']);
  });

  it.each([
    [['pytest', 'tests'], 'gemba run needs "--" before "pytest"'],
    [['--pool', '--', 'ls'], 'gemba run needs POOL after --pool'],
    [['--nead', 'a=1', '--', 'ls'], 'gemba run does not know "--nead"; did you mean "--need"?'],
  ])('%j is misuse of a command that runs another', async (args, message) => {
    expect(await misuse(() => readArguments(spec('run'), args))).toContain(
      `${message}\nUsage: gemba run [--pool POOL]`,
    );
  });

  it.each([
    [[], 'gemba enable needs the name of an endpoint or key, such as api/ci-1'],
    [['api/a', '--jso'], 'gemba enable does not know "--jso"; did you mean "--json"?'],
  ])('%j names no one member', async (args, message) => {
    const usage = 'Usage: gemba enable POOL/NAME … [--json] [--config FILE] [--env FILE]';
    expect(await misuse(() => runCommand('enable', args, { folder: '/' }))).toBe(
      `${message}\n${usage}\n(GEMBA_USAGE)`,
    );
  });
});

describe('gemba reserve', () => {
  it.each([
    [['api/a'], 'needs --for TIME, such as --for 2h'],
    [['api/a', '--for', '2h'], 'needs --reason TEXT: tests that find nothing free show it'],
    [['api/a', '--for', 'soon', '--reason', 'x'], 'takes no --for "soon": it must be a duration'],
    [['api/a', '--for', '0', '--reason', 'x'], 'takes no --for "0": it must be more than 0'],
    [['api/a', '--for', '900h', '--reason', 'x'], 'takes no --for "900h": it must be at most 596h'],
    [['api/a', '--for', '2h', '--reason', 'x'.repeat(201)], 'takes a reason of at most 200 characters'],
  ])('%j is misuse', async (args, message) => {
    expect(await misuse(() => runCommand('reserve', args, { folder: '/' }))).toContain(
      `gemba reserve ${message}`,
    );
  });
});

describe('the help', () => {
  it('lists every command', () => {
    for (const { name, summary } of COMMANDS) {
      expect(generalHelp()).toContain(`  ${name}`);
      expect(generalHelp()).toContain(summary);
    }
  });

  it.each(COMMANDS)('of $name shows its usage, what its options mean, and an example', (command) => {
    const help = commandHelp(command);
    expect(help).toContain(`Usage: gemba ${command.name}`);
    expect(help).toContain(`Examples\n  npx gemba ${command.name}`);
    for (const option of [...(command.flags ?? []), ...(command.values ?? [])])
      expect(help).toMatch(new RegExp(`^  --${option}( [A-Z=]+)?  +\\S`, 'm'));
  });
});
