import { connect, type Socket } from 'node:net';
import { isCode } from '../shared/processes.ts';

const AGAIN_MS = 20;

/** Connects to where a process is seen to live; for tests, to something else. */
export type ConnectTo = (address: string) => Pick<Socket, 'once' | 'destroy' | 'unref'>;

/**
 * Watches processes that may hold leases and have no connection: it calls back once when such a one is dead. The connection
 * that watches is accepted by the system as long as the process lives, whether that is stopped or busy, and closed with it.
 */
export class Presences {
  readonly #connect: ConnectTo;
  readonly #watched = new Map<string, () => void>();

  constructor(connectTo: ConnectTo = (address) => connect(address)) {
    this.#connect = connectTo;
  }

  /** `onGone` is called when the client's process is dead, unless `leave` comes before. */
  watch(client: string, address: string, onGone: () => void): void {
    this.leave(client);
    const socket = this.#connect(address);
    socket.unref();
    let again: NodeJS.Timeout | undefined;
    let isBusy = false;
    let wasSeen = false;
    socket.once('connect', () => (wasSeen = true));
    socket.once('error', (error: unknown) => {
      isBusy = !isCode(error, 'ECONNREFUSED') && !isCode(error, 'ENOENT') && !isCode(error, 'ECONNRESET');
    });
    socket.once('close', () => {
      if (this.#watched.get(client) !== stop) return;
      // Too many connect at once to tell.
      // A child that has its place may live on: then it is seen there again.
      if (wasSeen) this.watch(client, address, onGone);
      else if (isBusy) again = setTimeout(() => this.watch(client, address, onGone), AGAIN_MS);
      else {
        this.#watched.delete(client);
        onGone();
      }
    });
    const stop = (): void => {
      clearTimeout(again);
      socket.destroy();
    };
    this.#watched.set(client, stop);
  }

  /** The client is no longer watched. */
  leave(client: string): void {
    const stop = this.#watched.get(client);
    this.#watched.delete(client);
    stop?.();
  }

  close(): void {
    for (const client of this.#watched.keys()) this.leave(client);
  }
}
