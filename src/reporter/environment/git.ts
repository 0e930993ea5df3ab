import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ReportGit } from '../report/model.ts';

/** Branch and commit of the working copy that a folder is in; null without one. Reads two small files and starts no git. */
export function gitStateOf(folder: string): ReportGit | null {
  try {
    const dir = gitDir(folder);
    return dir === null ? null : headOf(dir);
  } catch {
    // An unreadable or odd repository is none.
    return null;
  }
}

function headOf(dir: string): ReportGit | null {
  const head = read(path.join(dir, 'HEAD'));
  const ref = /^ref: (refs\/heads\/(.+))$/.exec(head ?? '');
  if (!ref) return /^[0-9a-f]{40,64}$/.test(head ?? '') ? { branch: null, commit: head } : null;
  const [, name = '', branch = ''] = ref;
  // The branches of a worktree are in the main repository.
  const common = path.resolve(dir, read(path.join(dir, 'commondir')) ?? '.');
  const packed = new RegExp(`^([0-9a-f]{40,64}) ${escaped(name)}$`, 'm');
  const commit =
    read(path.join(common, name)) ?? packed.exec(read(path.join(common, 'packed-refs')) ?? '')?.[1];
  return { branch, commit: commit ?? null };
}

/** The folder with HEAD, of the nearest repository from there upward. */
function gitDir(folder: string): string | null {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const candidate = path.join(at, '.git');
    const stats = statSync(candidate, { throwIfNoEntry: false });
    if (stats?.isDirectory()) return candidate;
    // A worktree or submodule: a file that names the folder.
    const link = stats?.isFile() ? /^gitdir: (.+)$/.exec(read(candidate) ?? '')?.[1] : undefined;
    if (link !== undefined) return path.resolve(at, link);
    if (path.dirname(at) === at) return null;
  }
}

function read(file: string): string | null {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return null;
  return readFileSync(file, 'utf8').trim();
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
