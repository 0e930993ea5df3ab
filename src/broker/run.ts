import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { dateOfSteady, seededRandom, steadyClock, systemClock, systemRandom } from '../core/clock.ts';
import { GembaError, withoutCode } from '../core/errors.ts';
import type { SharedStore } from '../redis/types.ts';
import { PoolRouting } from '../router/routing.ts';
import { presenceSocket, presentClients } from '../shared/local-sockets.ts';
import { forgetEndedRuns } from '../sessions/folder.ts';
import { isAlive } from '../shared/processes.ts';
import { contextOf } from './context.ts';
import type { Listener } from './listener.ts';
import { loadState, saveState } from './persist.ts';
import { Presences } from './presences.ts';
import { configReader, ConfigStore } from './config-store.ts';
import { parseTask, pastTasks, readTasks, savedTasksOf, type SavedTask } from './persist-tasks.ts';
import { BrokerSecret } from './secret.ts';
import { Broker } from './server.ts';
import { Tasks } from './tasks.ts';
import { readSteps, TimeSteps } from './time-steps.ts';

/** It ends this long after its last client, or when none ever came. */
const IDLE_MS = 3_000;
const BIRTH_MS = 10_000;
const SAVE_AFTER_MS = 200;

export interface BrokerOptions {
  readonly cacheFile: string;
  /** Makes choices repeatable; empty: chance. */
  readonly seed: string;
  /** Empty where no configuration is followed. */
  readonly configFile: string;
}

const shared = readShared(process.env['GEMBA_BROKER_STORE']);

/** Serves the clients that come, until none is left. */
export function run(
  listener: Listener,
  early: readonly [Socket, string][],
  { cacheFile, seed, configFile }: BrokerOptions,
): void {
  const random = seed === '' ? systemRandom : seededRandom(seed);
  const routing = new PoolRouting(random);
  const now = steadyClock;
  const secret = new BrokerSecret(listener.projects[0]!);
  // A broker that was killed has not written down which calls went.
  const callsKnownFrom = secret.isAfterCrash ? now() : -Infinity;
  const clocks = { now, dateOf: dateOfSteady, callsKnownFrom, random, routing };
  const pools = loadState(cacheFile, contextOf(clocks), routing);
  const present = presentClients(listener.projects);
  // Where the system does not tell who lives, only a crash leaves holders behind.
  const unheard = present ?? (secret.isAfterCrash ? 'unknown' : []);
  let saving: NodeJS.Timeout | undefined;
  let idle: NodeJS.Timeout | undefined;

  const save = (): void => {
    clearTimeout(saving);
    saving = undefined;
    // A project that was deleted meanwhile is not to come back as a folder with a cache in it.
    if (configFile === '' || existsSync(dirname(configFile)))
      saveState(cacheFile, pools.values(), tasks.past, routing, contextOf(clocks), timeSteps.saved);
    keepShared(store, tasks);
  };
  // Soon, also while more comes: a machine that is thrown away after the run may not let the broker end by itself.
  const saveSoon = (): void => {
    saving ??= setTimeout(save, SAVE_AFTER_MS);
  };
  const tasks = new Tasks({ now, random, onChange: saveSoon });
  const timeSteps = new TimeSteps(systemClock, save);
  timeSteps.restore(readSteps(cacheFile));

  const end = (): void => {
    if (broker.clients > 0) return;
    // A worker that failed ends before the next one comes: what it reported must outlive the pause between them.
    if (broker.isAwaited(isAlive)) return endAfter(IDLE_MS);
    endNow();
  };
  const endNow = (): void => {
    clearTimeout(idle);
    clearTimeout(saving);
    // Before its names are free: the next broker reads it, and has a secret of its own.
    save();
    secret.close();
    broker.close();
    listener.close();
    forgetEndedRuns(cacheFile);
    void configStore?.close();
    void store.then((opened) => (typeof opened === 'object' ? opened?.close() : undefined));
    process.exitCode = 0;
  };
  const endAfter = (ms: number): void => {
    clearTimeout(idle);
    idle = setTimeout(end, ms);
  };
  const store = openShared(() => broker, unheard.length > 0);
  const restored = store.then((opened) => restoreTasks(tasks, opened, cacheFile));
  void store.then((opened) => {
    // The next one may find the store there again.
    if (typeof opened === 'string') endAfter(IDLE_MS / 10);
  });
  const configStore =
    configFile === ''
      ? null
      : new ConfigStore(configFile, systemClock, () => broker.configChanged(), configReader);
  const broker: Broker = new Broker({
    store: restored.then(() => store),
    configStore,
    ...clocks,
    pools,
    secret,
    presences: new Presences(),
    unheard,
    presenceOf: presenceSocket,
    takeNames: (projects) => listener.take(projects),
    storeId: shared?.id ?? 'local',
    onOutdated: endNow,
    onClients: (count) => {
      if (count === 0) endAfter(IDLE_MS);
      else clearTimeout(idle);
    },
    tasks,
    timeSteps,
    onChange: saveSoon,
  });
  listener.handOver({
    onConnection: (socket, project) => broker.accept(socket, project),
    // Its clients find the one that is there now, and say what they hold.
    onReplaced: endNow,
  });
  endAfter(BIRTH_MS);
  for (const [socket, project] of early) if (!socket.destroyed) broker.accept(socket, project);
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
      onLost: (leases, why) => broker().lost(leases, why),
      onProved: (leases, until) => broker().proved(leases, until),
    });
  } catch (error) {
    if (GembaError.is(error)) return withoutCode(error.message);
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
  tasks.restore(pastTasks([...own, ...others], steadyClock()));
}

function keepShared(store: Promise<SharedStore | string | null>, tasks: Tasks): void {
  const texts = new Map(
    savedTasksOf(tasks.takeNew()).map((task) => [`task ${task.name}`, JSON.stringify(task)]),
  );
  void store.then((opened) => (typeof opened === 'object' ? opened?.keepLearned(texts) : undefined));
}

interface Shared {
  readonly url: string;
  readonly project: string;
  readonly leaseTtlMs: number;
  /** Names the store for clients to compare. */
  readonly id: string;
}

function readShared(text: string | undefined): Shared | null {
  return text === undefined ? null : (JSON.parse(text) as Shared);
}
