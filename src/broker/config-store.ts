import type { ReadFile } from '../config/types.ts';
import {
  type ConfigLayer,
  type ConfigSource,
  nextRevision,
  readConfigText,
  revisionOf,
  singleSource,
  textRevision,
} from '../config/source.ts';
import type { Clock } from '../core/clock.ts';
import { withoutCode } from '../core/errors.ts';
import type { ConfigState } from '../core/types.ts';
import { stampOf } from '../shared/file-stamp.ts';
import { memoize } from '../shared/memoize.ts';

/**
 * What reads and watches the files is loaded when one of them changed, or so long after the start: a run of one test ends
 * before. Until then the file is looked at this often.
 */
const BEGIN_AFTER_MS = 5_000;
const LOOK_EVERY_MS = 400;

/** What the store needs of the configuration's code, which is loaded only when it is needed. */
interface ConfigReader {
  /** Throws what is wrong with the files; `looked` gets each path that was tried. */
  readonly read: (file: string, looked: Set<string>) => ConfigSource;
  readonly check: (source: ConfigSource) => void;
  readonly problemsOf: (error: unknown) => string[];
  readonly watch: (
    files: () => readonly string[],
    onSettled: () => 'again' | undefined,
  ) => { close(): Promise<void> };
}

/** The configuration in force, with its texts: clients resolve its variables, each in its own environment. */
export interface CurrentConfig extends Omit<ConfigState, 'broker'> {
  readonly layers: readonly ConfigLayer[];
}

/**
 * Keeps the configuration of one file and all that it extends: the last texts that were valid, and what is wrong with
 * later ones. It resolves no variable and reads no value: of files of values it sees only that they changed.
 */
export class ConfigStore {
  readonly #file: string;
  readonly #now: Clock;
  readonly #onChange: (current: CurrentConfig) => void;
  readonly #reader: () => Promise<ConfigReader>;
  #watcher: { close(): Promise<void> } | null = null;
  #current: CurrentConfig | null = null;
  #errors: readonly string[] = [];
  /** The files' state that was looked at last: a revision of the texts, or what was wrong. */
  #lastSeen = '';
  #unconfirmed = '';
  /** Every file that the configuration was read from, or was to be read from. */
  readonly #looked: Set<string>;
  /** Files of values and variables that clients read, as they were then. */
  readonly #valueFiles = new Map<string, string>();
  #sequence = 0;
  #isClosed = false;
  readonly #begin = memoize(() => this.#watch());
  readonly #looking: NodeJS.Timeout;

  constructor(
    file: string,
    now: Clock,
    onChange: (current: CurrentConfig) => void,
    reader: () => Promise<ConfigReader>,
  ) {
    this.#file = file;
    this.#looked = new Set([file]);
    this.#now = now;
    this.#onChange = onChange;
    this.#reader = memoize(reader);
    this.#looking = this.#lookUntil(now() + BEGIN_AFTER_MS);
  }

  get current(): CurrentConfig | null {
    return this.#current;
  }

  /**
   * Settles when there is an answer for a client that comes with a revision. Where that is the file's own, it is in force
   * at once: the client has validated it, and loading what that takes would cost the first lease its time.
   */
  async settleOn(revision: string | null): Promise<void> {
    if (!this.#current && revision !== null) {
      const source = sourceIn(this.#file);
      if (source?.revision === textRevision(revision)) {
        this.#lastSeen = source.revision;
        this.#apply(revision, source.layers, []);
      }
    }
    if (!this.#current) await this.#begin();
  }

  /** A client has these texts from before the broker; they count where the files themselves are not valid now. */
  async offer(revision: string, layers: readonly ConfigLayer[]): Promise<void> {
    const reader = await this.#reader();
    if (this.#current || revisionOf(layers.map(({ text }) => text)) !== textRevision(revision)) return;
    try {
      reader.check({ revision, layers });
    } catch {
      return;
    }
    this.#apply(revision, layers, this.#errors);
  }

  /** A client of the revision in force has read these files: a change of one of them is a change of the configuration. */
  follow(revision: string | null, files: readonly ReadFile[]): void {
    if (files.length === 0 || revision !== this.#current?.revision) return;
    for (const { path, stamp } of files) if (!this.#valueFiles.has(path)) this.#valueFiles.set(path, stamp);
    // It may have changed between a client's reading and its word.
    this.#lookAtValues();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#looking);
    await this.#watcher?.close();
  }

  #lookUntil(end: number): NodeJS.Timeout {
    return setInterval(() => {
      if (this.#current === null) return;
      this.#lookAtValues();
      const isChanged = sourceIn(this.#file)?.revision !== this.#lastSeen;
      if (isChanged || this.#now() > end) void this.#begin();
    }, LOOK_EVERY_MS);
  }

  async #watch(): Promise<void> {
    clearInterval(this.#looking);
    const reader = await this.#reader();
    if (this.#isClosed) return;
    this.#watcher = reader.watch(
      () => [...this.#looked, ...this.#valueFiles.keys()],
      () => this.#look(reader),
    );
    if (this.#look(reader) === 'again') this.#look(reader);
  }

  #look(reader: ConfigReader): 'again' | undefined {
    const found = this.#read(reader);
    if (found.state === this.#lastSeen) {
      this.#lookAtValues();
      return undefined;
    }
    if (found.errors.length > 0 && this.#unconfirmed !== found.state) {
      this.#unconfirmed = found.state;
      return 'again';
    }
    this.#lastSeen = found.state;
    this.#unconfirmed = '';
    if (found.layers !== null) {
      const { revision = '' } = this.#current ?? {};
      this.#apply(textRevision(revision) === found.state ? revision : found.state, found.layers, []);
    } else {
      this.#errors = found.errors;
      if (this.#current) this.#apply(this.#current.revision, this.#current.layers, found.errors);
    }
    return undefined;
  }

  /** A value changed: the same texts are another revision, which each client resolves anew. */
  #lookAtValues(): void {
    if (!this.#current) return;
    const isChanged = [...this.#valueFiles].some(([file, stamp]) => stampOf(file) !== stamp);
    if (!isChanged) return;
    const { revision, layers, errors } = this.#current;
    this.#apply(nextRevision(revision), layers, errors);
  }

  #read(reader: ConfigReader): { state: string; layers: readonly ConfigLayer[] | null; errors: string[] } {
    let state = '';
    try {
      const source = reader.read(this.#file, this.#looked);
      state = source.revision;
      const isKnown = this.#current !== null && state === textRevision(this.#current.revision);
      if (!isKnown) reader.check(source);
      return { state, layers: source.layers, errors: [] };
    } catch (error) {
      const errors = reader.problemsOf(error);
      return { state: `${state} ${errors.join('\n')}`, layers: null, errors };
    }
  }

  #apply(revision: string, layers: readonly ConfigLayer[], errors: readonly string[]): void {
    this.#errors = errors;
    // Clients name the files again with the revision that they read them by.
    if (revision !== this.#current?.revision) this.#valueFiles.clear();
    this.#current = { seq: ++this.#sequence, at: this.#now(), revision, layers, errors };
    this.#onChange(this.#current);
  }
}

function sourceIn(file: string): ConfigSource | null {
  try {
    return singleSource(file, readConfigText(file));
  } catch {
    return null;
  }
}

/** The code that reads and checks the files. */
export async function configReader(): Promise<ConfigReader> {
  const [{ readSource }, { checkSource }, { ConfigError, inWords }, { watchFiles }] = await Promise.all([
    import('../config/layers.ts'),
    import('../config/load.ts'),
    import('../config/problems.ts'),
    import('../config/watch.ts'),
  ]);
  return {
    read: readSource,
    check: checkSource,
    problemsOf: (error) => {
      if (error instanceof ConfigError) return error.problems.map(inWords);
      return [error instanceof Error ? withoutCode(error.message) : String(error)];
    },
    // What cannot be watched is looked at all the same.
    watch: (files, onSettled) => watchFiles(files, onSettled, () => undefined),
  };
}
