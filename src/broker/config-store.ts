import { readConfigText, revisionOf } from '../config/read.ts';
import type { Clock } from '../core/clock.ts';
import type { ConfigState } from '../core/types.ts';

/** What the keeper needs of the configuration's code, which is loaded only when it is needed. */
interface Reader {
  readonly check: (file: string, text: string) => void;
  readonly problemsOf: (error: unknown) => string[];
  readonly watch: (file: string, onSettled: () => 'again' | undefined) => { close(): Promise<void> };
}

/** The configuration in force, with its text: links resolve its variables, each in its own environment. */
export interface CurrentConfig extends Omit<ConfigState, 'broker'> {
  readonly text: string;
}

/**
 * Keeps the configuration of one file: the last text that was valid, and what is wrong with a later one. It never
 * resolves a variable.
 */
export class ConfigStore {
  readonly #file: string;
  readonly #now: Clock;
  readonly #onChange: (current: CurrentConfig) => void;
  readonly #reader: Promise<Reader>;
  #watcher: { close(): Promise<void> } | null = null;
  #current: CurrentConfig | null = null;
  #errors: readonly string[] = [];
  /** The file's state that was judged last: a revision, or what was wrong. */
  #lastSeen = '';
  #unconfirmed = '';
  #sequence = 0;
  #isClosed = false;
  readonly #ready: Promise<void>;

  constructor(file: string, now: Clock, onChange: (current: CurrentConfig) => void, reader: Promise<Reader>) {
    this.#file = file;
    this.#now = now;
    this.#onChange = onChange;
    this.#reader = reader;
    this.#ready = this.#begin();
  }

  get current(): CurrentConfig | null {
    return this.#current;
  }

  /**
   * Settles when there is something to say to a link that comes with a revision. Where that is the file's own, it is
   * in force at once: the link has validated it, and loading what that takes would cost the first lease its time.
   */
  async settleOn(revision: string | null): Promise<void> {
    if (!this.#current && revision !== null) {
      const text = textIn(this.#file);
      if (text !== null && revisionOf(text) === revision) {
        this.#lastSeen = revision;
        this.#apply(revision, text, []);
      }
    }
    if (!this.#current) await this.#ready;
  }

  /** A link has this text from before the broker; it counts where the file itself is no good now. */
  async offer(revision: string, text: string): Promise<void> {
    const reader = await this.#reader;
    if (this.#current || revisionOf(text) !== revision) return;
    try {
      reader.check(this.#file, text);
    } catch {
      return;
    }
    this.#apply(revision, text, this.#errors);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watcher?.close();
  }

  async #begin(): Promise<void> {
    const reader = await this.#reader;
    if (this.#isClosed) return;
    this.#watcher = reader.watch(this.#file, () => this.#look(reader));
    if (this.#look(reader) === 'again') this.#look(reader);
  }

  #look(reader: Reader): 'again' | undefined {
    const found = this.#read(reader);
    if (found.state === this.#lastSeen) return undefined;
    if (found.errors.length > 0 && this.#unconfirmed !== found.state) {
      this.#unconfirmed = found.state;
      return 'again';
    }
    this.#lastSeen = found.state;
    this.#unconfirmed = '';
    if (found.text !== null) this.#apply(found.state, found.text, []);
    else {
      this.#errors = found.errors;
      if (this.#current) this.#apply(this.#current.revision, this.#current.text, found.errors);
    }
    return undefined;
  }

  #read(reader: Reader): { state: string; text: string | null; errors: string[] } {
    let state = '';
    try {
      const text = readConfigText(this.#file);
      state = revisionOf(text);
      if (state !== this.#current?.revision) reader.check(this.#file, text);
      return { state, text, errors: [] };
    } catch (error) {
      const errors = reader.problemsOf(error);
      return { state: `${state} ${errors.join('\n')}`, text: null, errors };
    }
  }

  #apply(revision: string, text: string, errors: readonly string[]): void {
    this.#errors = errors;
    this.#current = { seq: ++this.#sequence, at: this.#now(), revision, text, errors };
    this.#onChange(this.#current);
  }
}

function textIn(file: string): string | null {
  try {
    return readConfigText(file);
  } catch {
    return null;
  }
}

/** The code that reads and judges the file. */
export async function configReader(): Promise<Reader> {
  const [{ checkConfigText }, { ConfigError, inWords }, { watchFile }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/problems.ts'),
    import('../config/watch.ts'),
  ]);
  return {
    check: checkConfigText,
    problemsOf: (error) => {
      if (error instanceof ConfigError) return error.problems.map(inWords);
      return [error instanceof Error ? error.message : String(error)];
    },
    // What cannot be watched is looked at all the same.
    watch: (file, onSettled) => watchFile(file, onSettled, () => undefined),
  };
}
