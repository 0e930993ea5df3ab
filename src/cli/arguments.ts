import { parseArgs } from 'node:util';
import { suggest } from '../config/schema/fields.ts';
import { GembaError } from '../core/errors.ts';

/** What a command takes: flags, options with a value, and how many names of folders. */
export interface Grammar {
  readonly command: string;
  readonly usage: string;
  readonly flags: readonly string[];
  readonly values: readonly string[];
  /** The most that may stand beside the options. */
  readonly others: number;
}

export interface Arguments {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly others: readonly string[];
}

/** Reads the arguments of a command; what it does not know is an error that names what is near. */
export function readArguments(grammar: Grammar, args: readonly string[]): Arguments {
  const options = Object.fromEntries([
    ...grammar.flags.map((name) => [name, { type: 'boolean' as const }] as const),
    ...grammar.values.map((name) => [name, { type: 'string' as const }] as const),
  ]);
  const { values, positionals } = parse(grammar, args, options);
  const surplus = positionals[grammar.others];
  if (surplus !== undefined) throw misuse(grammar, `takes no "${surplus}"`);
  const given = Object.entries(values);
  for (const [name, value] of given) {
    if (value === '') throw misuse(grammar, `needs a value after --${name}`);
  }
  return {
    flags: new Set(given.flatMap(([name, value]) => (value === true ? name : []))),
    values: new Map(given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))),
    others: positionals,
  };
}

export function misuse({ command, usage }: Grammar, what: string, cause?: unknown): GembaError {
  return new GembaError('GEMBA_USAGE', `gemba ${command} ${what}\nUsage: gemba ${command} ${usage}`, {
    cause,
  });
}

type Options = Record<string, { type: 'boolean' | 'string' }>;

function parse(
  grammar: Grammar,
  args: readonly string[],
  options: Options,
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return {
      values: parsed.values as Record<string, string | boolean | undefined>,
      positionals: parsed.positionals,
    };
  } catch (error) {
    throw misuse(grammar, inWords(error, Object.keys(options)), error);
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
    : `needs a value after ${option}`;
}
