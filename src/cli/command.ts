import type { Terminal } from './terminal.ts';

export interface Arguments {
  readonly spec: CommandSpec;
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
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
  readonly load: () => Promise<Command>;
}

/** `gemba status [--json] [--config FILE] [--env FILE]` */
export function usageOf({ name, operands, flags = [], values = [] }: CommandSpec): string {
  const options = [...flags.map((flag) => `[--${flag}]`), ...values.map((value) => `[--${value} FILE]`)];
  return ['gemba', name, ...(operands === undefined ? [] : [operands]), ...options].join(' ');
}
