import type { Terminal } from './terminal.ts';

export interface Arguments {
  readonly spec: CommandSpec;
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  /** Each value of an option. */
  readonly repeated: ReadonlyMap<string, readonly string[]>;
  /** Of a command that runs another one, that one with its arguments. */
  readonly operands: readonly string[];
}

/** Runs a command. Exit codes: 0 fine, 1 a finding, 2 misuse or a configuration error. */
export type Command = (args: Arguments, terminal: Terminal) => Promise<number>;

/** One command: how it is typed, what its help says, and where its code is, which is loaded when it is asked for. */
export interface CommandSpec {
  readonly name: string;
  /** What stands after its name, options aside. */
  readonly operands?: string;
  readonly summary: string;
  readonly details?: string;
  readonly examples: readonly string[];
  /** Options without and with a value, beside `--help`. */
  readonly flags?: readonly string[];
  readonly values?: readonly string[];
  /** The most operands that it takes. Default: none. */
  readonly most?: number;
  /** Its operands stand after `--`, whatever they look like. */
  readonly runs?: boolean;
  readonly load: () => Promise<Command>;
}

/** What stands for the value of an option, where that is no file. */
const VALUES: Readonly<Record<string, string>> = {
  pool: 'POOL',
  need: 'LABEL=VALUE',
  endpoint: 'NAME',
  for: 'TIME',
  reason: 'TEXT',
  port: 'PORT',
};

/** `--config FILE` */
export function optionOf(value: string): string {
  return `--${value} ${VALUES[value] ?? 'FILE'}`;
}

/** `gemba status [--json] [--config FILE] [--env FILE]` */
export function usageOf({ name, operands, flags = [], values = [], runs = false }: CommandSpec): string {
  const options = [...flags.map((flag) => `[--${flag}]`), ...values.map((value) => `[${optionOf(value)}]`)];
  const given = operands === undefined ? [] : [operands];
  return ['gemba', name, ...(runs ? [...options, '--', ...given] : [...given, ...options])].join(' ');
}
