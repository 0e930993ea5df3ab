import type { Secret } from '../../config/secrets.ts';
import type { Hit } from './finder.ts';
import type { Where } from './locate.ts';

/** Begins the name of what a text holds in base64. */
export const BASE64_AT = 'base64 at byte ';

/** A content: a file, and what is inside it, from the outside in. */
export interface LeakPlace {
  readonly file: string;
  readonly inner: readonly string[];
}

/** A secret in one content: where it is met first, and how often. */
export interface Leak extends LeakPlace {
  readonly secret: Secret;
  /** Null where it is in the name, not in what is inside. */
  readonly line: number | null;
  readonly offset: number | null;
  readonly form: string;
  count: number;
  /** Tests and steps that it belongs to, as far as the content says. */
  where: readonly Where[];
}

/** What was not read to its end: it may hold anything. */
export interface Unfinished extends LeakPlace {
  readonly why: string;
}

/** The result of a scan. */
export class Findings {
  readonly #leaks: Leak[] = [];
  readonly unfinished: Unfinished[] = [];
  readonly read: { files: number; inner: number; bytes: number } = { files: 0, inner: 0, bytes: 0 };
  /** Files that the keys come from, which are not searched. */
  readonly own: string[] = [];
  /** Links, which are not followed. */
  links = 0;
  readonly #known = new Map<string, Leak>();

  get list(): readonly Leak[] {
    return this.#leaks;
  }

  /** Returns what is new of it; null for a further hit of a leak that is listed. */
  add(place: LeakPlace, hit: Hit): Leak | null {
    return this.#add(place, hit, { line: hit.line, offset: hit.offset });
  }

  /** The text that was searched is the place's own name. */
  addName(place: LeakPlace, hit: Hit): void {
    this.#add(place, hit, { line: null, offset: null });
  }

  /**
   * A value in a long base64 text is found there, and once more in the text that is decoded: that one stays. `from`: the
   * number of leaks before those of the file.
   */
  dropRepeats(from: number): void {
    const own = this.#leaks.splice(from);
    const decoded = new Set(
      own.flatMap(({ inner, secret }) =>
        inner.flatMap((name, index) =>
          name.startsWith(BASE64_AT) ? JSON.stringify([inner.slice(0, index), secret.name]) : [],
        ),
      ),
    );
    for (const leak of own) {
      const { form, inner, secret } = leak;
      const isRepeat = form.startsWith('base64') && decoded.has(JSON.stringify([inner, secret.name]));
      if (!isRepeat) this.#leaks.push(leak);
    }
  }

  stopped(place: LeakPlace, why: string): void {
    this.unfinished.push({ ...place, why });
  }

  #add(place: LeakPlace, { needle, form }: Hit, at: Pick<Leak, 'line' | 'offset'>): Leak | null {
    const { secret } = needle;
    const id = JSON.stringify([place.file, place.inner, secret.name, at.line === null]);
    const known = this.#known.get(id);
    if (known) {
      known.count++;
      return null;
    }
    const leak: Leak = { ...place, ...at, secret, form, count: 1, where: [] };
    this.#known.set(id, leak);
    this.#leaks.push(leak);
    return leak;
  }
}

/**
 * Leaks of secrets that a test typed into a page: Playwright itself shows them, in titles of steps, and keeps what came of
 * them, in the traces of that test.
 */
export function typedLeaks(list: readonly Leak[]): ReadonlySet<Leak> {
  const typed = list.flatMap((leak) =>
    leak.where.filter((each) => each.typed).map((each) => ({ leak, ...each })),
  );
  const tests = new Set(typed.map(({ leak, test }) => JSON.stringify([leak.secret.name, test])));
  const folders = new Set(
    typed.flatMap(({ leak }) =>
      isOfOneTest(leak) ? JSON.stringify([leak.secret.name, folderOf(leak)]) : [],
    ),
  );
  return new Set(
    list.filter(({ where, ...leak }) => {
      const { name } = leak.secret;
      if (where.length === 0) return folders.has(JSON.stringify([name, folderOf(leak)]));
      return where.every(({ test }) => tests.has(JSON.stringify([name, test])));
    }),
  );
}

/** Playwright has a folder for each attempt of a test. */
function isOfOneTest({ file }: LeakPlace): boolean {
  return /(?:^|\/)trace\.zip$/.test(file);
}

function folderOf({ file }: LeakPlace): string {
  return file.replace(/[^/]*$/, '');
}
