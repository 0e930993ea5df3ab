import { closeSync, lstatSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { monotonic } from '../core/clock.ts';
import { isCode } from './processes.ts';

/** A lock is held for milliseconds. One that stays the same for so long, as this process sees it, was left by a dead one. */
const STALE_MS = 1_000;

/** A file that one process at a time has, also where it is left behind: by its age as seen, since dates are set back. */
export class FileLock {
  readonly #path: string;
  #seen = '';
  #seenAt = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes it where nobody has it; else false, and to be called again soon. Throws where it cannot be made. */
  take(): boolean {
    mkdirSync(dirname(this.#path), { recursive: true });
    try {
      closeSync(openSync(this.#path, 'wx', 0o600));
      return true;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    const stamp = stampOf(this.#path);
    if (stamp !== this.#seen) [this.#seen, this.#seenAt] = [stamp, monotonic()];
    else if (monotonic() - this.#seenAt > STALE_MS) this.#removeStale();
    return false;
  }

  release(): void {
    rmSync(this.#path, { force: true, recursive: true });
  }

  /** Renaming is atomic: of several that find the same stale lock, one takes it away. */
  #removeStale(): void {
    const taken = `${this.#path}.${process.pid}`;
    try {
      renameSync(this.#path, taken);
      // Another process may have taken the lock since it was looked at.
      if (stampOf(taken) === this.#seen) rmSync(taken, { force: true, recursive: true });
      else renameSync(taken, this.#path);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
}

/** Differs between any two locks. */
function stampOf(file: string): string {
  const stat = lstatSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino} ${stat.mtimeNs}` : '';
}
