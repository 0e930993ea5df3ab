import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toPoolSpecs } from '../config/spec.ts';
import type { LoadedConfig } from '../config/types.ts';
import type { AdminAction, PoolStatus } from '../core/admin.ts';
import { monotonic } from '../core/clock.ts';
import { GembaError } from '../core/errors.ts';
import { brokerAddress } from '../link/address.ts';
import { type Answer, Link, type LinkOptions } from '../link/link.ts';
import { loadConfig } from './load.ts';
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
  const { config, env } = loadConfig(options, terminal);
  const address = brokerAddress(config);
  const link = new Link({ address, pools: toPoolSpecs(config), seed: env['GEMBA_SEED'] });
  try {
    return await use(localStore(config, link, address));
  } finally {
    link.close();
  }
}

function localStore(
  config: LoadedConfig,
  link: Link,
  { cacheFile, socketPath }: LinkOptions['address'],
): Store {
  let stamp = stampOf(cacheFile);
  const ask = (question: Parameters<Link['ask']>[0]): Promise<Answer> =>
    inTime(link.ask(question), socketPath);
  return {
    config,
    status: async () => {
      const answer = await ask({ type: 'status' });
      return answer.is === 'status' ? answer.pools : [];
    },
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
