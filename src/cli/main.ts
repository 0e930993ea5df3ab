#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { GembaError } from '../core/errors.ts';
import { HELP } from './help.ts';
import { init } from './init.ts';
import { type Command, messageOf, systemTerminal, type Terminal } from './terminal.ts';

/** Commands that need the libraries of the configuration load them when they are asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import('./check.ts')).check,
  status: async () => (await import('./status.ts')).status,
  enable: async () => (await import('./enable.ts')).enable,
  disable: async () => (await import('./disable.ts')).disable,
  reset: async () => (await import('./reset.ts')).reset,
  'show-report': async () => (await import('./show-report.ts')).showReport,
  scan: async () => (await import('./scan.ts')).scan,
};

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
  const { print, folder } = terminal;
  if (name === '--version') print(`${version()}\n`);
  else if (name === undefined || name === '--help' || args.includes('--help')) print(HELP);
  else if (name === 'init') return init(args, folder, print);
  else {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw unknown(name);
    return (await command())(args, terminal);
  }
  return name === undefined ? 2 : 0;
}

function unknown(name: string): GembaError {
  return new GembaError('GEMBA_USAGE', `gemba knows no command "${name}". See gemba --help.`);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
