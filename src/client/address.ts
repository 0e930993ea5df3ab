import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type BrokerSource, brokerSourceOf } from '../config/broker-source.ts';
import type { Env } from '../shared/env.ts';
import { isTrusted } from '../shared/file-trust.ts';
import { privateFolder } from '../shared/private-folder.ts';

/** Which broker serves a project, and what it is started with. */
export interface BrokerAddress {
  /**
   * The names of the project: the path of its config file, links of its folder resolved; and where that is a link, the path
   * of the file that it leads to. Each name has one broker at most, which is found by any of them: a link that is pointed
   * elsewhere in mid-run still leads to the broker of the run.
   */
  readonly projects: readonly string[];
  /** Where the broker keeps what it learned. */
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

/** One broker per user, machine and config file. */
export function brokerAddress(source: BrokerSource): BrokerAddress {
  const projects = projectsOf(source.path);
  const cacheFile = cacheFileOf(projects.at(-1)!);
  return { projects, cacheFile, configFile: source.path, ...sharedOf(source) };
}

/** What machines share by a configuration. */
export function sharedOf({ name, store, pools }: Omit<BrokerSource, 'path'>): Pick<BrokerAddress, 'shared'> {
  if (store === 'local') return {};
  const leaseTtlMs = Math.max(...Object.values(pools).map((pool) => pool.leaseTtl));
  return { shared: { url: store, project: name, leaseTtlMs } };
}

/** Where the broker of a file would be, whatever is wrong with the file; null where its folder cannot be used. */
export function locateBroker(file: string, env: Env): BrokerAddress | null {
  try {
    return brokerAddress(brokerSourceOf(file, env));
  } catch {
    return null;
  }
}

/** Names the store of a configuration: brokers and clients compare it, and it shows no password. */
export function storeIdOf({ shared }: Pick<BrokerAddress, 'shared'>): string {
  if (!shared) return 'local';
  return createHash('sha256').update(`${shared.url}\n${shared.project}`).digest('hex').slice(0, 16);
}

/** A file that is gone for a moment has its path all the same. */
function projectsOf(path: string): string[] {
  const folder = dirname(path);
  const given = existsSync(folder) ? join(realpathSync(folder), basename(path)) : path;
  const real = existsSync(path) ? realpathSync(path) : given;
  return real === given ? [given] : [given, real];
}

function cacheFileOf(project: string): string {
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 16);
  return join(cacheFolder(dirname(project)), `${hash}.json`);
}

/** The project's cache folder: beside the nearest package.json, else a folder that nobody else can write. */
function cacheFolder(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && isWritable(folder) && isTrusted(manifest, from)) {
      return join(folder, 'node_modules', '.cache', 'gemba-agent');
    }
    if (dirname(folder) !== folder) continue;
    return process.platform === 'win32' ? join(tmpdir(), 'gemba-cache-user') : privateFolder();
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
