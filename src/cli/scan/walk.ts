import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** What stands in a folder: files to read, and what is left alone. */
export type Walked =
  | { readonly is: 'file'; readonly path: string }
  | { readonly is: 'link' | 'unreadable'; readonly path: string; readonly why: string };

/** Every file below a folder, in order of their names; links are told and not followed. */
export async function* walk(top: string): AsyncGenerator<Walked> {
  const stats = await lstat(top);
  if (stats.isFile()) yield { is: 'file', path: top };
  else yield* walkFolder(top);
}

async function* walkFolder(folder: string): AsyncGenerator<Walked> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield { is: 'unreadable', path: folder, why: error instanceof Error ? error.message : String(error) };
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walkFolder(at);
    else if (entry.isFile()) yield { is: 'file', path: at };
    else if (entry.isSymbolicLink()) yield { is: 'link', path: at, why: 'a link, which is not followed' };
  }
}
