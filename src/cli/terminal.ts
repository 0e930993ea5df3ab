import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GembaError } from '../core/errors.ts';

/** What a command may use of the process that runs it. */
export interface Terminal {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly colours: boolean;
  /** A person is there, whose browser may be opened. */
  readonly interactive: boolean;
  /** To standard output: what was asked for. */
  readonly print: (text: string) => void;
  /** To standard error: what went wrong. */
  readonly warn: (text: string) => void;
  /** Asks a person yes or no. Absent: nobody is there to answer. */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
  /** One line that says how far it is, written over itself; an empty one takes it away. Absent: nobody watches. */
  readonly progress?: ((line: string) => void) | undefined;
}

export function systemTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process;
  const isWatched = stderr.isTTY && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '';
  return {
    folder: process.cwd(),
    env,
    colours: wantsColours(stdout.isTTY, env),
    interactive: !env['CI'] && Boolean(stdin.isTTY) && Boolean(stdout.isTTY),
    print: (text) => void stdout.write(printable(text)),
    warn: (text) => void stderr.write(printable(text)),
    ask: stdin.isTTY && stdout.isTTY && !env['CI'] ? ask : undefined,
    progress: isWatched ? (line) => void stderr.write(`\r\u001B[2K${printable(line)}`) : undefined,
  };
}

async function ask(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await asking.question(`${printable(question)} [y/N] `)).trim());
  } finally {
    asking.close();
  }
}

/** A file as a person at a terminal can click it; elsewhere its path, relative to the current folder. */
export function linkTo(file: string, { folder, interactive }: Terminal): string {
  return interactive ? pathToFileURL(file).href : relative(folder, file) || file;
}

/** Our colours, and every other control character. */
const CONTROLS = new RegExp(String.raw`\u001B\[\d{1,2}m|(?![\n\t])\p{Cc}`, 'gu');

/** What a file, a server or a test is called reaches the terminal as text; of its commands, only our colours do. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, (sign) => (sign.length > 1 ? sign : ' '));
}

/** Colours are for people at a terminal who did not say that they want none (https://no-color.org). */
export function wantsColours(isTTY: boolean | undefined, env: Terminal['env']): boolean {
  return isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** An error of ours or of the system in words; anything else is a fault of this program and keeps its stack. */
export function messageOf(error: unknown): string | undefined {
  if (GembaError.is(error)) return error.message;
  return error instanceof Error && 'syscall' in error ? `gemba failed: ${error.message}` : undefined;
}
