import { setTimeout as sleep } from 'node:timers/promises';
import { inTime } from '../client/failures.ts';
import { joinProject, openProject, type Project, type ProjectOptions } from '../client/project.ts';
import type { ConfigEvent } from '../config/live.ts';
import { ConfigError } from '../config/problems.ts';
import type { LoadedConfig } from '../config/types.ts';
import type { PoolStatus } from '../core/admin.ts';
import { monotonic } from '../core/clock.ts';
import type { AdminAction, Reservation } from '../core/types.ts';
import { stampOf } from '../shared/file-stamp.ts';
import { type ConfigFiles, findFiles, loadConfig } from './load.ts';
import { StoredSessions } from '../sessions/stored.ts';
import type { Terminal } from './terminal.ts';

/** A broker that takes longer hangs; the link itself gives up reaching one after 10 s. */
const ANSWER_MS = 15_000;
/** A broker writes a change down after 200 ms without another one. */
const SAVE_MS = 3_000;
const SAVE_STEP_MS = 20;

/** Where the state of a project's pools is. */
export interface BrokerStore {
  readonly config: LoadedConfig;
  /** Of all machines that share the store. */
  readonly status: () => Promise<readonly PoolStatus[]>;
  /** The name of this machine, as other machines read it. */
  readonly machine: () => string;
  /** What is to be put right about a shared store. */
  readonly notices: () => readonly string[];
  /** The configuration in force, and what is wrong with a later edit; null where nothing follows it. */
  readonly state: () => ConfigEvent | null;
  readonly administer: (
    action: AdminAction,
    pool: string,
    name: string,
    reservation?: Reservation,
  ) => Promise<void>;
  /** Waits until the last change is written down for later runs; else says where it could not be. */
  readonly unkept: () => Promise<string | null>;
}

/** Reads the configuration, and lets a command use the store that it names. */
export async function withStore(
  options: ConfigFiles,
  terminal: Terminal,
  use: (store: BrokerStore) => Promise<number>,
): Promise<number> {
  const project = await connect(options, terminal);
  try {
    return await use(localStore(project));
  } finally {
    project.close();
  }
}

/** Where the file is no good, a broker that runs has the configuration that is in force. */
async function connect(options: ConfigFiles, terminal: Terminal): Promise<Project> {
  const { file, env } = findFiles(options, terminal);
  const how: ProjectOptions = { env, role: 'command', run: `command ${process.pid}` };
  try {
    const { config } = loadConfig(options, terminal);
    const project = openProject(config.path, how);
    await inTime(project.client.open(), ANSWER_MS);
    return project;
  } catch (error) {
    if (!(error instanceof ConfigError) || file === undefined) throw error;
    const running = await joinProject(file, how);
    if (running) return running;
    throw error;
  }
}

function localStore(project: Project): BrokerStore {
  const { live, client, address } = project;
  const { cacheFile } = address;
  let stamp = stampOf(cacheFile);
  let machine = '';
  let notice: string | null = null;
  return {
    config: live.current!.config,
    state: () => project.state,
    status: async () => {
      const answer = await project.ask({ type: 'status' }, ANSWER_MS);
      if (answer.is !== 'status') return [];
      ({ machine, notice } = answer);
      return answer.pools;
    },
    machine: () => machine,
    notices: () => [...client.notices, ...(notice === null ? [] : [notice])],
    administer: async (action, pool, name, reservation) => {
      stamp = stampOf(cacheFile);
      await project.ask({ type: 'admin', action, pool, name, reservation }, ANSWER_MS);
      if (action === 'reset')
        new StoredSessions(live.current!.config, cacheFile, () => {}).forget(pool, name);
    },
    unkept: async () => {
      const until = monotonic() + SAVE_MS;
      while (stampOf(cacheFile) === stamp && monotonic() < until) await sleep(SAVE_STEP_MS);
      return stampOf(cacheFile) === stamp ? cacheFile : null;
    },
  };
}
