import { parseArgs } from 'node:util';
import { suggest } from '../shared/suggest.ts';
import { GembaError } from '../core/errors.ts';
import { type Arguments, type CommandSpec, optionOf, usageOf } from './command.ts';

/** Reads the arguments of a command; an unknown one is an error that names the nearest. */
export function readArguments(spec: CommandSpec, args: readonly string[]): Arguments {
  const end = spec.runs === true ? args.indexOf('--') : -1;
  const { values, positionals } = parse(spec, end === -1 ? args : args.slice(0, end));
  const surplus = positionals[spec.runs === true ? 0 : (spec.most ?? 0)];
  if (surplus !== undefined)
    throw misuse(spec, spec.runs === true ? `needs "--" before "${surplus}"` : `takes no "${surplus}"`);
  const flags = Object.keys(values).filter((name) => values[name] === true);
  const repeated = new Map(
    Object.entries(values).flatMap(([name, value]) =>
      Array.isArray(value) ? [[name, value.map(String)]] : [],
    ),
  );
  for (const [name, all] of repeated)
    if (all.includes('')) throw misuse(spec, `needs ${valueOf(name)} after --${name}`);
  return {
    spec,
    flags: new Set(flags),
    values: new Map([...repeated].map(([name, all]) => [name, all.at(-1)!])),
    repeated,
    operands: end === -1 ? positionals : args.slice(end + 1),
  };
}

/** The one operand of a command that needs it. */
export function operandOf({ spec, operands }: Arguments, needed: string): string {
  const [operand] = operands;
  if (operand === undefined) throw misuse(spec, `needs ${needed}`);
  return operand;
}

export function misuse(spec: CommandSpec, what: string, cause?: unknown): GembaError {
  const message = `gemba ${spec.name} ${what}\nUsage: ${usageOf(spec)}`;
  return new GembaError('GEMBA_USAGE', message, { cause });
}

function parse(
  spec: CommandSpec,
  args: readonly string[],
): Pick<ReturnType<typeof parseArgs>, 'values' | 'positionals'> {
  const options = Object.fromEntries([
    ...(spec.flags ?? []).map((name) => [name, { type: 'boolean' as const }] as const),
    ...(spec.values ?? []).map((name) => [name, { type: 'string' as const, multiple: true }] as const),
  ]);
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw misuse(spec, problemOf(error, [...Object.keys(options), 'help']), error);
  }
}

/** What `parseArgs` found, in the words of the other messages. */
function problemOf(error: unknown, known: readonly string[]): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const option = /'(?:-\w, )?(--?[^\s'=]*)/.exec(message)?.[1] ?? '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const options = known.map((name) => `--${name}`);
    return `does not know "${option}"; ${suggest(option, options)}`;
  }
  return message.includes('does not take')
    ? `takes no value after ${option}`
    : `needs ${valueOf(option.replace(/^-+/, ''))} after ${option}`;
}

function valueOf(option: string): string {
  const [, value = ''] = optionOf(option).split(' ');
  return value === 'FILE' ? 'a file' : value;
}
