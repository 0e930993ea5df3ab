import { createServer, type Server, type Socket } from 'node:net';
import { brokerSocket, namesAreFreeWithTheirProcess } from '../shared/local-sockets.ts';

/** What comes in: a connection, and the name of the project that it asked for. */
export interface ListenerHost {
  readonly onConnection: (socket: Socket, project: string) => void;
  /** Another broker listens in this one's place. */
  readonly onReplaced: () => void;
}

/** Listens under the names of a project. Each is one process's at a time. */
export class Listener {
  readonly #servers = new Map<string, Server>();
  readonly #watchers: { close: () => void }[] = [];
  #host: ListenerHost;

  constructor(host: ListenerHost) {
    this.#host = host;
  }

  get projects(): string[] {
    return [...this.#servers.keys()];
  }

  handOver(host: ListenerHost): void {
    this.#host = host;
  }

  /** Takes further names; false where another process has one of them. */
  async take(projects: readonly string[]): Promise<boolean> {
    for (const project of projects)
      if (!this.#servers.has(project) && !(await this.#listen(project))) return false;
    return true;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const server of this.#servers.values()) server.close();
  }

  async #listen(project: string): Promise<boolean> {
    const path = brokerSocket(project);
    const server = this.#newServer(project);
    const isOurs = namesAreFreeWithTheirProcess
      ? await listen(server, path)
      : await this.#listenAtFile(project, server, path);
    if (!isOurs) this.#servers.delete(project);
    return isOurs;
  }

  async #listenAtFile(project: string, first: Server, path: string): Promise<boolean> {
    const { listenAtFile, watchSocketFile } = await import('./socket-file.ts');
    if (!(await listenAtFile(first, path))) return false;
    const again = (): Promise<boolean> => {
      // Its connections stay; only the name is gone.
      this.#servers.get(project)?.close();
      return listenAtFile(this.#newServer(project), path);
    };
    this.#watchers.push(watchSocketFile(path, again, () => this.#host.onReplaced()));
    return true;
  }

  #newServer(project: string): Server {
    const server = createServer((socket) => this.#host.onConnection(socket, project));
    this.#servers.set(project, server);
    return server;
  }
}

function listen(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => resolve(true));
  });
}
