import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type BrokerSource, brokerSourceOf } from '../config/broker-source.ts';
import type { Env } from '../config/variables.ts';
import { GembaError } from '../core/errors.ts';
import { isTrusted } from '../shared/file-trust.ts';

/** Where the broker of a project listens, and where it keeps what it learned. */
export interface BrokerAddress {
  readonly socketPath: string;
  readonly cacheFile: string;
  /** The config file, which the broker watches. */
  readonly configFile?: string;
  /** What several machines share, and how long a claim there lives: for `store: "redis://…"`. */
  readonly shared?: SharedAddress;
}

interface SharedAddress {
  readonly url: string;
  readonly project: string;
  readonly leaseTtlMs: number;
}

/** One broker per user, machine, store and config file, by the file's real path. */
export function brokerAddress({ path, name, store, pools }: BrokerSource): BrokerAddress {
  const real = realPath(path);
  if (store === 'local') return { ...localAddress(real, real), configFile: path };
  const leaseTtlMs = Math.max(...Object.values(pools).map((pool) => pool.leaseTtl));
  const shared = { url: store, project: name, leaseTtlMs };
  return { ...localAddress(real, `${real}\0${store}`), configFile: path, shared };
}

/** Where the broker of a file would be, whatever is wrong with the file; null where its folder cannot be used. */
export function locateBroker(file: string, env: Env): BrokerAddress | null {
  try {
    return brokerAddress(brokerSourceOf(file, env));
  } catch {
    return null;
  }
}

export function isBrokerThere({ socketPath }: BrokerAddress): boolean {
  return process.platform === 'win32' || existsSync(socketPath);
}

/** A file that is gone for a moment has its path all the same. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const folder = dirname(path);
  return existsSync(folder) ? join(realpathSync(folder), basename(path)) : path;
}

function localAddress(real: string, identity: string): BrokerAddress {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 16);
  const cacheFile = join(cacheFolder(dirname(real)), `${hash}.json`);
  if (process.platform === 'win32') {
    const user = createHash('sha256').update(userInfo().username).digest('hex').slice(0, 8);
    return { socketPath: `\\\\.\\pipe\\gemba-${user}-${hash}`, cacheFile };
  }
  return { socketPath: join(socketFolder(), `${hash}.sock`), cacheFile };
}

/** A folder of the user's own with a short path: a socket's path holds 107 bytes at most (103 on macOS). */
function socketFolder(): string {
  return ownFolder(isWritable('/tmp') ? '/tmp' : tmpdir(), process.getuid?.() ?? 0);
}

/** Throws where somebody else has made it, or can write it: they could answer in the broker's place. */
export function ownFolder(base: string, uid: number): string {
  const folder = join(base, `gemba-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new GembaError(
      'GEMBA_BROKER_UNREACHABLE',
      `The folder ${folder} is not yours alone, so no broker can listen there safely.\n` +
        `Found: ${stat.isDirectory() ? `owner ${stat.uid}, mode ${(stat.mode & 0o777).toString(8)}` : 'not a folder'}. ` +
        `Remove it, or make it a folder of user ${uid} with mode 700.`,
    );
  }
  return folder;
}

/** The project's cache folder: beside the nearest package.json, else a folder that nobody else can write. */
function cacheFolder(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && isWritable(folder) && isTrusted(manifest, from)) {
      return join(folder, 'node_modules', '.cache', 'gemba-agent');
    }
    if (dirname(folder) !== folder) continue;
    return process.platform === 'win32' ? join(tmpdir(), 'gemba-cache-user') : socketFolder();
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
