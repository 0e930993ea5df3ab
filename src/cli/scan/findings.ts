import type { Form } from './forms.ts';
import type { Hit } from './finder.ts';

/** A content: a file, and what is inside it, from the outside in. */
export interface LeakPlace {
  readonly file: string;
  readonly inner: readonly string[];
}

/** A secret in one content: where it is met first, and how often. */
export interface Leak extends LeakPlace {
  /** Null where it is in the name, not in what is inside. */
  readonly line: number | null;
  readonly offset: number | null;
  readonly key: string;
  readonly fingerprint: string | null;
  readonly form: Form;
  count: number;
}

/** What was not looked at to its end: nobody knows what is there. */
export interface Unfinished extends LeakPlace {
  readonly why: string;
}

/** What a scan came to. */
export class Findings {
  readonly list: Leak[] = [];
  readonly unfinished: Unfinished[] = [];
  readonly read: { files: number; inner: number; bytes: number } = { files: 0, inner: 0, bytes: 0 };
  /** Files that the keys come from, which are not searched. */
  readonly own: string[] = [];
  /** Links, which are not followed. */
  links = 0;
  readonly #known = new Map<string, Leak>();

  /** `isName`: the text that was searched is the place's own name. */
  add(place: LeakPlace, { needle, line, offset }: Hit, isName: boolean): void {
    const { secret, form } = needle;
    const id = JSON.stringify([place.file, place.inner, secret.name, isName]);
    const known = this.#known.get(id);
    if (known) {
      known.count++;
      return;
    }
    const { name: key, fingerprint } = secret;
    const where = isName ? { line: null, offset: null } : { line, offset };
    const finding = { ...place, ...where, key, fingerprint, form, count: 1 };
    this.#known.set(id, finding);
    this.list.push(finding);
  }

  stopped(place: LeakPlace, why: string): void {
    this.unfinished.push({ ...place, why });
  }
}
