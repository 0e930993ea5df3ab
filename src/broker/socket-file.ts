import { closeSync, lstatSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { monotonic } from '../core/clock.ts';
import { isCode } from '../shared/processes.ts';
import { sleep } from '../shared/sleep.ts';

/*
 * Where a socket is a file (neither Linux nor Windows): a process that is killed leaves it behind, and a cleaner of folders
 * may delete it while its broker lives.
 */

/** Holding the lock takes a moment. One that stays the same for so long, as this process sees it, was left by a dead one. */
const STALE_LOCK_MS = 1_000;
const LOCK_STEP_MS = 20;
const LOOK_MS = 500;

/** Listens at that path, unless a living process does. */
export async function listenAtFile(server: Server, path: string): Promise<boolean> {
  const lock = `${path}.lock`;
  if (!(await takeLock(lock, path))) return false;
  try {
    if (await answers(path)) return false;
    rmSync(path, { force: true, recursive: true });
    return await listen(server, path);
  } finally {
    rmSync(lock, { force: true, recursive: true });
  }
}

/** Calls back, once, when another process's socket is in the place of this one; a file that is gone is made again. */
export function watchSocketFile(
  path: string,
  listenAgain: () => Promise<boolean>,
  onReplaced: () => void,
): { close: () => void } {
  let own = inodeOf(path);
  let isBusy = false;
  const look = async (): Promise<void> => {
    const present = inodeOf(path);
    if (present === own || isBusy) return;
    isBusy = true;
    const isOurs = present === null && (await listenAgain());
    isBusy = false;
    if (isOurs) own = inodeOf(path);
    else {
      clearInterval(timer);
      onReplaced();
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  return { close: () => clearInterval(timer) };
}

/** False where a broker answers. */
async function takeLock(lock: string, path: string): Promise<boolean> {
  let seen = '';
  let seenAt = monotonic();
  while (!(await answers(path))) {
    try {
      closeSync(openSync(lock, 'wx', 0o600));
      return true;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    const stamp = stampOf(lock);
    if (stamp !== seen) [seen, seenAt] = [stamp, monotonic()];
    else if (monotonic() - seenAt > STALE_LOCK_MS) removeStale(lock, stamp);
    await sleep(LOCK_STEP_MS);
  }
  return false;
}

/** Renaming is atomic: of several that find the same stale lock, one takes it away. */
function removeStale(lock: string, stamp: string): void {
  const taken = `${lock}.${process.pid}`;
  try {
    renameSync(lock, taken);
    // Another process may have taken the lock since it was looked at.
    if (stampOf(taken) === stamp) rmSync(taken, { force: true, recursive: true });
    else renameSync(taken, lock);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** Differs between any two locks. Its date says nothing of its age: clocks are set back. */
function stampOf(file: string): string {
  const stat = lstatSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino} ${stat.mtimeNs}` : '';
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const say = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => say(true));
    socket.once('error', () => say(false));
  });
}

/** The socket is the user's alone from its first moment on. */
function listen(server: Server, path: string): Promise<boolean> {
  const usual = process.umask(0o177);
  const bound = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => resolve(true));
  });
  return bound.finally(() => process.umask(usual));
}
