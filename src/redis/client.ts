import { GembaError } from '../core/errors.ts';
import type { StoreAddress } from './address.ts';

/** What of a Redis client is used: one connection, made once and never by itself made anew. */
export interface RedisClient {
  connect(): Promise<unknown>;
  sendCommand(command: string[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  /** The server's machine has accepted the connection. */
  on(event: 'connect', listener: () => void): unknown;
  destroy(): void;
}

export type ClientFactory = (address: StoreAddress, connectMs: number) => RedisClient;

/** Loads `@redis/client`, which only projects with a shared store install. */
export async function loadClient(load = () => import('@redis/client')): Promise<ClientFactory> {
  let library: Awaited<ReturnType<typeof load>>;
  try {
    library = await load();
  } catch (cause) {
    throw new GembaError(
      'GEMBA_STORE_CLIENT_MISSING',
      'A store at redis:// needs the package "@redis/client", which cannot be loaded here. ' +
        'Run: npm install --save-dev @redis/client',
      { cause },
    );
  }
  return ({ host, port, tls, username, password, database }, connectMs) =>
    library.createClient({
      socket: {
        host,
        port,
        ...(tls ? { tls: true as const } : {}),
        connectTimeout: connectMs,
        reconnectStrategy: false,
      },
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      database,
      // One connection for commands and messages.
      RESP: 3,
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      // Its own limit does not end commands that were sent, and costs a timer each: connection.ts has ours.
      commandOptions: { timeout: 0 },
    });
}
