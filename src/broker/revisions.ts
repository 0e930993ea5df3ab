import type { ConfigLayer } from '../config/source.ts';
import type { ReadFile } from '../config/types.ts';
import type { ConfigState } from '../core/types.ts';
import type { ConfigStore } from './config-store.ts';
import { type Connection, type Connections, send } from './connections.ts';
import type { ConfigUpdate } from '../wire/messages.ts';

/** What a run has been told by its terminal. */
interface RevisionNotices {
  /** Problems of the file that were said last. */
  refused: string;
  /** What the run's environment lacks for the revision in force, as it was said last. */
  missing: string;
}

/** Which configuration is in force, who has heard of it, and who says in each run what is wrong with an edit. */
export class Revisions {
  readonly #broker: string;
  readonly #connections: Connections;
  readonly #configStore: ConfigStore | null;
  readonly #runs = new Map<string, RevisionNotices>();

  constructor(broker: string, connections: Connections, configStore: ConfigStore | null) {
    this.#broker = broker;
    this.#connections = connections;
    this.#configStore = configStore;
  }

  get inForce(): string | null {
    return this.#configStore?.current?.revision ?? null;
  }

  get state(): ConfigState | null {
    const current = this.#configStore?.current;
    if (!current) return null;
    const { layers: _, ...state } = current;
    return { ...state, broker: this.#broker };
  }

  /** Nothing is granted before a link has offered what it has, where the file is no good at a broker's start. */
  isUndecided({ follows }: Connection): boolean {
    return this.#configStore !== null && this.#configStore.current === null && follows !== null;
  }

  /** What a client is to be sent now; the texts only where it has another revision, once it got all that was sent before. */
  takeUpdate(connection: Connection): ConfigUpdate | null {
    const { state } = this;
    const { follows } = connection;
    if (!state || !follows) return null;
    if (follows.revision === state.revision) return { state };
    connection.follows = { ...follows, revision: state.revision };
    return { state, layers: this.#configStore?.current?.layers };
  }

  isKnown({ run }: Pick<NonNullable<Connection['follows']>, 'run'>): boolean {
    return this.#runs.has(run);
  }

  /** `had`: the revision that it came with. */
  join(connection: Connection, had: string | null): void {
    if (!connection.follows || connection.follows.role === 'command') return;
    const { state } = this;
    const { run } = connection.follows;
    // A link without a revision only asks whether its run is known; it does not register the run.
    if (had !== null && !this.#runs.has(run)) this.#runs.set(run, { refused: '', missing: '' });
    if (state) this.#say(run, state, 'refused', state.errors);
  }

  /** Tells all links. */
  emitChanges(): void {
    const { state } = this;
    if (!state) return;
    for (const connection of this.#connections.all) {
      const config = this.takeUpdate(connection);
      if (config) send(connection, { type: 'config', config });
    }
    for (const [run, onPools] of this.#runs) {
      if (state.errors.length === 0) onPools.missing = '';
      this.#say(run, state, 'refused', state.errors);
    }
  }

  /** A link has the revision in force now. */
  onPools(connection: Connection, problems: readonly string[]): void {
    if (!connection.follows) return;
    const { state } = this;
    // A run that lacks something from its start on has no revision that it could go on with.
    const isWhole = problems.length === 0 && connection.follows.role !== 'command';
    if (isWhole && !this.#runs.has(connection.follows.run))
      this.#runs.set(connection.follows.run, { refused: '', missing: '' });
    if (state && problems.length > 0) this.#say(connection.follows.run, state, 'missing', problems);
  }

  offer(revision: string, layers: readonly ConfigLayer[]): void {
    void this.#configStore?.offer(revision, layers);
  }

  /** A client has read these files besides the texts of a revision. */
  readFiles(revision: string | null, files: readonly ReadFile[]): void {
    this.#configStore?.follow(revision, files);
  }

  /** Once for each run, by its reporter, else by its first worker; forgotten when the file is good again. */
  #say(run: string, about: ConfigState, what: keyof RevisionNotices, problems: readonly string[]): void {
    const known = this.#runs.get(run);
    const text = problems.join('\n');
    if (!known || text === known[what]) return;
    known[what] = '';
    if (text === '') return;
    const there = this.#connections.all.filter(({ follows }) => follows?.run === run);
    const speaker =
      there.find(({ follows }) => follows?.role === 'reporter') ??
      there.find(({ follows }) => follows?.role === 'worker');
    if (!speaker) return;
    known[what] = text;
    send(speaker, { type: 'say', about, problems });
  }
}
