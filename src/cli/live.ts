import { once } from 'node:events';
import { misuse } from './arguments.ts';
import type { Arguments, Command } from './command.ts';
import { filesOf, findFiles, loadConfig } from './load.ts';
import { LiveView } from '../reporter/live/live.ts';

const HOST = '127.0.0.1';

/** Serves the live page without a run, until it is interrupted. */
export const live: Command = async (args, terminal) => {
  const port = portOf(args);
  const files = filesOf(args);
  const { config } = loadConfig(files, terminal);
  const { env } = findFiles(files, terminal);
  const place = { folder: terminal.folder, option: undefined, found: { file: config.path, env } };
  const print = (line: string): void => terminal.print(`${line}\n`);
  const warn = (line: string): void => terminal.warn(`${line}\n`);
  const view = new LiveView({ host: HOST, port }, place, { print, warn });
  const [interrupted, stay] = [ended(), setInterval(() => {}, 60_000)];
  try {
    if (!(await view.showPools(`Gemba live: ${config.name}`))) return 1;
    print('Press Ctrl-C to end.');
    await interrupted;
    return 0;
  } finally {
    clearInterval(stay);
    await view.close();
  }
};

function portOf(args: Arguments): number {
  const text = args.values.get('port') ?? '0';
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw misuse(args.spec, `takes no port ${JSON.stringify(text)}: it must be a whole number up to 65535`);
}

async function ended(): Promise<void> {
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
}
