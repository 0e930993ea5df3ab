import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FullConfig } from '@playwright/test/reporter';
import type { ConfigEvent } from '../../config/live.ts';
import type { BrokerAddress } from '../../client/address.ts';
import type { BrokerClient } from '../../client/broker-client.ts';

/** How often a broker is looked for: workers start it when a test first leases. */
const LOOK_MS = 100;

/** One for each config file: reporters come and go with their runs, this stays as long as the runner. */
const followed = new Map<string, FollowedConfig>();

/**
 * Follows the configuration for the runner's life, also between the runs of watch and UI mode, and says in the
 * terminal what became of each edit. It starts no broker and keeps no process alive.
 */
export function followConfig(
  config: FullConfig,
  configDir: string,
  env: NodeJS.ProcessEnv,
): FollowedConfig | null {
  const off = env['GEMBA_DISABLE'];
  if (off !== undefined && off !== '' && off !== '0') return null;
  const file = expectedFile(config, configDir, env);
  const known = followed.get(file) ?? new FollowedConfig(file, env);
  followed.set(file, known);
  return known;
}

export class FollowedConfig {
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #events: ConfigEvent[] = [];
  #client: Promise<BrokerClient | null> | null = null;
  #isLooking = false;
  #address: { readonly stamp: string; readonly at: BrokerAddress | null } | null = null;
  /** The file as the runner found it: what was edited since, before a broker ran, is told with its first news. */
  readonly #text: string;
  readonly #timer: NodeJS.Timeout;

  constructor(file: string, env: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#env = env;
    this.#text = textOf(file);
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** What a run from then on saw: the revision that was in force as it began, and each change since. */
  since(startedAt: number): readonly ConfigEvent[] {
    const first = this.#events.findLastIndex((event) => event.at <= startedAt);
    return this.#events.slice(Math.max(0, first));
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await (await (this.#client ??= this.#newClient()))?.open();
      if ((await this.#client) === null) this.#client = null;
    } catch {
      // A broker of another version: the workers' errors say so.
      clearInterval(this.#timer);
    } finally {
      this.#isLooking = false;
    }
  }

  /** An edit of `store` may change it, until a broker is found. */
  async #findAddress(): Promise<BrokerAddress | null> {
    const stamp = stampOf(this.#file);
    if (this.#address?.stamp !== stamp) this.#address = { stamp, at: await addressOf(this.#file, this.#env) };
    return this.#address.at;
  }

  /** Null where no broker runs yet. The libraries for it are loaded only where one does. */
  async #newClient(): Promise<BrokerClient | null> {
    const address = await this.#findAddress();
    if (!address || !existsSync(address.socketPath)) return null;
    const [{ BrokerClient }, { LiveConfig }, { eventText, refusalText }, { configOfText }] =
      await Promise.all([
        import('../../client/broker-client.ts'),
        import('../../config/live.ts'),
        import('../../config/messages.ts'),
        import('../../config/load.ts'),
      ]);
    const live = new LiveConfig(this.#file, this.#env, (event) => {
      const text = eventText(this.#file, this.#events.at(-1) ?? first, event);
      this.#events.push(event);
      if (text !== null) process.stdout.write(`${text}\n`);
    });
    let first: Pick<ConfigEvent, 'revision' | 'errors'> | undefined;
    try {
      const { config } = live.start(configOfText(this.#file, this.#text, this.#env), this.#text);
      first = { revision: config.revision, errors: [] };
    } catch {
      // It was no good to begin with: what the broker has comes first.
    }
    return new BrokerClient({
      address,
      mayStart: false,
      follower: {
        role: 'reporter',
        run: String(process.pid),
        get current() {
          return live.told;
        },
        apply: (state, text) => live.apply(state, text),
        say: (about, problems) => {
          process.stderr.write(`${refusalText(this.#file, about, problems)}\n`);
        },
      },
    });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Differs after every save. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs}`;
}

/** Null where its folder cannot be used; whoever leases says why. */
async function addressOf(file: string, env: NodeJS.ProcessEnv): Promise<BrokerAddress | null> {
  const [{ brokerAddress }, { brokerSourceOf }] = await Promise.all([
    import('../../client/address.ts'),
    import('../../config/broker-source.ts'),
  ]);
  try {
    return brokerAddress(brokerSourceOf(file, env));
  } catch {
    return null;
  }
}

/** The config file as workers find it; where there is none, the place where one is expected. */
function expectedFile(config: FullConfig, configDir: string, env: NodeJS.ProcessEnv): string {
  if (env['GEMBA_CONFIG']) return resolve(env['GEMBA_CONFIG']);
  const option = config.projects
    .map(({ use }) => (use as { gembaConfig?: unknown }).gembaConfig)
    .find((path): path is string => typeof path === 'string' && path !== '');
  if (option !== undefined) return resolve(configDir, option);
  return nearestFile(configDir);
}

function nearestFile(folder: string): string {
  for (let at = folder; ; at = resolve(at, '..')) {
    const file = join(at, 'gemba.config.json');
    if (existsSync(file)) return file;
    if (resolve(at, '..') === at) return join(folder, 'gemba.config.json');
  }
}
