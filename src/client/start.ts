import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve as absolute } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../shared/package-root.ts';
import type { BrokerAddress } from './address.ts';

/** A connection to a broker. */
export interface BrokerSocket {
  readonly socket: Socket;
  /** Called with what the broker says, in pieces as they come. */
  onText: (text: string) => void;
}

/** Most of what a broker says is shorter than this by far. */
const READ_BYTES = 16_384;

/** A connection to the broker at that path; null where none answers. */
export function tryConnect(path: string): Promise<BrokerSocket | null> {
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

/**
 * Starts a broker, which goes on by itself. Its environment holds nothing of the project's but where the store is, and who vouches for its certificate: the broker
 * needs no key, so it gets none.
 */
export function startBroker(address: BrokerAddress, seed: string | undefined): void {
  const main = fileURLToPath(new URL('dist/broker.js', packageRoot));
  const { PATH, HOME, TMPDIR, TEMP, TMP, SystemRoot, NODE_USE_SYSTEM_CA } = process.env;
  // The shared store's address may hold a password, which a command line would show to everybody.
  const GEMBA_BROKER_STORE = address.shared && JSON.stringify(address.shared);
  const { NODE_EXTRA_CA_CERTS: authorities } = process.env;
  // The broker has another current folder.
  const NODE_EXTRA_CA_CERTS = authorities && absolute(authorities);
  const certificates = { NODE_EXTRA_CA_CERTS, NODE_USE_SYSTEM_CA };
  const wanted = { PATH, HOME, TMPDIR, TEMP, TMP, SystemRoot, ...certificates, GEMBA_BROKER_STORE };
  const env = Object.entries(wanted).filter(([, value]) => value !== undefined);
  const args = [main, address.socketPath, address.cacheFile, seed ?? '', address.configFile ?? ''];
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    env: Object.fromEntries(env),
    cwd: tmpdir(),
  });
  child.on('error', () => {});
  child.unref();
}
