import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../core/clock.ts';
import { isCode } from '../shared/processes.ts';

/**
 * The broker's process. Arguments: the socket's address, the cache file, a seed or nothing, the config file or nothing.
 *
 * Every worker of a run starts one at the same moment, and all but one find that they are too late: what a broker is
 * made of is loaded after that, since it takes longer than all else.
 */

/** A start lock older than this was left by a process that died. */
const STALE_LOCK_MS = 5_000;
const LOCK_STEP_MS = 20;

const [socketPath = ''] = process.argv.slice(2);
const isPipe = socketPath.startsWith('\\\\');

void start();

async function start(): Promise<void> {
  const server = createServer();
  // Links that come while the broker is loaded: what they say waits in their sockets.
  const early: Socket[] = [];
  const welcome = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    early.push(socket);
  };
  server.on('connection', welcome);
  if (!(await bind(server))) return;
  const { run } = await import('./run.ts');
  server.off('connection', welcome);
  run(server, process.argv.slice(2));
  for (const socket of early) if (!socket.destroyed) server.emit('connection', socket);
}

/** Takes the socket; false where another broker has it. */
async function bind(server: Server): Promise<boolean> {
  // The name of a pipe can be taken once only, and is gone with its process: there the bind itself decides.
  if (isPipe) return listen(server);
  const lock = await takeLock();
  if (lock === null) return false;
  try {
    rmSync(socketPath, { force: true });
    return await listen(server);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The lock's path, or null where a broker answers already. */
async function takeLock(): Promise<string | null> {
  const lock = `${socketPath}.lock`;
  for (;;) {
    if (await answers()) return null;
    try {
      closeSync(openSync(lock, 'wx', 0o600));
      if (!(await answers())) return lock;
      rmSync(lock, { force: true });
      return null;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
      stealStaleLock(lock);
      await sleep(LOCK_STEP_MS);
    }
  }
}

/** Renaming is atomic: of several that find the same stale lock, one takes it away. */
function stealStaleLock(lock: string): void {
  try {
    if (systemClock() - statSync(lock).mtimeMs < STALE_LOCK_MS) return;
    const taken = `${lock}.${process.pid}`;
    renameSync(lock, taken);
    rmSync(taken, { force: true });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const say = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => say(true));
    socket.once('error', () => say(false));
  });
}

/** The socket is the user's alone from its first moment on. */
function listen(server: Server): Promise<boolean> {
  const usual = process.umask(0o177);
  const bound = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(socketPath, () => resolve(true));
  });
  return bound.finally(() => process.umask(usual));
}
