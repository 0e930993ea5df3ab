import type { Secret } from '../../config/secrets.ts';
import { EmbeddedReader, type Embedded } from './embedded.ts';
import { type EscapeKind, MAX_ESCAPE, type Unescaped, unescape } from './escapes.ts';
import type { Hit, Search } from './finder.ts';
import { AS_IT_IS } from './forms.ts';

/** Escapes within escapes, such as JSON in a form in a page. */
const MAX_LEVELS = 6;
/** Of what is no text: its bytes are escapes by chance, level by level. */
const MAX_BINARY_LEVELS = 2;
const PIECE = 256 * 1024;
const MAX_OVERLAP = 64 * 1024;
const NEWLINE = 10;
/** How a mail says that it escapes with `=`. */
const QUOTED_PRINTABLE = /^content-transfer-encoding:\s*quoted-printable/im;

/**
 * Searches one text that comes piece by piece: as it is, and with its escapes removed level by level, whatever their
 * kinds. A needle that is found at a level has an escape in it there: else the level before has found it.
 */
export class TextScan {
  readonly #search: Search;
  readonly #onHit: (hit: Hit) => void;
  readonly #reader: EmbeddedReader;
  readonly #overlap: number;
  /** Not searched yet, but for `#done` bytes that are there for what begins in them. */
  #kept: Buffer[] = [];
  #length = 0;
  #done = 0;
  #offset = 0;
  #lines = 1;
  #quotedPrintable = false;

  /** `onCut` is called for base64 that is longer than `maxEmbedded`. */
  constructor(
    search: Search,
    maxEmbedded: number,
    onHit: (hit: Hit) => void,
    onCut: (offset: number) => void,
  ) {
    this.#search = search;
    this.#onHit = onHit;
    this.#reader = new EmbeddedReader(maxEmbedded, onCut);
    this.#overlap = Math.min(MAX_OVERLAP, search.longest * MAX_ESCAPE) + 1;
  }

  /** Returns the base64 that has ended in what was searched. */
  read(chunk: Buffer): Embedded[] {
    const embedded = this.#reader.read(chunk);
    this.#kept.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= PIECE + 2 * this.#overlap) embedded.push(...this.#piece(false));
    return embedded;
  }

  end(): Embedded[] {
    return [...this.#piece(true), ...this.#reader.end()];
  }

  #piece(isLast: boolean): Embedded[] {
    const piece = this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept);
    if (this.#offset === 0) this.#quotedPrintable = QUOTED_PRINTABLE.test(piece.toString('latin1'));
    const from = this.#done;
    const to = isLast ? piece.length : piece.length - this.#overlap;
    const found: FoundForm = { hits: [], embedded: [] };
    this.#search.find(piece, from, to, (needle, at) => found.hits.push({ needle, form: needle.form, at }));
    const first = unescape(piece, this.#quotedPrintable);
    const most = piece.includes(0) ? MAX_BINARY_LEVELS : MAX_LEVELS;
    if (first) this.#levels(first, most, { from, to, found });
    this.#tell(piece, from, to, found.hits);
    const keptFrom = Math.max(0, to - this.#overlap);
    this.#kept = [piece.subarray(keptFrom)];
    this.#length = piece.length - keptFrom;
    this.#done = to - keptFrom;
    const offset = this.#offset;
    this.#offset += keptFrom;
    return found.embedded.map((each) => ({ ...each, offset: offset + each.offset }));
  }

  #levels(
    first: Unescaped,
    most: number,
    { from, to, found }: { from: number; to: number; found: FoundForm },
  ): void {
    let level: Unescaped | null = first;
    let toPiece = (offset: number): number => offset;
    for (let depth = 1; level !== null && depth <= most; depth++) {
      const { bytes, origin, kindsIn }: Unescaped = level;
      const below = toPiece;
      toPiece = (offset) => below(origin(offset));
      const at = toPiece;
      this.#search.find(bytes, 0, bytes.length, (needle, start) => {
        const kinds = kindsIn(start, start + needle.bytes.length);
        const place = kinds.length === 0 ? -1 : at(start);
        if (place >= from && place < to)
          found.hits.push({ needle, form: named(needle.form, kinds), at: place });
      });
      const reader = new EmbeddedReader(bytes.length, () => {});
      for (const embedded of [...reader.read(bytes), ...reader.end()]) {
        // What has no escape in it was read before.
        const hasEscape = kindsIn(embedded.offset, Math.min(bytes.length, endOf(embedded))).length > 0;
        const place = hasEscape ? at(embedded.offset) : -1;
        if (place >= from && place < to) found.embedded.push({ ...embedded, offset: place });
      }
      level = depth < most ? unescape(bytes, this.#quotedPrintable) : null;
    }
  }

  /** Each once: a value also stands within its own encoding with a user. */
  #tell(piece: Buffer, from: number, to: number, hits: FoundHit[]): void {
    const ends = new Map<Secret, number>();
    let counted = from;
    for (const { needle, form, at } of hits.sort(inOrder)) {
      if (at < (ends.get(needle.secret) ?? 0)) continue;
      ends.set(needle.secret, at + needle.bytes.length);
      this.#lines += newlines(piece, counted, at);
      counted = at;
      this.#onHit({ needle, form, offset: this.#offset + at, line: this.#lines });
    }
    this.#lines += newlines(piece, counted, to);
  }
}

interface FoundHit {
  readonly needle: Hit['needle'];
  readonly form: string;
  /** In the piece. */
  readonly at: number;
}

interface FoundForm {
  readonly hits: FoundHit[];
  readonly embedded: Embedded[];
}

function endOf({ offset, bytes }: Embedded): number {
  return offset + Math.ceil((bytes.length * 4) / 3);
}

function inOrder(left: FoundHit, right: FoundHit): number {
  return left.at - right.at || right.needle.bytes.length - left.needle.bytes.length;
}

function named(form: string, kinds: readonly EscapeKind[]): string {
  const escaped = kinds.toSorted().join(' and ');
  return form === AS_IT_IS ? escaped : `${form}, ${escaped}`;
}

function newlines(buffer: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = buffer.indexOf(NEWLINE, from); at !== -1 && at < to; at = buffer.indexOf(NEWLINE, at + 1))
    count++;
  return count;
}
