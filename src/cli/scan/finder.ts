import type { Needle } from './forms.ts';

export interface Hit {
  readonly needle: Needle;
  /** As the needle has it, and how the text around it is escaped. */
  readonly form: string;
  /** Of its first byte, from the content's beginning. */
  readonly offset: number;
  /** Counted from 1. */
  readonly line: number;
}

const BLOCK = 3;
const TABLE_BITS = 18;
const TABLE_SIZE = 1 << TABLE_BITS;
/** Beyond this length a window gains nothing. */
const MAX_WINDOW = 64;

/**
 * Finds many texts at once: by the last three bytes of a window as long as the shortest text, the window moves on as
 * far as no text can begin (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994).
 */
class Finder {
  readonly #needles: readonly Needle[];
  readonly #window: number;
  readonly #shift: Uint8Array;
  readonly #buckets = new Map<number, Needle[]>();
  readonly longest: number;

  constructor(needles: readonly Needle[]) {
    this.#needles = needles;
    this.#window = Math.min(MAX_WINDOW, ...needles.map(({ bytes }) => bytes.length));
    this.longest = Math.max(0, ...needles.map(({ bytes }) => bytes.length));
    this.#shift = new Uint8Array(TABLE_SIZE).fill(this.#window - BLOCK + 1);
    for (const needle of needles) this.#enter(needle);
  }

  /** Calls back for each text that begins in [from, to). */
  find(buffer: Buffer, from: number, to: number, onHit: (needle: Needle, at: number) => void): void {
    if (this.#needles.length === 0) return;
    const last = this.#window - 1;
    const end = Math.min(to + last, buffer.length);
    for (let at = from + last; at < end;) {
      const block = hash(buffer[at - 2]!, buffer[at - 1]!, buffer[at]!);
      const shift = this.#shift[block]!;
      if (shift === 0) {
        const start = at - last;
        for (const needle of this.#buckets.get(block) ?? []) {
          if (stands(needle, buffer, start)) onHit(needle, start);
        }
      }
      at += shift || 1;
    }
  }

  #enter(needle: Needle): void {
    const { bytes } = needle;
    for (let end = BLOCK - 1; end < this.#window; end++) {
      const block = hash(bytes[end - 2]!, bytes[end - 1]!, bytes[end]!);
      const rest = this.#window - 1 - end;
      if (rest < this.#shift[block]!) this.#shift[block] = rest;
      if (rest === 0) this.#buckets.set(block, [...(this.#buckets.get(block) ?? []), needle]);
    }
  }
}

/** The texts that are looked for in every content. */
export class Search {
  readonly #finders: readonly Finder[];
  readonly longest: number;

  constructor(needles: readonly Needle[]) {
    // Apart, so that a short one does not make the window of all others short.
    const short = needles.filter(({ delimited }) => delimited);
    const long = needles.filter(({ delimited }) => !delimited);
    this.#finders = [short, long].filter((group) => group.length > 0).map((group) => new Finder(group));
    this.longest = Math.max(0, ...this.#finders.map(({ longest }) => longest));
  }

  /** Calls back for each text that begins in [from, to). One byte before and behind says where a word begins and ends. */
  find(buffer: Buffer, from: number, to: number, onHit: (needle: Needle, at: number) => void): void {
    for (const finder of this.#finders) {
      finder.find(buffer, from, to, (needle, at) => {
        if (!needle.delimited || isDelimited(buffer, at, needle.bytes.length)) onHit(needle, at);
      });
    }
  }
}

function hash(a: number, b: number, c: number): number {
  return ((a << 10) ^ (b << 5) ^ c) & (TABLE_SIZE - 1);
}

function stands({ bytes }: Needle, buffer: Buffer, at: number): boolean {
  return at + bytes.length <= buffer.length && bytes.compare(buffer, at, at + bytes.length) === 0;
}

function isDelimited(buffer: Buffer, at: number, length: number): boolean {
  return !isWord(buffer[at - 1]) && !isWord(buffer[at + length]);
}

function isWord(byte: number | undefined): boolean {
  return byte !== undefined && /\w/.test(String.fromCharCode(byte));
}
