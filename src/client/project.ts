import { type BrokerSource, brokerSourceOf } from '../config/broker-source.ts';
import { type ConfigEvent, LiveConfig } from '../config/live.ts';
import { variablesFor } from '../config/env-file.ts';
import { readSource } from '../config/layers.ts';
import { configOf } from '../config/load.ts';
import { refusalText } from '../config/messages.ts';
import type { ConfigSource } from '../config/source.ts';
import type { Env } from '../shared/env.ts';
import { type BrokerAddress, brokerAddress, sharedOf } from './address.ts';
import { BrokerClient } from './broker-client.ts';
import { brokerErrorsText } from './broker-errors.ts';
import { inTime } from './failures.ts';
import { isBrokerThere } from './machine.ts';
import type { BrokerClientOptions, Follower } from './types.ts';
import type { Answer } from '../wire/messages.ts';

/*
 * A process's side of its project's broker. Workers, the reporter, the live page and commands all come through here:
 * the configuration is read from its file (`openProject`) or, where the file is no good, taken from a running broker
 * (`joinProject`); from then on the broker announces each revision, and `live` follows.
 */

type AnyQuestion = Parameters<BrokerClient['ask']>[0];
type ClientHooks = Pick<
  BrokerClientOptions,
  'onTransition' | 'onRouterEstimates' | 'onLost' | 'onProbe' | 'onBrokerErrors' | 'mayStart'
>;

export interface ProjectOptions extends ClientHooks {
  /** The environment: resolves the configuration's variables, together with the file of variables beside it. */
  readonly env: Env;
  readonly role: Follower['role'];
  /** The run that it belongs to: what is to be printed is printed once in each. */
  readonly run: string;
  /** Another revision came into force, or an edit was refused. */
  readonly onEvent?: (event: ConfigEvent) => void;
  /** This process is to print it for its run. Default: nothing. */
  readonly print?: (text: string) => void;
}

export class Project {
  readonly file: string;
  readonly env: Env;
  /** The configuration as this process can use it. */
  readonly live: LiveConfig;
  /** Connects when it is first asked or opened. */
  readonly client: BrokerClient;
  readonly #address: BrokerAddress;
  #last: ConfigEvent | null = null;
  #refusals: readonly string[] = [];

  constructor(file: string, source: BrokerSource, options: ProjectOptions) {
    const { env, role, run, onEvent, print, onBrokerErrors, ...hooks } = options;
    const live = new LiveConfig(file, env, (event) => {
      this.#last = event;
      onEvent?.(event);
    });
    const follower: Follower = {
      role,
      run,
      get current() {
        return live.announced;
      },
      apply: (state, layers) => {
        this.#refusals = state.errors;
        live.apply(state, layers);
      },
      say: (about, problems) => print?.(refusalText(file, about, problems)),
    };
    this.file = file;
    this.env = env;
    this.live = live;
    this.#address = brokerAddress(source);
    const addressOf = (): BrokerAddress => this.address;
    this.client = new BrokerClient({
      ...hooks,
      onBrokerErrors: (errors) => {
        print?.(brokerErrorsText(errors));
        onBrokerErrors?.(errors);
      },
      follower,
      seed: env['GEMBA_SEED'],
      get address() {
        return addressOf();
      },
    });
  }

  /** A broker that this process starts has the store of the revision in force, whatever the file says by then. */
  get address(): BrokerAddress {
    const { current } = this.live;
    if (!current) return this.#address;
    const { shared: _, ...address } = this.#address;
    return { ...address, ...sharedOf(current.config) };
  }

  /** The revision in force as the broker announced it, and what is wrong with a later edit; null before it did. */
  get state(): ConfigEvent | null {
    return this.#last;
  }

  /** Why the latest edit of the file was refused; empty while the file is the revision in force. */
  get refusals(): readonly string[] {
    return this.#refusals;
  }

  /** Asks the broker, for no longer than `withinMs`. */
  async ask(question: AnyQuestion, withinMs: number): Promise<Answer> {
    return inTime(this.client.ask(question), withinMs);
  }

  close(): void {
    this.client.close();
  }
}

/** From the file as it is now. Throws what is wrong with it. */
export function openProject(file: string, options: ProjectOptions): Project {
  const source = readSource(file);
  const { env, files } = variablesFor(file, options.env);
  const config = configOf(source, env, files);
  const project = new Project(file, config, options);
  project.live.start(config, source.layers);
  return project;
}

/** Beside a broker that runs, with the texts that this process read before; it starts none. */
export function followProject(file: string, source: ConfigSource | null, options: ProjectOptions): Project {
  const project = new Project(file, brokerSourceOf(file, options.env), { ...options, mayStart: false });
  try {
    const { env, files } = variablesFor(file, options.env);
    if (source) project.live.start(configOf(source, env, files), source.layers);
  } catch {
    // It was not valid at the start: the broker's configuration comes first.
  }
  return project;
}

/** From the broker that serves the file, though the file itself is no good now; null where none runs. */
export async function joinProject(file: string, options: ProjectOptions): Promise<Project | null> {
  const source = brokerSourceOf(file, options.env);
  if (!(await isBrokerThere(brokerAddress(source)))) return null;
  const project = new Project(file, source, { ...options, mayStart: false });
  try {
    if ((await project.client.open()) && project.live.current) return project;
  } catch (error) {
    project.close();
    throw error;
  }
  project.close();
  return null;
}
