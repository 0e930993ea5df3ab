import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { isAlive } from '../../shared/processes.ts';
import type { JournalHead } from './journal-format.ts';

const NAME = /^journal-.*\.ndjson$/;
const MAX_HEAD = 16 * 1024;
/** Whether a run of another machine goes on cannot be checked; its journal is kept this long. */
const FOREIGN_MS = 24 * 60 * 60 * 1000;

/** The journals of a folder, the newest first. */
export function journalsIn(folder: string): string[] {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && NAME.test(entry.name))
    .map((entry) => path.join(folder, entry.name));
  return files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
}

/** Its run has ended, as far as this machine can tell. */
export function isOver(file: string): boolean {
  const head = headOf(file);
  if (head?.host === hostname()) return !isAlive(head.pid);
  return systemClock() - statSync(file).mtimeMs > FOREIGN_MS;
}

/** Its run goes on, on this machine. */
export function goesOn(file: string): boolean {
  const head = headOf(file);
  return head?.host === hostname() && isAlive(head.pid);
}

/** The first line of a journal; null where the file is not a journal. */
export function headOf(file: string): JournalHead | null {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(MAX_HEAD);
    const text = buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, MAX_HEAD, 0));
    const head = JSON.parse(text.split('\n', 1)[0]!) as Partial<JournalHead>;
    return head.journal === 'gemba-journal/1' ? (head as JournalHead) : null;
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}
