import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GembaError, withoutCode } from '../core/errors.ts';

/** A file that two processes of a user share is short: longer ones are another's. */
const MAX_BYTES = 4_096;

/** Folders that only this user can enter, the best first; each exists. */
export function* privateFolders(): Generator<string> {
  for (const base of bases()) {
    const folder = tryFolder(base);
    if (typeof folder === 'string') yield folder;
  }
}

/** The first of {@link privateFolders} with a path no longer than `maxLength`. Throws why there is none. */
export function privateFolder(maxLength = Infinity): string {
  const reasons: string[] = [];
  for (const base of bases()) {
    const folder = tryFolder(base);
    if (typeof folder !== 'string') reasons.push(withoutCode(folder.message));
    else if (Buffer.byteLength(folder) <= maxLength) return folder;
    else
      reasons.push(`${folder}: the path is longer than ${maxLength} bytes, so that no socket can lie in it`);
  }
  throw new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    'There is no folder where processes of this user can meet, and no other user can interfere:\n' +
      `${reasons.map((reason) => `  ${reason}`).join('\n')}\n` +
      'Make one of them usable, or set TMPDIR to a folder of your own.',
  );
}

/** Throws where another user has made it or can write to it: that user could answer in the broker's place. */
export function ownFolder(base: string, uid: number | undefined = process.getuid?.()): string {
  const folder = join(base, uid === undefined ? 'gemba-agent' : `gemba-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  const isOwn = uid === undefined || (stat.uid === uid && (stat.mode & 0o077) === 0);
  if (stat.isDirectory() && isOwn) return folder;
  throw new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    `The folder ${folder} is not yours alone. ` +
      `Found: ${stat.isDirectory() ? `owner ${stat.uid}, mode ${(stat.mode & 0o777).toString(8)}` : 'not a folder'}. ` +
      `Remove it, or make it a folder of user ${uid} with mode 700.`,
  );
}

/** The text of a file that only this user can have written and can read, in a folder of this user; null for another. */
export function readPrivate(file: string): string | null {
  let descriptor: number | undefined;
  try {
    if (!isOwn(lstatSync(dirname(file)), 0o022)) return null;
    // Neither a link nor a pipe is followed.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > MAX_BYTES || !isOwn(stat, 0o077)) return null;
    const bytes = Buffer.alloc(MAX_BYTES);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } catch {
    return null;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function isOwn({ uid, mode }: { readonly uid: number; readonly mode: number }, forbidden: number): boolean {
  const own = process.getuid?.();
  return own === undefined || (uid === own && (mode & forbidden) === 0);
}

/** `/tmp` before `TMPDIR`: runs of one project may differ in that. */
function bases(): string[] {
  if (process.platform === 'win32') return [tmpdir()];
  return [...new Set(['/tmp', tmpdir(), ...(process.platform === 'linux' ? ['/dev/shm'] : [])])];
}

function tryFolder(base: string): string | Error {
  try {
    accessSync(base, constants.W_OK);
    return ownFolder(base);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
