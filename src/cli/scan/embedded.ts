import { type Packing, packingOfEmbedded } from './sniff.ts';

/** Packed data that stands in a text as base64, as reports that are one page carry it. */
export interface Embedded {
  /** Of the text's first byte that belongs to it. */
  readonly offset: number;
  readonly packing: Packing;
  readonly bytes: Buffer;
}

/** Shorter runs of such letters are words, hashes and keys. */
const MIN_RUN = 64;
/** Enough of a long run to tell what it is. */
const TRIAL = 4096;

const IS_BASE64 = new Uint8Array(256);
for (const sign of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') {
  IS_BASE64[sign.charCodeAt(0)] = 1;
}

/** Finds packed data in a text that comes piece by piece. */
export class EmbeddedReader {
  readonly #maxLength: number;
  readonly #onCut: (offset: number) => void;
  readonly #found: Embedded[] = [];
  #run: Buffer[] = [];
  #length = 0;
  #start = 0;
  #offset = 0;
  #packing: Packing | null = null;
  /** What this run holds is of no interest. */
  #skips = false;

  /** `onCut` hears of data that is longer than `maxLength`, in bytes of text. */
  constructor(maxLength: number, onCut: (offset: number) => void) {
    this.#maxLength = maxLength;
    this.#onCut = onCut;
  }

  /** Reads a piece; returns the data that has ended in it. */
  read(chunk: Buffer): Embedded[] {
    let from = 0;
    while (from < chunk.length) {
      // A run that began in the piece before may be short here; others are passed over from their far end.
      const start = this.#length > 0 ? from : longRunFrom(chunk, from);
      const end = endOfRun(chunk, start);
      this.#add(chunk, start, end);
      if (end < chunk.length) this.#close();
      from = end + 1;
    }
    this.#offset += chunk.length;
    return this.#found.splice(0);
  }

  end(): Embedded[] {
    this.#close();
    return this.#found.splice(0);
  }

  #add(chunk: Buffer, from: number, to: number): void {
    if (to === from) return;
    if (this.#length === 0) this.#start = this.#offset + from;
    this.#length += to - from;
    if (this.#skips) return;
    this.#run.push(chunk.subarray(from, to));
    if (this.#packing === null && this.#length >= TRIAL) {
      this.#packing = packingOfEmbedded(this.#decoded(TRIAL), false);
      this.#skips = this.#packing === null;
    }
    if (this.#length > this.#maxLength) {
      this.#skips = true;
      this.#onCut(this.#start);
    }
    if (this.#skips) this.#run = [];
  }

  #close(): void {
    if (!this.#skips && this.#length >= MIN_RUN) {
      const bytes = this.#decoded(this.#length);
      const packing = this.#packing ?? packingOfEmbedded(bytes, true);
      if (packing) this.#found.push({ offset: this.#start, packing, bytes });
    }
    this.#run = [];
    this.#length = 0;
    this.#packing = null;
    this.#skips = false;
  }

  #decoded(length: number): Buffer {
    return Buffer.from(Buffer.concat(this.#run).toString('latin1', 0, length), 'base64');
  }
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
