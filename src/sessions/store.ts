import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { systemClock } from '../core/clock.ts';
import { isCode } from '../shared/processes.ts';
import { writeWholeSync } from '../shared/write-whole.ts';
import { decrypt, encrypt } from './cipher.ts';

/*
 * What was signed in or minted for an account at an endpoint, kept over tests, workers and runs of this machine: one encrypted
 * file of mode 0600 each. `folderOf` says where; the text is its owner's business.
 */

/** What of an account is kept: a session of a browser, or a token of an API. */
type SessionKind = 'session' | 'token';

/** Whose entry it is. */
export interface SessionOwner {
  readonly kind: SessionKind;
  /** The account, by its identity: keys with the same secret are one account. */
  readonly account: string;
  /** What the entry is encrypted with. */
  readonly secret: string;
  /** Where it is valid: the endpoint's address, or what else tells entries of one account apart. */
  readonly place: string;
  /** POOL/NAME, for people. */
  readonly name: string;
}

/** A file that is read is no bigger than this. */
const MAX_BYTES = 16 * 1024 * 1024;
/** What nobody has used for so long is of no use: its secret or its endpoint has changed. */
const UNUSED_MS = 30 * 24 * 3_600_000;
const SUFFIX = '.session';

export class SessionStore {
  readonly #folder: string;
  readonly #say: (line: string) => void;

  /** `say` prints a line for people. */
  constructor(folder: string, say: (line: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  /** The text of an entry; null where there is none. One that cannot be trusted or opened is dropped, with one line. */
  read(owner: SessionOwner): string | null {
    const file = this.#fileOf(owner);
    const found = readOwn(file);
    if (found === null) return null;
    const text = typeof found === 'string' ? null : decrypt(found, owner.secret, purposeOf(owner));
    if (text !== null) return text;
    const why = typeof found === 'string' ? found : 'it is damaged, or was written by somebody else';
    rmSync(file, { force: true, recursive: true });
    this.#say(`the stored ${owner.kind} of ${owner.name} was dropped: ${why}. It is made anew.`);
    return null;
  }

  /** Takes the place of what was there before. What cannot be written is not kept, with one line. */
  write(owner: SessionOwner, text: string): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#prune();
      const entry = encrypt(text, owner.secret, purposeOf(owner));
      writeWholeSync(this.#fileOf(owner), entry, { mode: 0o600 });
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
      this.#say(`the ${owner.kind} of ${owner.name} could not be kept in ${this.#folder} (${why}).`);
    }
  }

  remove(owner: SessionOwner): void {
    rmSync(this.#fileOf(owner), { force: true });
  }

  /** Removes all that is kept for an account. True where there was something. */
  forget(account: string): boolean {
    const files = this.#files().filter((name) => name.startsWith(`${account}-`));
    for (const name of files) rmSync(path.join(this.#folder, name), { force: true });
    return files.length > 0;
  }

  #fileOf(owner: SessionOwner): string {
    const place = createHash('sha256').update(purposeOf(owner)).digest('hex').slice(0, 16);
    return path.join(this.#folder, `${owner.account}-${place}${SUFFIX}`);
  }

  #files(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith(SUFFIX));
    } catch {
      return [];
    }
  }

  #prune(): void {
    for (const name of this.#files()) {
      const file = path.join(this.#folder, name);
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats && systemClock() - stats.mtimeMs > UNUSED_MS) rmSync(file, { force: true });
    }
  }
}

function purposeOf({ kind, account, place }: SessionOwner): string {
  return `gemba-agent ${kind}\n${account}\n${place}`;
}

/** Null where there is no file; a text where it must not be used: why. */
function readOwn(file: string): Buffer | string | null {
  let descriptor: number | undefined;
  try {
    // Neither a link nor a pipe is followed.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > MAX_BYTES) return 'it is no file of ours';
    const own = process.getuid?.();
    if (own !== undefined && (stats.uid !== own || (stats.mode & 0o077) !== 0))
      return 'other users can read or write it';
    return readFileSync(descriptor);
  } catch (error) {
    // Neither is its folder there.
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null;
    return 'it is no file of ours';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
