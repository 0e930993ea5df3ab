import { readFileSync, statSync } from 'node:fs';
import { decodeText, UnreadableText, withoutMark } from '../shared/decode-text.ts';
import { stampOf } from '../shared/file-stamp.ts';

const MAX_BYTES = 64 * 1024;

/** A value that stands in a file of its own, as secrets of containers do; or why it is not there. */
export interface ValueFile {
  readonly stamp: string;
  readonly value?: string;
  /** Such as `does not exist`. */
  readonly problem?: string;
}

/** Reads a value without the line end behind it. */
export function readValueFile(file: string): ValueFile {
  const stamp = stampOf(file);
  try {
    const stats = statSync(file);
    // A pipe would block for ever.
    if (!stats.isFile()) return { stamp, problem: 'is not a regular file' };
    if (stats.size > MAX_BYTES) return { stamp, problem: 'is larger than 64 KB' };
    const value = withoutMark(decodeText(readFileSync(file))).replace(/\r?\n$/, '');
    return value === '' ? { stamp, problem: 'is empty' } : { stamp, value };
  } catch (error) {
    if (error instanceof UnreadableText) return { stamp, problem: error.message };
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    return { stamp, problem: isMissing ? 'does not exist' : `cannot be read (${code})` };
  }
}
