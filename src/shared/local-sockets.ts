import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { memoize } from './memoize.ts';
import { privateFolder } from './private-folder.ts';

/*
 * The sockets by which the processes of a project meet on one machine. Each kind of system has names of its own: Linux
 * abstract ones, which no cleaner of folders can delete, which one process at a time has, and which are gone with it;
 * Windows named pipes, of which the same is true; other systems files in a folder of the user's own.
 */

/** A socket's path on macOS holds 103 bytes, and what this module adds to a folder is shorter than this. */
const LONGEST_FOLDER = 103 - 82;
const HASH_LENGTH = 14;
/** An abstract name that is shorter is filled up with zeros by some versions of Node.js and not by others. */
const ABSTRACT_LENGTH = 108;
const FILL = '.';

const ERRORS_FILE = /^([0-9a-f]+)-(\d+)\.stderr$/;
const PRESENCE = /^p-([0-9a-f]+)-([0-9a-f]+)-(\d+)-(.+)$/;

/** A process that lives, and where it is seen to. */
export interface PresentClient {
  readonly client: string;
  readonly pid: number;
  readonly address: string;
}

/** Whether a name is gone with the process that has it, whatever ends that; a file would stay. */
export const namesAreFreeWithTheirProcess = process.platform === 'linux' || process.platform === 'win32';

/** The name of the file, in a private folder, by which the broker of a project proves who it is. */
export function secretFile(project: string): string {
  return `${hashOf(project)}.broker`;
}

/** The name of the file, in a private folder, that has the standard error of a project's broker. */
export function brokerErrorsFile(project: string, pid: number): string {
  return `${hashOf(project)}-${pid}.stderr`;
}

/** The process of a broker of these projects, by the name of such a file; null for another file. */
export function pidOfErrorsFile(name: string, projects: readonly string[]): number | null {
  const [, hash = '', pid] = ERRORS_FILE.exec(name) ?? [];
  return projects.some((project) => hashOf(project) === hash) ? Number(pid) : null;
}

/** Where the broker of a project listens. */
export function brokerSocket(project: string): string {
  return addressOf(hashOf(project));
}

/** Held by the client that starts the broker: of many that come at once one does. */
export function startSocket(project: string): string {
  return addressOf(`${hashOf(project)}-start`);
}

/**
 * Where a client of the broker of these projects is seen to live: connecting succeeds as long as its process lives, also
 * where that stands still, and no longer.
 */
export function presenceSocket(
  [project = '', other = project]: readonly string[],
  client: string,
  pid: number,
): string {
  return addressOf(`p-${hashOf(project)}-${hashOf(other)}-${pid}-${client}`);
}

/** Clients of these projects whose processes live; null where the system does not tell. */
export function presentClients(projects: readonly string[]): PresentClient[] | null {
  const hashes = new Set(projects.map(hashOf));
  const names = presentNames();
  return (
    names?.flatMap((name) => {
      const [, first = '', second = '', pid, client] = PRESENCE.exec(name) ?? [];
      const isOurs = client !== undefined && (hashes.has(first) || hashes.has(second));
      return isOurs ? { client, pid: Number(pid), address: addressOf(name) } : [];
    }) ?? null
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
}

function addressOf(name: string): string {
  if (process.platform === 'linux') return `\0${linuxPrefix()}${name}`.padEnd(ABSTRACT_LENGTH, FILL);
  if (process.platform === 'win32') return `\\\\.\\pipe\\${windowsPrefix()}${name}`;
  return join(privateFolder(LONGEST_FOLDER), `${name}.sock`);
}

/** Names of sockets that exist now, without the prefix that all of this user have. */
function presentNames(): string[] | null {
  try {
    if (process.platform === 'linux')
      return namesAfter(`@${linuxPrefix()}`, pathsIn('/proc/net/unix')).map((name) =>
        name.replace(/\.+$/, ''),
      );
    if (process.platform === 'win32') return namesAfter(windowsPrefix(), readdirSync('\\\\.\\pipe\\'));
    return readdirSync(privateFolder(LONGEST_FOLDER)).map((file) => basename(file, '.sock'));
  } catch {
    return null;
  }
}

function namesAfter(prefix: string, names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name.startsWith(prefix)))].map((name) =>
    name.slice(prefix.length),
  );
}

/** The last field of each line. */
function pathsIn(file: string): string[] {
  return readFileSync(file, 'latin1')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf(' ') + 1));
}

/** Containers that share a network share these names, though not their files: each has processes of its own. */
const linuxPrefix = memoize(() => `gemba-${process.getuid?.()}-${namespaceOf('pid')}-`);
const windowsPrefix = memoize(() => `gemba-${hashOf(userInfo().username)}-`);

function namespaceOf(kind: string): string {
  try {
    return /\d+/.exec(readlinkSync(`/proc/self/ns/${kind}`))?.[0] ?? '';
  } catch {
    return '';
  }
}
