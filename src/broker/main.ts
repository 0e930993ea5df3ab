import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, systemRandom, seededRandom } from '../core/clock.ts';
import { GembaError } from '../core/errors.ts';
import type { SharedStore } from '../redis/types.ts';
import { PoolRouting } from '../router/routing.ts';
import { contextOf } from './context.ts';
import { loadState, saveState, writeWhole } from './persist.ts';
import { configReader, Keeper } from './keeper.ts';
import { parseTask, pastTasks, readTasks, savedTasksOf, type SavedTask } from './persist-tasks.ts';
import { Broker } from './server.ts';
import { Tasks } from './tasks.ts';

/** The broker's process. Arguments: the socket's address, the cache file, a seed or nothing, the config file or nothing. */

/** It ends this long after its last link, or when none ever came. */
const IDLE_MS = 3_000;
const BIRTH_MS = 10_000;
const SAVE_AFTER_MS = 200;
/** A start lock older than this was left by a process that died. */
const STALE_LOCK_MS = 5_000;
/** How long a link that lives may take to come back after a broker crashed, before its leases are given up. */
const AWAIT_MS = 10_000;
const AWAIT_STEP_MS = 20;

const [socketPath = '', cacheFile = '', seed = '', configFile = ''] = process.argv.slice(2);
const shared = readShared(process.env['GEMBA_BROKER_STORE']);
const linksFile = `${socketPath}.links`;
const isPipe = socketPath.startsWith('\\\\');

void start();

async function start(): Promise<void> {
  // The name of a pipe can be taken once only, and is gone with its process: there the bind itself decides.
  const lock = isPipe ? '' : await takeLock();
  if (lock === null) return;
  try {
    const server = createServer();
    if (!isPipe) rmSync(socketPath, { force: true });
    if (await listen(server)) run(server);
  } finally {
    if (!isPipe) rmSync(lock, { force: true });
  }
}

function run(server: Server): void {
  const random = seed === '' ? systemRandom : seededRandom(seed);
  const routing = new PoolRouting(random);
  const pools = loadState(cacheFile, contextOf({ now: systemClock, random, routing }), routing);
  const awaited = readAwaited();
  let saving: NodeJS.Timeout | undefined;
  let idle: NodeJS.Timeout | undefined;

  const save = (): void => {
    saving = undefined;
    // A project that was deleted meanwhile is not to come back as a folder with a cache in it.
    if (configFile === '' || existsSync(dirname(configFile)))
      saveState(cacheFile, pools.values(), tasks.past, routing, systemClock());
    keepShared(store, tasks);
  };
  // Soon, also while more comes: a machine that is thrown away after the run may not let the broker end by itself.
  const saveSoon = (): void => {
    saving ??= setTimeout(save, SAVE_AFTER_MS);
  };
  const tasks = new Tasks({ now: systemClock, random, onChange: saveSoon });

  const end = (): void => {
    if (broker.links > 0) return;
    // A worker that failed ends before the next one comes: what it told must outlive the pause between them.
    if (broker.isAwaited(isAlive)) return endAfter(IDLE_MS);
    broker.close();
    void keeper?.close();
    server.close();
    clearTimeout(saving);
    save();
    void store.then((opened) => (typeof opened === 'object' ? opened?.close() : undefined));
    rmSync(linksFile, { force: true });
    process.exitCode = 0;
  };
  const endAfter = (ms: number): void => {
    clearTimeout(idle);
    idle = setTimeout(end, ms);
  };
  const store = openShared(() => broker, awaited.size > 0);
  const restored = store.then((opened) => restoreTasks(tasks, opened));
  void store.then((opened) => {
    // Whoever comes next may find the store there again.
    if (typeof opened === 'string') endAfter(IDLE_MS / 10);
  });
  const keeper =
    configFile === ''
      ? null
      : new Keeper(configFile, systemClock, () => broker.configChanged(), configReader());
  const broker: Broker = new Broker({
    store: restored.then(() => store),
    keeper,
    now: systemClock,
    random,
    routing,
    pools,
    awaited,
    onLinks: (links) => {
      if (links.size === 0) endAfter(IDLE_MS);
      else clearTimeout(idle);
      writeWhole(linksFile, JSON.stringify([...links]));
    },
    tasks,
    onChange: saveSoon,
  });
  broker.serve(server);
  endAfter(BIRTH_MS);
  if (awaited.size > 0) void awaitLinks(broker, awaited);
}

/** What several machines share; the reason where it cannot be had; null where nothing is shared. */
async function openShared(broker: () => Broker, inMidRun: boolean): Promise<SharedStore | string | null> {
  if (!shared) return null;
  try {
    const { openStore } = await import('../redis/store.ts');
    return await openStore({
      ...shared,
      broker: randomUUID(),
      inMidRun,
      onWake: (subjects) => broker().sharing?.freed(subjects),
      onFact: (fact) => broker().sharing?.learned(fact),
      onState: (state, why) => broker().storeChanged(state, why),
      onLost: (leases) => broker().lost(leases),
    });
  } catch (error) {
    if (GembaError.is(error)) return error.message;
    throw error;
  }
}

/** What was learned of strategies: by this machine's runs, and by those of others. */
async function restoreTasks(tasks: Tasks, opened: SharedStore | string | null): Promise<void> {
  const own = readTasks(cacheFile);
  const texts = typeof opened === 'object' ? ((await opened?.readLearned()) ?? []) : [];
  const others = texts.map(parseTask).filter((task): task is SavedTask => task !== null);
  tasks.restore(pastTasks([...own, ...others], systemClock()));
}

function keepShared(store: Promise<SharedStore | string | null>, tasks: Tasks): void {
  const texts = new Map(
    savedTasksOf(tasks.takeNew()).map((task) => [`task ${task.name}`, JSON.stringify(task)]),
  );
  void store.then((opened) => (typeof opened === 'object' ? opened?.keepLearned(texts) : undefined));
}

function readShared(text: string | undefined): { url: string; project: string; leaseTtlMs: number } | null {
  return text === undefined
    ? null
    : (JSON.parse(text) as { url: string; project: string; leaseTtlMs: number });
}

/** Nothing is granted before the links of a crashed broker have told what they hold, or are dead. */
async function awaitLinks(broker: Broker, awaited: ReadonlyMap<string, number>): Promise<void> {
  const giveUpAt = systemClock() + AWAIT_MS;
  while (awaited.size > 0) {
    const late = systemClock() > giveUpAt;
    const gone = [...awaited].filter(([, pid]) => late || !isAlive(pid)).map(([link]) => link);
    broker.stopAwaiting(gone);
    await sleep(AWAIT_STEP_MS);
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
      await sleep(AWAIT_STEP_MS);
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

function readAwaited(): Map<string, number> {
  try {
    const links = new Map(JSON.parse(readFileSync(linksFile, 'utf8')) as [string, number][]);
    for (const [link, pid] of links) if (!isAlive(pid)) links.delete(link);
    return links;
  } catch {
    return new Map();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
