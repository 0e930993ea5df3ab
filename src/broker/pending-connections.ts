import type { Socket } from 'node:net';

/** Whoever connects says hello at once; one that does not in this time is no link. */
const SILENT_MS = 30_000;

/** Connections that are no links yet: they must say hello, soon and once, and keep no broker from its end. */
export class PendingConnections {
  readonly #silentMs: number;
  /** The time that runs against each until its hello. */
  readonly #open = new Map<Socket, NodeJS.Timeout>();
  readonly #greeted = new WeakSet<Socket>();

  constructor(silentMs: number = SILENT_MS) {
    this.#silentMs = silentMs;
  }

  add(socket: Socket): void {
    this.#open.set(socket, setTimeout(() => socket.destroy(), this.#silentMs).unref());
    socket.once('close', () => this.accepted(socket));
  }

  /** It says hello; false where it has before. */
  onHello(socket: Socket): boolean {
    clearTimeout(this.#open.get(socket));
    if (this.#greeted.has(socket)) return false;
    this.#greeted.add(socket);
    return true;
  }

  /** It is a link from now on, or gone. */
  accepted(socket: Socket): void {
    clearTimeout(this.#open.get(socket));
    this.#open.delete(socket);
  }

  close(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
