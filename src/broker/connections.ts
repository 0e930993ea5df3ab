import type { Socket } from 'node:net';
import type { PoolSpec, Transition } from '../core/types.ts';
import { toLine } from '../wire/lines.ts';
import type { Answer, BrokerMessage, LinkMessage } from '../wire/messages.ts';

/** A link, seen from the broker. */
export interface Peer {
  readonly socket: Socket;
  /** Its id, once it has said hello. */
  link: string;
  pid: number;
  specs: ReadonlyMap<string, PoolSpec>;
  /** How it follows the configuration's edits; null where it does not. */
  follows: Follows | null;
  /** It can send probes. */
  probes: boolean;
}

type Follows = NonNullable<Extract<LinkMessage, { type: 'hello' }>['follows']>;

/** The links that have said hello. */
export class Peers {
  readonly #byLink = new Map<string, Peer>();

  get count(): number {
    return this.#byLink.size;
  }

  /** Processes by link, of those that may hold leases. */
  get processes(): Map<string, number> {
    const holding = this.all.filter(({ follows }) => follows === null || follows.role === 'worker');
    return new Map(holding.map((peer) => [peer.link, peer.pid]));
  }

  get all(): Peer[] {
    return [...this.#byLink.values()];
  }

  /** Links that can send probes of that pool, those that came first before. */
  probing(pool: string): Peer[] {
    return [...this.#byLink.values()].filter((peer) => peer.probes && peer.specs.has(pool));
  }

  add(peer: Peer): void {
    this.#byLink.set(peer.link, peer);
  }

  has(link: string): boolean {
    return this.#byLink.has(link);
  }

  /** False where that link has come back with another connection since. */
  remove(peer: Peer): boolean {
    return this.#byLink.get(peer.link) === peer && this.#byLink.delete(peer.link);
  }

  send(link: string, message: BrokerMessage): void {
    const peer = this.#byLink.get(link);
    if (peer) send(peer, message);
  }

  /** Tells all links that use the pool. */
  tell(transition: Transition): void {
    for (const peer of this.#byLink.values()) {
      if (peer.specs.has(transition.pool)) send(peer, { type: 'transition', transition });
    }
  }
}

/** A link that has left so much unread does not live any more, whatever its process does. */
const MAX_UNREAD = 64 * 1024 * 1024;

export function send(peer: Peer, message: BrokerMessage): void {
  if (!peer.socket.writable) return;
  peer.socket.write(toLine(message), 'latin1');
  if (peer.socket.writableLength > MAX_UNREAD) peer.socket.destroy();
}

export function answer(peer: Peer, ask: number, content: Answer): void {
  send(peer, { type: 'answer', ask, answer: content });
}
