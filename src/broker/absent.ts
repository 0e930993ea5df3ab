import type { PresentClient } from '../shared/local-sockets.ts';
import type { Presences } from './presences.ts';

const UNKNOWN = 'unknown';

/**
 * Clients without a connection whose processes live. Of those that had one here the leases are known, and stay. Others held
 * leases of a broker before this one, and until each has said which, or is dead, nothing is granted.
 */
export class Absent {
  readonly #presences: Presences;
  /** Clients of a broker before this one. */
  readonly #unheard = new Map<string, PresentClient>();
  /** Clients that lost their connection to this one. */
  readonly #away = new Set<string>();
  readonly #onHeard: () => void;

  constructor(presences: Presences, onHeard: () => void) {
    this.#presences = presences;
    this.#onHeard = onHeard;
  }

  /** Why nothing is granted now; null where all holders are known. */
  get awaits(): string | null {
    const [first] = this.#unheard.values();
    if (!first) return null;
    if (first.client === UNKNOWN)
      return 'it was started anew, and the processes that hold something have not come back yet';
    const others = this.#unheard.size > 1 ? ` and ${this.#unheard.size - 1} more` : '';
    return (
      `it was started anew, and process ${first.pid}${others} has not said yet what it holds. ` +
      'Where that stands still, continue it or end it'
    );
  }

  get count(): number {
    return this.#away.size;
  }

  /** They may hold something that is on no books. */
  await(clients: readonly PresentClient[]): void {
    for (const present of clients) {
      this.#unheard.set(present.client, present);
      this.#presences.watch(present.client, present.address, () => this.#heard(present.client));
    }
  }

  /** The system does not tell which processes live: those that do are back in this time. */
  awaitUnknown(ms: number): void {
    this.#unheard.set(UNKNOWN, { client: UNKNOWN, pid: 0, address: '' });
    setTimeout(() => this.#heard(UNKNOWN), ms).unref();
  }

  /** Its connection is gone; `onGone` follows where its process is dead. */
  leave(client: string, address: string, onGone: () => void): void {
    this.#away.add(client);
    this.#presences.watch(client, address, () => {
      this.#away.delete(client);
      onGone();
    });
  }

  /** It has a connection again; `heard` follows when what it holds is on the books. */
  back(client: string): void {
    this.#away.delete(client);
    this.#presences.leave(client);
  }

  heard(client: string): void {
    this.#heard(client);
  }

  close(): void {
    this.#presences.close();
  }

  #heard(client: string): void {
    if (this.#unheard.delete(client) && this.#unheard.size === 0) this.#onHeard();
  }
}
