import type { Socket } from 'node:net';
import type { PoolSpec, Transition } from '../core/types.ts';
import { toLine } from '../wire/lines.ts';
import type { Answer, BrokerMessage, ClientMessage } from '../wire/messages.ts';

/** A link, seen from the broker. */
export interface Connection {
  readonly socket: Socket;
  /** Its id, once it has said hello. */
  client: string;
  pid: number;
  specs: ReadonlyMap<string, PoolSpec>;
  /** How it follows the configuration's edits; null where it does not. */
  follows: Follows | null;
  /** It can send probes. */
  probes: boolean;
}

type Follows = NonNullable<Extract<ClientMessage, { type: 'hello' }>['follows']>;

/** The links that have said hello. */
export class Connections {
  readonly #byClient = new Map<string, Connection>();

  get count(): number {
    return this.#byClient.size;
  }

  /** Processes by link, of those that may hold leases. */
  get processes(): Map<string, number> {
    const holding = this.all.filter(({ follows }) => follows === null || follows.role === 'worker');
    return new Map(holding.map((connection) => [connection.client, connection.pid]));
  }

  get all(): Connection[] {
    return [...this.#byClient.values()];
  }

  /** Links that can send probes of that pool, those that came first before. */
  probing(pool: string): Connection[] {
    return [...this.#byClient.values()].filter(
      (connection) => connection.probes && connection.specs.has(pool),
    );
  }

  add(connection: Connection): void {
    this.#byClient.set(connection.client, connection);
  }

  has(client: string): boolean {
    return this.#byClient.has(client);
  }

  /** False where that link has come back with another connection since. */
  remove(connection: Connection): boolean {
    return this.#byClient.get(connection.client) === connection && this.#byClient.delete(connection.client);
  }

  send(client: string, message: BrokerMessage): void {
    const connection = this.#byClient.get(client);
    if (connection) send(connection, message);
  }

  /** Tells all links that use the pool. */
  publish(transition: Transition): void {
    for (const connection of this.#byClient.values()) {
      if (connection.specs.has(transition.pool)) send(connection, { type: 'transition', transition });
    }
  }
}

/** A link that has left so much unread does not live any more, whatever its process does. */
const MAX_UNREAD = 64 * 1024 * 1024;

export function send(connection: Connection, message: BrokerMessage): void {
  if (!connection.socket.writable) return;
  connection.socket.write(toLine(message), 'latin1');
  if (connection.socket.writableLength > MAX_UNREAD) connection.socket.destroy();
}

export function answer(connection: Connection, ask: number, content: Answer): void {
  send(connection, { type: 'answer', ask, answer: content });
}
