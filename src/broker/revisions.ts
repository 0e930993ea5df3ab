import type { ConfigState } from '../core/types.ts';
import type { Keeper } from './config-store.ts';
import { type Peer, type Peers, send } from './connections.ts';
import type { ConfigNews } from '../wire/messages.ts';

/** What a run has been told by its terminal. */
interface Run {
  /** Problems of the file that were said last. */
  refused: string;
  /** What the run's environment lacks for the revision in force, as it was said last. */
  missing: string;
}

/** Which configuration is in force, who has heard of it, and who says in each run what is wrong with an edit. */
export class Revisions {
  readonly #broker: string;
  readonly #peers: Peers;
  readonly #keeper: Keeper | null;
  readonly #runs = new Map<string, Run>();

  constructor(broker: string, peers: Peers, keeper: Keeper | null) {
    this.#broker = broker;
    this.#peers = peers;
    this.#keeper = keeper;
  }

  get inForce(): string | null {
    return this.#keeper?.kept?.revision ?? null;
  }

  get state(): ConfigState | null {
    const kept = this.#keeper?.kept;
    if (!kept) return null;
    const { text: _, ...state } = kept;
    return { ...state, broker: this.#broker };
  }

  /** Nothing is granted before a link has offered what it has, where the file is no good at a broker's start. */
  isUndecided({ follows }: Peer): boolean {
    return this.#keeper !== null && this.#keeper.kept === null && follows !== null;
  }

  /** What a link is to be sent now: the text only where it has another, once it has had all that was sent before. */
  takeNews(peer: Peer): ConfigNews | null {
    const { state } = this;
    const { follows } = peer;
    if (!state || !follows) return null;
    if (follows.revision === state.revision) return { state };
    peer.follows = { ...follows, revision: state.revision };
    return { state, text: this.#keeper?.kept?.text };
  }

  isKnown({ follows }: Peer): boolean {
    return follows !== null && this.#runs.has(follows.run);
  }

  /** `had`: the revision that it came with. */
  join(peer: Peer, had: string | null): void {
    if (!peer.follows || peer.follows.role === 'command') return;
    const { state } = this;
    const { run } = peer.follows;
    // One that has no revision asks whether its run is known: only those that had one make it so.
    if (had !== null && !this.#runs.has(run)) this.#runs.set(run, { refused: '', missing: '' });
    if (state) this.#say(run, state, 'refused', state.errors);
  }

  /** Tells all links. */
  emitChanges(): void {
    const { state } = this;
    if (!state) return;
    for (const peer of this.#peers.all) {
      const config = this.takeNews(peer);
      if (config) send(peer, { type: 'config', config });
    }
    for (const [run, told] of this.#runs) {
      if (state.errors.length === 0) told.missing = '';
      this.#say(run, state, 'refused', state.errors);
    }
  }

  /** A link has the revision in force now. */
  told(peer: Peer, problems: readonly string[]): void {
    if (!peer.follows) return;
    const { state } = this;
    // A run that lacks something from its start on has no revision that it could go on with.
    const isWhole = problems.length === 0 && peer.follows.role !== 'command';
    if (isWhole && !this.#runs.has(peer.follows.run))
      this.#runs.set(peer.follows.run, { refused: '', missing: '' });
    if (state && problems.length > 0) this.#say(peer.follows.run, state, 'missing', problems);
  }

  offer(revision: string, text: string): void {
    void this.#keeper?.offer(revision, text);
  }

  /** Once for each run, by its reporter, else by its first worker; forgotten when the file is good again. */
  #say(run: string, about: ConfigState, what: keyof Run, problems: readonly string[]): void {
    const known = this.#runs.get(run);
    const text = problems.join('\n');
    if (!known || text === known[what]) return;
    known[what] = '';
    if (text === '') return;
    const there = this.#peers.all.filter(({ follows }) => follows?.run === run);
    const speaker =
      there.find(({ follows }) => follows?.role === 'reporter') ??
      there.find(({ follows }) => follows?.role === 'worker');
    if (!speaker) return;
    known[what] = text;
    send(speaker, { type: 'say', about, problems });
  }
}
