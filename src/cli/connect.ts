import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConfigEvent, LiveConfig } from '../config/live.ts';
import { ConfigError } from '../config/problems.ts';
import { readConfigText } from '../config/read.ts';
import { type BrokerSource, brokerSourceOf } from '../config/broker-source.ts';
import type { LoadedConfig } from '../config/types.ts';
import type { PoolStatus } from '../core/admin.ts';
import type { AdminAction } from '../core/types.ts';
import { monotonic } from '../core/clock.ts';
import { GembaError } from '../core/errors.ts';
import { type BrokerAddress, brokerAddress } from '../client/address.ts';
import { type Answer, type Follower, BrokerClient } from '../client/broker-client.ts';
import { findFiles, loadConfig } from './load.ts';
import type { Options } from './options.ts';
import type { Terminal } from './terminal.ts';

/** A broker that takes longer hangs; the link itself gives up reaching one after 10 s. */
const ANSWER_MS = 15_000;
/** A broker writes a change down after 200 ms without another one. */
const SAVE_MS = 3_000;
const SAVE_STEP_MS = 20;

/** Where the state of a project's pools is. */
export interface Store {
  readonly config: LoadedConfig;
  readonly status: () => Promise<readonly PoolStatus[]>;
  /** What is to be put right about a shared store. */
  readonly notices: () => readonly string[];
  /** The configuration in force, and what is wrong with a later edit; null where nothing follows it. */
  readonly state: () => ConfigEvent | null;
  readonly administer: (action: AdminAction, pool: string, name: string) => Promise<void>;
  /** Waits until the last change is written down for later runs; else says where it could not be. */
  readonly unkept: () => Promise<string | null>;
}

/** Reads the configuration, and lets a command use the store that it names. */
export async function withStore(
  options: Options,
  terminal: Terminal,
  use: (store: Store) => Promise<number>,
): Promise<number> {
  const connection = await connect(options, terminal);
  try {
    return await use(localStore(connection));
  } finally {
    connection.client.close();
  }
}

interface Connection {
  readonly live: LiveConfig;
  readonly client: BrokerClient;
  readonly address: BrokerAddress;
  readonly state: () => ConfigEvent | null;
}

/** Where the file is no good, a broker that runs has the configuration that is in force. */
async function connect(options: Options, terminal: Terminal): Promise<Connection> {
  const { file, env } = findFiles(options, terminal);
  try {
    const { config } = loadConfig(options, terminal);
    const connection = newConnection(config, config.path, env, true);
    connection.live.start(config, readConfigText(config.path));
    await inTime(connection.client.open(), connection.address.socketPath);
    return connection;
  } catch (error) {
    if (!(error instanceof ConfigError) || file === undefined) throw error;
    const running = newConnection(brokerSourceOf(file, env), file, env, false);
    if ((await inTime(running.client.open(), running.address.socketPath)) && running.live.current)
      return running;
    running.client.close();
    throw error;
  }
}

function newConnection(
  source: BrokerSource,
  file: string,
  env: Terminal['env'],
  mayStart: boolean,
): Connection {
  let last: ConfigEvent | null = null;
  const live = new LiveConfig(file, env, (event) => (last = event));
  const follower: Follower = {
    role: 'command',
    run: `command ${process.pid}`,
    get current() {
      return live.told;
    },
    apply: (state, text) => live.apply(state, text),
    say: () => undefined,
  };
  const address = brokerAddress(source);
  const client = new BrokerClient({ address, follower, mayStart, seed: env['GEMBA_SEED'] });
  return { live, client, address, state: () => last };
}

function localStore({ live, client, address: { cacheFile, socketPath }, state }: Connection): Store {
  let stamp = stampOf(cacheFile);
  const ask = (question: Parameters<BrokerClient['ask']>[0]): Promise<Answer> =>
    inTime(client.ask(question), socketPath);
  return {
    config: live.current!.config,
    state,
    status: async () => {
      const answer = await ask({ type: 'status' });
      return answer.is === 'status' ? answer.pools : [];
    },
    notices: () => client.notices,
    administer: async (action, pool, name) => {
      stamp = stampOf(cacheFile);
      await ask({ type: 'admin', action, pool, name });
    },
    unkept: async () => {
      const until = monotonic() + SAVE_MS;
      while (stampOf(cacheFile) === stamp && monotonic() < until) await sleep(SAVE_STEP_MS);
      return stampOf(cacheFile) === stamp ? cacheFile : null;
    },
  };
}

async function inTime<T>(answer: Promise<T>, where: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ANSWER_MS, undefined, { signal: timer.signal }).then(() => {
    throw new GembaError(
      'GEMBA_BROKER_UNREACHABLE',
      `The broker of this project, at ${where}, gave no answer within ${ANSWER_MS / 1000} s.\n` +
        'It may be stopped, or of another version of gemba-agent: end the runs that use it, and try again.',
    );
  });
  late.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}

/** Changes whenever the file is written; empty where there is none. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs}`;
}
