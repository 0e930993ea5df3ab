import { spawn } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve as absolute } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../core/clock.ts';
import {
  brokerSocket,
  namesAreFreeWithTheirProcess,
  presenceSocket,
  secretFile,
  startSocket,
} from '../shared/local-sockets.ts';
import { packageRoot } from '../shared/package-root.ts';
import { privateFolders, readPrivate } from '../shared/private-folder.ts';
import { startOf } from '../shared/processes.ts';
import { type BrokerIdentity, readIdentity } from '../wire/greeting.ts';
import { type BrokerAddress, storeIdOf } from './address.ts';
import { type BrokerErrors, openErrorsFile, takeBrokerErrors } from './broker-errors.ts';

/** A connection to a broker. */
export interface BrokerSocket {
  readonly socket: Socket;
  /** Called with what the broker says, in pieces as they come. */
  onText: (text: string) => void;
}

/** Where a process is seen to live. */
export interface Presence {
  readonly close: () => void;
  /**
   * The descriptor of its socket, for a child process that inherits it: then this process is seen to live as long as the child
   * does. Null where the system hands none on.
   */
  readonly descriptor: () => Promise<number | null>;
}

/** What a client needs of its machine. */
export interface Machine {
  /** A connection to whatever listens in the place of a project's broker; null where nothing does. */
  readonly connect: (project: string) => Promise<BrokerSocket | null>;
  /** The secret of a broker, and who it is; null where the file is not this user's alone. */
  readonly readIdentity: (file: string) => BrokerIdentity | null;
  /** The broker of a project as it has described itself; null where none has. */
  readonly findIdentity: (project: string) => BrokerIdentity | null;
  readonly startBroker: (address: BrokerAddress, seed: string | undefined) => void;
  /** What brokers of these projects printed to their standard error that have ended since; each is given once. */
  readonly takeBrokerErrors: (projects: readonly string[]) => BrokerErrors[];
  /** Of the clients that ask at the same time one gets it, until it lets go or ends; null where another one has it. */
  readonly takeStart: (project: string) => Promise<{ close: () => void } | null>;
  /** Lets other processes see that this one lives, until it is closed or the process ends. */
  readonly appear: (projects: readonly string[], client: string) => Presence;
  /** Ends a broker that hangs. False where that is not possible. */
  readonly kill: (broker: BrokerIdentity) => boolean;
}

/** Most of what a broker says is shorter than this by far. */
const READ_BYTES = 16_384;

export const thisMachine: Machine = {
  connect: (project) => connectTo(brokerSocket(project)),
  readIdentity: (file) => readIdentity(readPrivate(file)),
  findIdentity,
  startBroker,
  takeBrokerErrors: (projects) => takeBrokerErrors(projects, systemClock()),
  takeStart,
  appear,
  kill,
};

/** Whether something listens in the place of the project's broker. */
export async function isBrokerThere({ projects }: BrokerAddress): Promise<boolean> {
  for (const project of projects) {
    const connection = await thisMachine.connect(project);
    connection?.socket.destroy();
    if (connection) return true;
  }
  return false;
}

function connectTo(path: string): Promise<BrokerSocket | null> {
  return new Promise((resolve) => {
    const decoder = new StringDecoder('utf8');
    // One buffer for all that comes: a stream's own would be a new one, four times as long, for every answer.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (length: number): boolean => {
      connection.onText(decoder.write(buffer.subarray(0, length)));
      return true;
    };
    const socket = connect({ path, onread: { buffer, callback } });
    const connection: BrokerSocket = { socket, onText: () => {} };
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', () => socket.destroy());
      resolve(connection);
    });
    socket.once('error', () => {
      socket.destroy();
      resolve(null);
    });
  });
}

function findIdentity(project: string): BrokerIdentity | null {
  for (const folder of privateFolders()) {
    const identity = readIdentity(readPrivate(join(folder, secretFile(project))));
    if (identity) return identity;
  }
  return null;
}

/**
 * Starts a broker, which runs on its own. Its environment has nothing of the project's but where the store is, and who
 * vouches for its certificate: the broker needs no key, so it gets none.
 */
function startBroker(address: BrokerAddress, seed: string | undefined): void {
  const main = fileURLToPath(new URL('dist/broker.cjs', packageRoot));
  const { PATH, HOME, TMPDIR, TEMP, TMP, SystemRoot, NODE_USE_SYSTEM_CA } = process.env;
  // The shared store's address may hold a password, which a command line would show to everybody.
  const GEMBA_BROKER_STORE = address.shared && JSON.stringify({ ...address.shared, id: storeIdOf(address) });
  const { NODE_EXTRA_CA_CERTS: authorities } = process.env;
  // The broker has another current folder.
  const NODE_EXTRA_CA_CERTS = authorities && absolute(authorities);
  const certificates = { NODE_EXTRA_CA_CERTS, NODE_USE_SYSTEM_CA };
  const wanted = { PATH, HOME, TMPDIR, TEMP, TMP, SystemRoot, ...certificates, GEMBA_BROKER_STORE };
  const env = Object.entries(wanted).filter(([, value]) => value !== undefined);
  const { cacheFile, configFile = '', projects } = address;
  const errors = openErrorsFile();
  const child = spawn(process.execPath, [main, cacheFile, seed ?? '', configFile, ...projects], {
    detached: true,
    stdio: ['ignore', 'ignore', errors.descriptor],
    windowsHide: true,
    env: Object.fromEntries(env),
    cwd: tmpdir(),
  });
  child.on('error', () => {});
  child.unref();
  errors.keep(projects[0]!, child.pid);
}

async function takeStart(project: string): Promise<{ close: () => void } | null> {
  // A file would outlive a process that is killed: there, as many brokers are started as ask, and all but one end.
  if (!namesAreFreeWithTheirProcess) return { close: () => {} };
  const server = createServer((socket) => socket.destroy()).unref();
  const isOurs = await listens(server, startSocket(project));
  return isOurs ? { close: () => server.close() } : null;
}

function appear(projects: readonly string[], client: string): Presence {
  const watching = new Set<Socket>();
  // Who connects wants to see the connection close.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    watching.add(socket.unref());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => watching.delete(socket));
  }).unref();
  const listening = listens(server, presenceSocket(projects, client, process.pid));
  const close = (): void => {
    server.close();
    for (const socket of watching) socket.destroy();
  };
  const descriptor = async (): Promise<number | null> => ((await listening) ? descriptorOf(server) : null);
  return { close, descriptor };
}

/** Node.js has no public way to it; where it is not there, nothing is handed on. */
function descriptorOf(server: Server): number | null {
  const { _handle: handle } = server as { _handle?: { fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : null;
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.on('error', () => resolve(false));
    // Also in a worker of node:cluster, whose servers are its primary's else.
    server.listen({ path, exclusive: true }, () => resolve(true));
  });
}

function kill({ pid, start }: BrokerIdentity): boolean {
  // Without the time of its start the id may be another process's by now.
  if (start === '' || startOf(pid) !== start) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
