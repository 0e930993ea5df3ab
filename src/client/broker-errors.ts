import { closeSync, fstatSync, openSync, readdirSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { counted } from '../shared/format.ts';
import { brokerErrorsFile, pidOfErrorsFile } from '../shared/local-sockets.ts';
import { privateFolder, privateFolders } from '../shared/private-folder.ts';
import { hasEnded } from '../shared/processes.ts';
import { plainText } from '../shared/sanitize.ts';

/** What a broker printed to its standard error before it ended. */
export interface BrokerErrors {
  readonly pid: number;
  /** The last 64 KB at most. */
  readonly text: string;
}

const MAX_BYTES = 64 * 1024;
/** What nobody asked for after so long is of a run that is over. */
const KEEP_MS = 60 * 60 * 1_000;

/** A file for the standard error of a broker that is about to start. `keep` names it once its process is known. */
export interface ErrorsFile {
  readonly descriptor: number;
  readonly keep: (project: string, pid: number | undefined) => void;
}

export function openErrorsFile(): ErrorsFile {
  const folder = privateFolder();
  const file = join(folder, `${randomUUID()}.starting`);
  const descriptor = openSync(file, 'ax', 0o600);
  return {
    descriptor,
    keep: (project, pid) => {
      closeSync(descriptor);
      if (pid === undefined) rmSync(file, { force: true });
      else renameSync(file, join(folder, brokerErrorsFile(project, pid)));
    },
  };
}

/** What the brokers of a project printed that have ended since, each once, to the first that asks. */
export function takeBrokerErrors(projects: readonly string[], now: number): BrokerErrors[] {
  return [...privateFolders()].flatMap((folder) =>
    readdirSync(folder).flatMap((name) => {
      const pid = pidOfErrorsFile(name, projects);
      return pid === null || !hasEnded(pid) ? [] : take(join(folder, name), pid, now);
    }),
  );
}

/** In words, for a terminal. */
export function brokerErrorsText({ pid, text }: BrokerErrors): string {
  const lines = text.split('\n');
  return (
    `Gemba warning: the broker (process ${pid}) ended unexpectedly; running tests keep their leases. ` +
    `It printed ${counted(lines.length, 'line')}:\n${lines.map((line) => `  ${line}`).join('\n')}`
  );
}

function take(file: string, pid: number, now: number): BrokerErrors[] {
  const taken = `${file}.${process.pid}`;
  try {
    renameSync(file, taken);
    const { mtimeMs, text } = readEnd(taken);
    rmSync(taken, { force: true });
    return text === '' || now - mtimeMs > KEEP_MS ? [] : [{ pid, text }];
  } catch {
    // Another process has taken it.
    return [];
  }
}

function readEnd(file: string): { mtimeMs: number; text: string } {
  const descriptor = openSync(file, 'r');
  try {
    const { size, mtimeMs } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, MAX_BYTES));
    const length = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return { mtimeMs, text: plainText(buffer.toString('utf8', 0, length)).trim() };
  } finally {
    closeSync(descriptor);
  }
}
