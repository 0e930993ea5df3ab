#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { GembaError } from '../core/errors.ts';
import { HELP, LATER } from './help.ts';
import { init } from './init.ts';

process.exitCode = run(process.argv.slice(2));

/** Runs one command. Exit codes: 0 fine, 1 a finding, 2 misuse or a configuration error. */
function run([command, ...args]: readonly string[]): number {
  const print = (text: string): void => void process.stdout.write(text);
  try {
    if (command === '--version') print(`${version()}\n`);
    else if (command === undefined || command === '--help' || args.includes('--help')) print(HELP);
    else if (command === 'init') return init(args, process.cwd(), print);
    else throw unknown(command);
    return command === undefined ? 2 : 0;
  } catch (error) {
    if (!GembaError.is(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

function unknown(command: string): GembaError {
  if (LATER.includes(command)) {
    return new GembaError('GEMBA_NOT_AVAILABLE', `gemba ${command} is not in this version yet.`);
  }
  return new GembaError('GEMBA_USAGE', `gemba knows no command "${command}". See gemba --help.`);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
