import { lstat, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';

/** What stands in a folder: files to read, and what is left alone. */
export type Walked =
  | { readonly is: 'file'; readonly path: string }
  | { readonly is: 'link'; readonly path: string }
  | { readonly is: 'unreadable'; readonly path: string; readonly why: string };

const NO_FILE = 'a pipe, socket or device, which is not read';
const LEADS_OUT = 'a link that leads out of the folder, which is not followed';

/**
 * Every file below a folder, in order of their names. A link is not followed: what it leads to is below the folder, and
 * so met anyway, or it is told that it was not looked at.
 */
export async function* walk(top: string): AsyncGenerator<Walked> {
  const stats = await lstat(top);
  if (stats.isFile()) yield { is: 'file', path: top };
  else yield* walkFolder(top, await realpath(top));
}

async function* walkFolder(folder: string, top: string): AsyncGenerator<Walked> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield { is: 'unreadable', path: folder, why: error instanceof Error ? error.message : String(error) };
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walkFolder(at, top);
    else if (entry.isFile()) yield { is: 'file', path: at };
    else if (!entry.isSymbolicLink()) yield { is: 'unreadable', path: at, why: NO_FILE };
    else if (await leadsOut(at, top)) yield { is: 'unreadable', path: at, why: LEADS_OUT };
    else yield { is: 'link', path: at };
  }
}

async function leadsOut(client: string, top: string): Promise<boolean> {
  try {
    return !`${await realpath(client)}${path.sep}`.startsWith(`${top}${path.sep}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Nothing is there, or only itself.
    return code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP';
  }
}
