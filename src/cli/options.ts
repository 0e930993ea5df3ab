import { parseArgs } from 'node:util';
import { suggest } from '../config/schema/fields.ts';
import { GembaError } from '../core/errors.ts';

/** What the commands that read the configuration have in common. */
export interface Options {
  /** Path of the configuration, as given. */
  readonly config: string | undefined;
  readonly envFile: string | undefined;
  readonly json: boolean;
}

/** Commands that show something of every member. */
type ListCommand = 'status' | 'check';
type CommandName = ListCommand | MemberCommand;
export type MemberCommand = 'enable' | 'disable' | 'reset';

const FILE_OPTIONS = {
  config: { type: 'string' },
  'env-file': { type: 'string' },
} as const;

const FILES_USAGE = '[--config FILE] [--env-file FILE]';

export function listOptions(command: ListCommand, args: readonly string[]): Options {
  const { options, others } = read(command, args);
  if (others.length > 0) throw misuse(command, `takes no "${others[0]}"`);
  return options;
}

/** The options, and the member that is meant, as given. */
export function memberOptions(
  command: MemberCommand,
  args: readonly string[],
): { readonly options: Options; readonly target: string } {
  const { options, others } = read(command, args);
  const [target, ...more] = others;
  if (target === undefined) throw misuse(command, 'needs the name of an endpoint or key, such as api/ci-1');
  if (more.length > 0) throw misuse(command, `takes one POOL/NAME at a time, not ${others.join(' and ')}`);
  return { options, target };
}

function read(command: CommandName, args: readonly string[]): { options: Options; others: string[] } {
  const json = isList(command) ? ({ json: { type: 'boolean' } } as const) : {};
  const known = { ...FILE_OPTIONS, ...json };
  const { values, positionals } = parse(command, args, known);
  for (const name of ['config', 'env-file'] as const) {
    if (values[name] === '') throw misuse(command, `needs the name of a file after --${name}`);
  }
  const options = {
    config: values.config,
    envFile: values['env-file'],
    json: 'json' in values && values.json === true,
  };
  return { options, others: positionals };
}

function parse<T extends typeof FILE_OPTIONS>(
  command: CommandName,
  args: readonly string[],
  options: T,
): { values: { config?: string; 'env-file'?: string; json?: boolean }; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw misuse(command, inWords(error, Object.keys(options)), error);
  }
}

/** What `parseArgs` found, in the words of the other messages. */
function inWords(error: unknown, known: readonly string[]): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const option = /'(?:-\w, )?(--?[^\s'=]*)/.exec(message)?.[1] ?? '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const options = known.map((name) => `--${name}`);
    return `does not know "${option}"; ${suggest(option, options)}`;
  }
  return message.includes('does not take')
    ? `takes no value after ${option}`
    : `needs the name of a file after ${option}`;
}

function misuse(command: CommandName, what: string, cause?: unknown): GembaError {
  const own = isList(command) ? '[--json]' : 'POOL/NAME';
  const usage = `gemba ${command} ${own} ${FILES_USAGE}`;
  return new GembaError('GEMBA_USAGE', `gemba ${command} ${what}\nUsage: ${usage}`, { cause });
}

function isList(command: CommandName): boolean {
  return command === 'status' || command === 'check';
}
