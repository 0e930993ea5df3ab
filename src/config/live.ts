import type { ConfigState, PoolSpec } from '../core/types.ts';
import { type AvailableConfig, availableConfig } from './available.ts';
import { changesBetween, type ConfigFieldChange } from './edits/changes.ts';
import { toPoolSpecs } from './spec.ts';
import type { LoadedConfig } from './types.ts';
import type { Env } from './variables.ts';

/** A configuration as one revision has it, with what the broker is told of it. */
export interface Revision {
  readonly config: AvailableConfig;
  readonly text: string;
  readonly specs: readonly PoolSpec[];
}

/** What a broker is told of a revision. */
export interface AnnouncedRevision {
  readonly revision: string;
  readonly text: string;
  readonly specs: readonly PoolSpec[];
  readonly problems: readonly string[];
}

/** What became of the configuration at some time: another revision came into force, or an edit was refused. */
export interface ConfigEvent extends ConfigState {
  /** Fields that differ from the revision before. */
  readonly changes: readonly ConfigFieldChange[];
}

/** Leases that move look up members of the revision that the broker had when it answered. */
const KEPT = 16;

/** The configuration of this process, as the broker's announcements change it. Variables are resolved here. */
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

  /** Begins with a file that was read and is valid. */
  start(config: LoadedConfig, text: string): Revision {
    return this.#keep({ ...config, unavailable: {}, problems: [] }, text);
  }

  /** Those that leases may have been granted by. */
  get revisions(): readonly Revision[] {
    return [...this.#revisions.values()];
  }

  get current(): Revision | null {
    return this.#current;
  }

  /** What a broker is told of it. */
  get announced(): AnnouncedRevision | null {
    if (!this.#current) return null;
    const { config, text, specs } = this.#current;
    return (this.#announced ??= { revision: config.revision, text, specs, problems: config.problems });
  }

  /** That revision, while leases may still be granted by it. */
  of(revision: string | null | undefined): Revision | null {
    return this.#revisions.get(revision ?? '') ?? this.#current;
  }

  /** The broker has another state; `text` comes with a revision that is new here. */
  apply(state: ConfigState, text: string | undefined): void {
    const before = this.#current;
    if (text !== undefined && state.revision !== before?.config.revision) {
      this.#keep(availableConfig(this.file, text, this.#env), text);
    }
    const after = this.#current;
    const changes = before && after && before !== after ? changesBetween(before.config, after.config) : [];
    this.#onEvent({ ...state, errors: [...state.errors, ...(after?.config.problems ?? [])], changes });
  }

  #keep(config: AvailableConfig, text: string): Revision {
    const revision = { config, text, specs: toPoolSpecs(config) };
    this.#revisions.delete(config.revision);
    this.#revisions.set(config.revision, revision);
    const [oldest] = this.#revisions.keys();
    if (this.#revisions.size > KEPT && oldest !== undefined) this.#revisions.delete(oldest);
    this.#current = revision;
    this.#announced = null;
    return revision;
  }
}
