import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

interface WriteOptions {
  /** Permissions of the new file; default: those of any file. */
  readonly mode?: number;
  /** Waits until the disk has it; default: false. */
  readonly flush?: boolean;
  /** Called before the new file takes the old one's place; what it throws keeps the old one. */
  readonly beforeReplace?: () => void;
}

/** Writes a file so that a reader sees the old one or the new one, never a part. */
export async function writeWhole(file: string, content: string | Iterable<string>): Promise<void> {
  const temporary = temporaryFor(file);
  await mkdir(path.dirname(file), { recursive: true });
  try {
    await writeFile(temporary, content, { flag: 'wx' });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** As {@link writeWhole}, at once. */
export function writeWholeSync(
  file: string,
  content: string | Buffer,
  { mode = 0o666, flush = false, beforeReplace }: WriteOptions = {},
): void {
  const temporary = temporaryFor(file);
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    // Never through something that stands there already, such as a link to another file.
    writeFileSync(temporary, content, { mode, flag: 'wx', flush });
    beforeReplace?.();
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function temporaryFor(file: string): string {
  return `${file}.${randomUUID().slice(0, 8)}.tmp`;
}
