import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, systemRandom, seededRandom } from '../core/clock.ts';
import { GembaError } from '../core/errors.ts';
import type { SharedStore } from '../redis/types.ts';
import { PoolRouting } from '../router/routing.ts';
import { isAlive } from '../shared/processes.ts';
import { contextOf } from './context.ts';
import { loadState, saveState, writePrivate } from './persist.ts';
import { configReader, ConfigStore } from './config-store.ts';
import { parseTask, pastTasks, readTasks, savedTasksOf, type SavedTask } from './persist-tasks.ts';
import { Broker } from './server.ts';
import { Tasks } from './tasks.ts';

/** It ends this long after its last link, or when none ever came. */
const IDLE_MS = 3_000;
const BIRTH_MS = 10_000;
const SAVE_AFTER_MS = 200;
/** How long a link that lives may take to come back after a broker crashed, before its leases are given up. */
const AWAIT_MS = 10_000;
const AWAIT_STEP_MS = 20;

const shared = readShared(process.env['GEMBA_BROKER_STORE']);

/** Serves the links that come, until none is left. Arguments as those of the process. */
export function run(
  server: Server,
  [socketPath = '', cacheFile = '', seed = '', configFile = '']: readonly string[],
): void {
  const clientsFile = `${socketPath}.links`;
  const random = seed === '' ? systemRandom : seededRandom(seed);
  const routing = new PoolRouting(random);
  const pools = loadState(cacheFile, contextOf({ now: systemClock, random, routing }), routing);
  const awaited = readAwaited(clientsFile);
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
    if (broker.clients > 0) return;
    // A worker that failed ends before the next one comes: what it told must outlive the pause between them.
    if (broker.isAwaited(isAlive)) return endAfter(IDLE_MS);
    broker.close();
    void configStore?.close();
    server.close();
    clearTimeout(saving);
    save();
    void store.then((opened) => (typeof opened === 'object' ? opened?.close() : undefined));
    rmSync(clientsFile, { force: true });
    process.exitCode = 0;
  };
  const endAfter = (ms: number): void => {
    clearTimeout(idle);
    idle = setTimeout(end, ms);
  };
  const store = openShared(() => broker, awaited.size > 0);
  const restored = store.then((opened) => restoreTasks(tasks, opened, cacheFile));
  void store.then((opened) => {
    // Whoever comes next may find the store there again.
    if (typeof opened === 'string') endAfter(IDLE_MS / 10);
  });
  const configStore =
    configFile === ''
      ? null
      : new ConfigStore(configFile, systemClock, () => broker.configChanged(), configReader());
  const broker: Broker = new Broker({
    store: restored.then(() => store),
    configStore,
    now: systemClock,
    random,
    routing,
    pools,
    awaited,
    onClients: (clients) => {
      if (clients.size === 0) endAfter(IDLE_MS);
      else clearTimeout(idle);
      writePrivate(clientsFile, JSON.stringify([...clients]));
    },
    tasks,
    onChange: saveSoon,
  });
  broker.serve(server);
  endAfter(BIRTH_MS);
  if (awaited.size > 0) void awaitClients(broker, awaited);
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
      onWake: (members) => broker().sharedStore?.freed(members),
      onFact: (fact) => broker().sharedStore?.learned(fact),
      onState: (state, why) => broker().storeChanged(state, why),
      onLost: (leases) => broker().lost(leases),
    });
  } catch (error) {
    if (GembaError.is(error)) return error.message;
    throw error;
  }
}

/** What was learned of strategies: by this machine's runs, and by those of others. */
async function restoreTasks(
  tasks: Tasks,
  opened: SharedStore | string | null,
  cacheFile: string,
): Promise<void> {
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
async function awaitClients(broker: Broker, awaited: ReadonlyMap<string, number>): Promise<void> {
  const giveUpAt = systemClock() + AWAIT_MS;
  while (awaited.size > 0) {
    const late = systemClock() > giveUpAt;
    const gone = [...awaited].filter(([, pid]) => late || !isAlive(pid)).map(([client]) => client);
    broker.stopAwaiting(gone);
    await sleep(AWAIT_STEP_MS);
  }
}

function readAwaited(clientsFile: string): Map<string, number> {
  try {
    const clients = new Map(JSON.parse(readFileSync(clientsFile, 'utf8')) as [string, number][]);
    for (const [client, pid] of clients) if (!isAlive(pid)) clients.delete(client);
    return clients;
  } catch {
    return new Map();
  }
}
