#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { packageRoot } from '../shared/package-root.ts';
import { GembaError } from '../core/errors.ts';
import { COMMANDS } from './commands.ts';
import { type CommandSpec } from './command.ts';
import { commandHelp, generalHelp } from './help.ts';
import { messageOf, systemTerminal, type Terminal } from './terminal.ts';

/** What a finished command leaves open, such as a socket to a broker that hangs, may keep the process this long. */
const LEFT_OPEN_MS = 500;

void main(process.argv.slice(2), systemTerminal());

async function main(args: readonly string[], terminal: Terminal): Promise<void> {
  try {
    process.exitCode = await run(args, terminal);
  } catch (error) {
    const message = messageOf(error);
    if (message === undefined) throw error;
    terminal.warn(`${message}\n`);
    process.exitCode = 2;
  }
  // oxlint-disable-next-line no-restricted-properties -- fires only where something keeps the process from its end
  setTimeout(() => process.exit(), LEFT_OPEN_MS).unref();
}

/** Runs one command. Exit codes: 0 fine, 1 a finding, 2 misuse or a configuration error. */
async function run([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  const { print } = terminal;
  if (name === undefined) return said(print, generalHelp(), 2);
  if (name === '--version' || name === '-v') return said(print, `${version()}\n`);
  if (isHelp(name)) return said(print, generalHelp());
  if (name === 'help')
    return said(print, args[0] === undefined ? generalHelp() : commandHelp(await commandNamed(args[0])));
  const spec = await commandNamed(name);
  const end = args.indexOf('--');
  if (args.slice(0, end === -1 ? undefined : end).some(isHelp)) return said(print, commandHelp(spec));
  const [{ readArguments }, command] = await Promise.all([import('./arguments.ts'), spec.load()]);
  return command(readArguments(spec, args), terminal);
}

async function commandNamed(name: string): Promise<CommandSpec> {
  const spec = COMMANDS.find((command) => command.name === name);
  if (spec) return spec;
  const { suggest } = await import('../shared/suggest.ts');
  const known = suggest(name, [...COMMANDS.map((command) => command.name), 'help']);
  throw new GembaError('GEMBA_USAGE', `gemba has no command "${name}"; ${known} See gemba --help.`);
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h';
}

function said(print: Terminal['print'], text: string, exitCode = 0): number {
  print(text);
  return exitCode;
}

function version(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
