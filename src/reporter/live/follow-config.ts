import type { FullConfig } from '@playwright/test/reporter';
import type { BrokerAddress } from '../../client/address.ts';
import type { Project } from '../../client/project.ts';
import { isSwitchedOff } from '../../config/environment.ts';
import { expectedConfig } from '../../config/find.ts';
import type { ConfigEvent } from '../../config/live.ts';
import { type ConfigSource, readConfigText, singleSource } from '../../config/source.ts';
import { monotonic } from '../../core/clock.ts';
import { stampOf } from '../../shared/file-stamp.ts';

/** How often to look for a broker: workers start it with the first lease. */
const LOOK_MS = 100;

/** It follows after so long, or when the file changes: a run of one test ends before, and need not load what follows. */
const FOLLOW_AFTER_MS = 2_000;

/** One for each config file. They stay as long as the runner; a reporter lives for one run. */
const followed = new Map<string, FollowedConfig>();

/**
 * Follows the configuration for the runner's life, also between the runs of watch and UI mode, and prints the effect of each
 * edit. It starts no broker and keeps no process alive.
 */
export function followConfig(
  { projects }: FullConfig,
  configDir: string,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): FollowedConfig | null {
  if (isSwitchedOff(env)) return null;
  const file = expectedConfig({ env, option: configOption(projects), from: configDir });
  const known = followed.get(file) ?? new FollowedConfig(file, env);
  known.print = print;
  followed.set(file, known);
  return known;
}

/** The worker option `gembaConfig` of the first project that sets it. */
export function configOption(projects: FullConfig['projects']): string | undefined {
  const options = projects.map(({ use }) => (use as { readonly gembaConfig?: unknown }).gembaConfig);
  return options.find((path): path is string => typeof path === 'string' && path !== '');
}

export class FollowedConfig {
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #events: ConfigEvent[] = [];
  #project: Project | null = null;
  #isLooking = false;
  /** The configuration as the runner found it. Edits from before the broker started are printed with its first event. */
  readonly #source: Promise<ConfigSource | null>;
  /** Where its broker listens. An edit of `store` may change that until the broker is found. */
  #address: { readonly stamp: string; readonly at: BrokerAddress | null } | null = null;
  readonly #timer: NodeJS.Timeout;
  readonly #first: { readonly at: number; readonly stamp: string };
  /** Where edits are printed: the reporter of the present run decides. */
  print: (text: string) => void = () => {};

  constructor(file: string, env: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#env = env;
    this.#source = sourceNow(file);
    this.#first = { at: monotonic(), stamp: stampOf(file) };
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** The revision that was in force at `startedAt`, and each change since. */
  since(startedAt: number): readonly ConfigEvent[] {
    const first = this.#events.findLastIndex((event) => event.at <= startedAt);
    return this.#events.slice(Math.max(0, first));
  }

  async #look(): Promise<void> {
    const { at, stamp } = this.#first;
    const isEarly = monotonic() - at < FOLLOW_AFTER_MS && stampOf(this.#file) === stamp;
    if (this.#isLooking || isEarly) return;
    this.#isLooking = true;
    try {
      this.#project ??= await this.#newProject();
      await this.#project?.client.open();
    } catch {
      // A broker of another version: the workers' errors report it.
      clearInterval(this.#timer);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Null while no broker runs. Its libraries are loaded only where one does. */
  async #newProject(): Promise<Project | null> {
    const [{ locateBroker }, { isBrokerThere }] = await Promise.all([
      import('../../client/address.ts'),
      import('../../client/machine.ts'),
    ]);
    const stamp = stampOf(this.#file);
    if (this.#address?.stamp !== stamp) this.#address = { stamp, at: locateBroker(this.#file, this.#env) };
    if (!this.#address.at || !(await isBrokerThere(this.#address.at))) return null;
    const [{ followProject }, { eventText }] = await Promise.all([
      import('../../client/project.ts'),
      import('../../config/messages.ts'),
    ]);
    let first: Pick<ConfigEvent, 'revision' | 'errors'> | undefined;
    const project = followProject(this.#file, await this.#source, {
      env: this.#env,
      role: 'reporter',
      run: String(process.pid),
      onEvent: (event) => {
        const text = eventText(this.#file, this.#events.at(-1) ?? first, event);
        this.#events.push(event);
        if (text !== null) this.print(text);
      },
      print: (text) => void process.stderr.write(`${text}\n`),
    });
    const { current } = project.live;
    if (current) first = { revision: current.config.revision, errors: [] };
    return project;
  }
}

async function sourceNow(file: string): Promise<ConfigSource | null> {
  try {
    const single = singleSource(file, readConfigText(file));
    if (single) return single;
    const { readSource } = await import('../../config/layers.ts');
    return readSource(file);
  } catch {
    return null;
  }
}
