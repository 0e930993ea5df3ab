import type { ConfigState, PoolSpec } from '../core/types.ts';
import { type AvailableConfig, availableConfig, withoutProblems } from './available.ts';
import { changesBetween, type ConfigFieldChange } from './edits/changes.ts';
import { variablesFor } from './env-file.ts';
import type { ConfigLayer } from './source.ts';
import { toPoolSpecs } from './spec.ts';
import type { LoadedConfig, ReadFile } from './types.ts';
import type { Env } from '../shared/env.ts';

/** A configuration as one revision has it, with what the broker gets of it. */
export interface Revision {
  readonly config: AvailableConfig;
  readonly layers: readonly ConfigLayer[];
  readonly specs: readonly PoolSpec[];
}

/** What a broker gets of a revision. */
export interface AnnouncedRevision {
  readonly revision: string;
  readonly layers: readonly ConfigLayer[];
  /** Files that its values and variables come from: the broker watches them. */
  readonly files: readonly ReadFile[];
  readonly specs: readonly PoolSpec[];
  readonly problems: readonly string[];
}

/** A change of the configuration: another revision came into force, or an edit was refused. */
export interface ConfigEvent extends ConfigState {
  /** Fields that differ from the revision before. */
  readonly changes: readonly ConfigFieldChange[];
}

/** Leases that move look up members of the revision that the broker had when it answered. */
const KEPT = 16;

/**
 * The configuration of this process, as the broker's announcements change it. Variables are resolved here: `env` is the
 * environment, to which the file of variables beside the configuration is added.
 */
export class LiveConfig {
  readonly file: string;
  readonly #env: Env;
  readonly #onEvent: (event: ConfigEvent) => void;
  readonly #revisions = new Map<string, Revision>();
  #current: Revision | null = null;
  #announced: AnnouncedRevision | null = null;

  constructor(file: string, env: Env, onEvent: (event: ConfigEvent) => void) {
    this.file = file;
    this.#env = env;
    this.#onEvent = onEvent;
  }

  /** Begins with a configuration that was read and is valid. */
  start(config: LoadedConfig, layers: readonly ConfigLayer[]): Revision {
    return this.#keep(withoutProblems(config), layers);
  }

  /** Those that leases may have been granted by. */
  get revisions(): readonly Revision[] {
    return [...this.#revisions.values()];
  }

  get current(): Revision | null {
    return this.#current;
  }

  /** What a broker gets of it. */
  get announced(): AnnouncedRevision | null {
    if (!this.#current) return null;
    const { config, layers, specs } = this.#current;
    const { revision, problems, valueFiles: files } = config;
    return (this.#announced ??= { revision, layers, files, specs, problems });
  }

  /** That revision, while leases may still be granted by it. */
  of(revision: string | null | undefined): Revision | null {
    return this.#revisions.get(revision ?? '') ?? this.#current;
  }

  /** The broker has another state; `layers` come with a revision that is new here. */
  apply(state: ConfigState, layers: readonly ConfigLayer[] | undefined): void {
    const before = this.#current;
    const { revision } = state;
    if (layers !== undefined && revision !== before?.config.revision) {
      const { env, files } = variablesFor(this.file, this.#env);
      this.#keep(availableConfig({ revision, layers }, env, files), layers);
    }
    const after = this.#current;
    const changes = before && after && before !== after ? changesBetween(before.config, after.config) : [];
    this.#onEvent({ ...state, errors: [...state.errors, ...(after?.config.problems ?? [])], changes });
  }

  #keep(config: AvailableConfig, layers: readonly ConfigLayer[]): Revision {
    const revision = { config, layers, specs: toPoolSpecs(config) };
    this.#revisions.delete(config.revision);
    this.#revisions.set(config.revision, revision);
    const [oldest] = this.#revisions.keys();
    if (this.#revisions.size > KEPT && oldest !== undefined) this.#revisions.delete(oldest);
    this.#current = revision;
    this.#announced = null;
    return revision;
  }
}
