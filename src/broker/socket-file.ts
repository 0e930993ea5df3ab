import { rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { FileLock } from '../shared/file-lock.ts';
import { sleep } from '../shared/sleep.ts';

/*
 * Where a socket is a file (neither Linux nor Windows): a process that is killed leaves it behind, and a cleaner of folders
 * may delete it while its broker lives.
 */

const LOCK_STEP_MS = 20;
const LOOK_MS = 500;

/** Listens at that path, unless a living process does. */
export async function listenAtFile(server: Server, path: string): Promise<boolean> {
  const lock = new FileLock(`${path}.lock`);
  for (;;) {
    if (await answers(path)) return false;
    if (lock.take()) break;
    await sleep(LOCK_STEP_MS);
  }
  try {
    if (await answers(path)) return false;
    rmSync(path, { force: true, recursive: true });
    return await listen(server, path);
  } finally {
    lock.release();
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
