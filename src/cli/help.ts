import { type CommandSpec, optionOf, usageOf } from './command.ts';
import { COMMANDS, OPTIONS } from './commands.ts';

/** The help of one command. */
export function commandHelp(spec: CommandSpec): string {
  const { summary, details, examples, flags = [], values = [] } = spec;
  const options: Entry[] = [
    ...flags.map((flag): Entry => [`--${flag}`, OPTIONS[flag] ?? '']),
    ...values.map((value): Entry => [optionOf(value), OPTIONS[value] ?? '']),
    ['--help, -h', 'show this help'],
  ];
  const sections = [
    `Usage: ${usageOf(spec)}`,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${details === undefined ? '' : `\n${details}`}`,
    `Options\n${table(options)}`,
    `Examples\n${examples.map((example) => `  ${example}`).join('\n')}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The help of all. */
export function generalHelp(): string {
  const commands = COMMANDS.map(({ name, operands, summary }): Entry => [
    [name, operands ?? ''].join(' ').trim(),
    summary,
  ]);
  return `Usage: gemba COMMAND [OPTIONS]

Leases of rotated endpoints and keys for Playwright tests.

Commands
${table(commands)}

Options
${table([
  ['--help, -h', 'show this help; "gemba help COMMAND" shows that of a command'],
  ['--version, -v', 'show the version'],
])}

Commands other than check send no key anywhere, but need the variables of the configuration: a key is known
by its name and a fingerprint of its value, so one with a new value is a new key.

Exit codes: 0 fine, 1 a finding, 2 misuse or a configuration error.
`;
}

type Entry = readonly [name: string, what: string];

function table(entries: readonly Entry[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  return entries.map(([name, what]) => `  ${name.padEnd(width)}${what}`).join('\n');
}
