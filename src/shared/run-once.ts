import { createHash } from 'node:crypto';
import { readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder } from './private-folder.ts';
import { isCode, startOf } from './processes.ts';

const PREFIX = 'said-';
const KEEP_MS = 24 * 60 * 60 * 1_000;

/**
 * True for one of the child processes of this process's parent, such as the workers of a run, and false for all others
 * that ask about the same topic: without a broker. True where that cannot be decided.
 */
export function isFirstOfSiblings(topic: string, now: number): boolean {
  const { ppid } = process;
  const hash = createHash('sha256').update(topic).digest('hex').slice(0, 16);
  try {
    const folder = privateFolder();
    forgetOld(folder, now);
    // With the time of its start, a process is not taken for a later one of the same number.
    writeFileSync(join(folder, `${PREFIX}${ppid}-${startOf(ppid) ?? ''}-${hash}`), '', { flag: 'wx' });
    return true;
  } catch (error) {
    return !isCode(error, 'EEXIST');
  }
}

function forgetOld(folder: string, now: number): void {
  for (const name of readdirSync(folder).filter((each) => each.startsWith(PREFIX))) {
    const file = join(folder, name);
    try {
      if (now - statSync(file).mtimeMs > KEEP_MS) unlinkSync(file);
    } catch {
      // Another process was faster.
    }
  }
}
