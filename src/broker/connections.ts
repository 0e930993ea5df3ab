import type { Socket } from 'node:net';
import type { PoolSpec, Transition } from '../core/types.ts';
import { toLine } from '../wire/lines.ts';
import type { Answer, BrokerMessage, ClientMessage } from '../wire/messages.ts';

/** A client's connection, seen from the broker. */
export interface Connection {
  readonly socket: Socket;
  /** It has said hello, and proved whose it is. */
  isOpening: boolean;
  /** Its id, once it was welcomed. */
  client: string;
  pid: number;
  /** Where its process is seen to live; null where what it holds ends with its connection. */
  presence: string | null;
  specs: ReadonlyMap<string, PoolSpec>;
  /** How it follows the configuration's edits; null where it does not. */
  follows: Follows | null;
  /** It can send probes. */
  probes: boolean;
}

type Follows = NonNullable<Extract<ClientMessage, { type: 'hello' }>['follows']>;

export function newConnection(socket: Socket): Connection {
  return {
    socket,
    isOpening: false,
    client: '',
    pid: 0,
    presence: null,
    specs: new Map(),
    follows: null,
    probes: false,
  };
}

/** The clients that were welcomed. */
export class Connections {
  readonly #byClient = new Map<string, Connection>();

  get count(): number {
    return this.#byClient.size;
  }

  get all(): Connection[] {
    return [...this.#byClient.values()];
  }

  /** Clients that can send probes of that pool, those that came first before. */
  probing(pool: string): Connection[] {
    return [...this.#byClient.values()].filter(
      (connection) => connection.probes && connection.specs.has(pool),
    );
  }

  add(connection: Connection): void {
    this.#byClient.set(connection.client, connection);
  }

  /** False where that client has come back with another connection since. */
  remove(connection: Connection): boolean {
    return this.#byClient.get(connection.client) === connection && this.#byClient.delete(connection.client);
  }

  send(client: string, message: BrokerMessage): void {
    const connection = this.#byClient.get(client);
    if (connection) send(connection, message);
  }

  /** Sends it to all clients that use the pool. */
  publish(transition: Transition): void {
    for (const connection of this.#byClient.values()) {
      if (connection.specs.has(transition.pool)) send(connection, { type: 'transition', transition });
    }
  }
}

/** A client that has left so much unread does not live any more, whatever its process does. */
const MAX_UNREAD = 64 * 1024 * 1024;

export function send(connection: Connection, message: BrokerMessage): void {
  if (!connection.socket.writable) return;
  connection.socket.write(toLine(message), 'latin1');
  if (connection.socket.writableLength > MAX_UNREAD) connection.socket.destroy();
}

export function answer(connection: Connection, ask: number, content: Answer): void {
  send(connection, { type: 'answer', ask, answer: content });
}
