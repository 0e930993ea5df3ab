import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve as absolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerAddress } from './address.ts';

/** A connection to the broker at that path; null where none answers. */
export function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', () => socket.destroy());
      resolve(socket);
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
  const main = fileURLToPath(new URL('../broker/main.js', import.meta.url));
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
