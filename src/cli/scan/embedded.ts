import { HEAD_LENGTH, type Packing, packingOf, unmarkedPackingOf } from './sniff.ts';

/** A long run of base64 in a text, as reports that are one page, HAR files and mails carry data. */
export interface Embedded {
  /** Of the text's first byte that belongs to it. */
  readonly offset: number;
  readonly bytes: Buffer;
  /** Null: it is not packed, as far as its first bytes say. */
  readonly packing: Packing | null;
}

/** Shorter runs of such letters are words, hashes and keys. */
const MIN_RUN = 64;
/** Mails and certificates break base64 into lines of 76 and 64 characters. */
const MIN_LINE = 60;
const MAX_INDENT = 16;
/** What is not packed is handed on in parts, which overlap so that nothing that is searched for is cut. */
const PART = 1024 * 1024;
const OVERLAP = 128 * 1024;
const TRIAL = (HEAD_LENGTH * 4) / 3;

const [NEWLINE, RETURN, SPACE, TAB] = [0x0a, 0x0d, 0x20, 0x09];
const IS_BASE64 = new Uint8Array(256);
for (const sign of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') {
  IS_BASE64[sign.charCodeAt(0)] = 1;
}

/** Finds base64 in a text that comes piece by piece, over its line ends. */
export class EmbeddedReader {
  readonly #maxLength: number;
  readonly #onCut: (offset: number) => void;
  readonly #found: Embedded[] = [];
  #run: Buffer[] = [];
  #length = 0;
  /** Of the present line. */
  #line = 0;
  /** White space since the last line of the run. */
  #gap = 0;
  #start = 0;
  #offset = 0;
  #packing: Packing | null | undefined;
  #isCut = false;

  /** `onCut` is called with the offset of packed data that is longer than `maxLength`, which is left out. */
  constructor(maxLength: number, onCut: (offset: number) => void) {
    this.#maxLength = maxLength;
    this.#onCut = onCut;
  }

  /** Reads a piece; returns the data that has ended in it. */
  read(chunk: Buffer): Embedded[] {
    let from = 0;
    while (from < chunk.length) {
      if (this.#length > 0 && this.#isBreak(chunk[from]!)) {
        from++;
        continue;
      }
      // A run that began before may be short here; others are passed over from their far end.
      const isWithin = this.#length > 0 && IS_BASE64[chunk[from]!] === 1;
      if (!isWithin) this.#close();
      const start = isWithin ? from : longRunFrom(chunk, from);
      const end = endOfRun(chunk, start);
      this.#add(chunk, start, end);
      from = Math.max(end, from + 1);
    }
    this.#offset += chunk.length;
    return this.#found.splice(0);
  }

  end(): Embedded[] {
    this.#close();
    return this.#found.splice(0);
  }

  /** Whether it is white space that the run may go on behind. */
  #isBreak(sign: number): boolean {
    const isWhite =
      sign === NEWLINE || sign === RETURN || (this.#gap > 0 && (sign === SPACE || sign === TAB));
    if (!isWhite || this.#line < MIN_LINE || this.#gap > MAX_INDENT) return false;
    this.#gap++;
    return true;
  }

  #add(chunk: Buffer, from: number, to: number): void {
    if (to === from) return;
    if (this.#length === 0) this.#start = this.#offset + from;
    if (this.#gap > 0) this.#line = 0;
    this.#gap = 0;
    this.#line += to - from;
    this.#length += to - from;
    if (this.#isCut) return;
    this.#run.push(chunk.subarray(from, to));
    if (this.#packing === undefined && this.#length >= TRIAL)
      this.#packing = packingIn(this.#decoded(TRIAL), false);
    if (this.#packing === null && this.#length >= PART) this.#part();
    else if (this.#packing && this.#length > this.#maxLength) this.#cut();
  }

  #part(): void {
    const text = Buffer.concat(this.#run);
    const to = (text.length - OVERLAP) & ~3;
    this.#found.push({ offset: this.#start, bytes: this.#decoded(text.length), packing: null });
    this.#run = [text.subarray(to)];
    this.#start += to;
    this.#length -= to;
  }

  #cut(): void {
    this.#isCut = true;
    this.#run = [];
    this.#onCut(this.#start);
  }

  #close(): void {
    if (this.#length >= MIN_RUN && !this.#isCut) {
      const bytes = this.#decoded(this.#length);
      const packing = this.#packing === undefined ? packingIn(bytes, true) : this.#packing;
      if (packing && this.#length > this.#maxLength) this.#cut();
      else this.#found.push({ offset: this.#start, bytes, packing });
    }
    this.#run = [];
    this.#length = this.#line = this.#gap = 0;
    this.#packing = undefined;
    this.#isCut = false;
  }

  #decoded(length: number): Buffer {
    return Buffer.from(Buffer.concat(this.#run).toString('latin1', 0, length), 'base64');
  }
}

function packingIn(bytes: Buffer, whole: boolean): Packing | null {
  const head = bytes.subarray(0, HEAD_LENGTH);
  const packing = packingOf(head, '');
  if (packing && packing.is !== 'closed') return packing;
  return unmarkedPackingOf(head, whole && bytes.length <= HEAD_LENGTH);
}

/** Where the next run begins that is long enough, or that the end of the piece cuts. */
function longRunFrom(chunk: Buffer, from: number): number {
  let start = from;
  for (let at = Math.min(start + MIN_RUN, chunk.length) - 1; at >= start; at--) {
    if (IS_BASE64[chunk[at]!] === 1) continue;
    start = at + 1;
    at = Math.min(start + MIN_RUN, chunk.length);
  }
  return start;
}

function endOfRun(chunk: Buffer, from: number): number {
  let end = from;
  while (end < chunk.length && IS_BASE64[chunk[end]!] === 1) end++;
  return end;
}
