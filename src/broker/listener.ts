import { createServer, type Server, type Socket } from 'node:net';
import { brokerSocket } from '../shared/local-sockets.ts';

/** What came in: a connection, and the name of the project that it asked for. */
export type OnConnection = (socket: Socket, project: string) => void;

/** Listens under the names of a project. Each is one process's at a time. */
export class Listener {
  readonly #servers = new Map<string, Server>();
  #onConnection: OnConnection;

  constructor(onConnection: OnConnection) {
    this.#onConnection = onConnection;
  }

  get projects(): string[] {
    return [...this.#servers.keys()];
  }

  handOver(onConnection: OnConnection): void {
    this.#onConnection = onConnection;
  }

  /** Takes further names; false where another process has one of them. */
  async take(projects: readonly string[]): Promise<boolean> {
    for (const project of projects) if (!this.#servers.has(project) && !(await this.#listen(project))) return false;
    return true;
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
  }

  #listen(project: string): Promise<boolean> {
    const server = createServer((socket) => this.#onConnection(socket, project));
    this.#servers.set(project, server);
    return new Promise((resolve) => {
      server.once('error', () => {
        this.#servers.delete(project);
        resolve(false);
      });
      server.listen(brokerSocket(project), () => resolve(true));
    });
  }
}
