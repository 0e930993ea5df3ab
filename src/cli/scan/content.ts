import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import * as zlib from 'node:zlib';
import yauzl from 'yauzl';
import type { Embedded } from './embedded.ts';
import { BASE64_AT, type Findings, type Leak, type LeakPlace } from './findings.ts';
import type { Hit, Search } from './finder.ts';
import { UTF_16 } from './forms.ts';
import { type Chunks, isTrace, locatorOf } from './locate.ts';
import { HEAD_LENGTH, type Packing, packingOf, unmarkedPackingOf, wideEncodingOf } from './sniff.ts';
import { TextScan } from './text-scan.ts';

/** Where a scan stops, so that no artifact can keep it for ever or take all memory. */
export interface Limits {
  /** Packings within each other. */
  readonly depth: number;
  /** Bytes that come out of one file's packings, all together; of a small file, no more than `ratio` times its size. */
  readonly unpackedBytes: number;
  readonly ratio: number;
  /** Bytes that any file may unpack to, however small it is. */
  readonly freeBytes: number;
  /** Contents inside one file. */
  readonly innerFiles: number;
  /** Bytes of inner zips, and of base64 in texts, which are held in memory at one time. */
  readonly heldBytes: number;
}

export const LIMITS: Limits = {
  depth: 8,
  unpackedBytes: 8 * 1024 ** 3,
  ratio: 200,
  freeBytes: 1024 ** 3,
  innerFiles: 500_000,
  heldBytes: 256 * 1024 ** 2,
};

/** A limit was reached: nothing more of this file is looked at. */
class LimitReached extends Error {}

/** A content that is read once as it comes. */
interface Content {
  readonly chunks: Chunks;
  readonly head: Buffer;
  /** The head is all of it. */
  readonly isShort: boolean;
  /** The same once more, from its beginning; absent where that would have to unpack all before it again. */
  readonly again?: (() => Chunks) | undefined;
}

/** One content on its way through the packings of a file. */
interface ContentVisit {
  readonly place: LeakPlace;
  readonly depth: number;
  /** What the whole file may still unpack to. */
  readonly budget: ReadBudget;
}

interface ReadBudget {
  bytes: number;
  innerFiles: number;
  /** What may still be held in memory. */
  held: number;
}

interface Unlocated {
  readonly leak: Leak;
  readonly again: () => Chunks;
}

/** Searches a file and whatever is packed inside it. */
export class ContentScan {
  readonly #search: Search;
  readonly #findings: Findings;
  readonly #limits: Limits;
  /** Leaks in contents that may name their test. */
  readonly #unlocated: Unlocated[] = [];

  constructor(search: Search, findings: Findings, limits: Limits) {
    this.#search = search;
    this.#findings = findings;
    this.#limits = limits;
  }

  /** Never rejects: what cannot be read is noted as unfinished. */
  async file(path: string, file: string): Promise<void> {
    const { unpackedBytes: bytes, innerFiles, heldBytes: held } = this.#limits;
    const visit: ContentVisit = { place: { file, inner: [] }, depth: 0, budget: { bytes, innerFiles, held } };
    const before = this.#findings.list.length;
    this.#findings.read.files++;
    this.#name(visit.place, file);
    await this.#attempt(visit, async () => {
      const { head, size } = await headOf(path);
      visit.budget.bytes = Math.min(bytes, Math.max(this.#limits.freeBytes, this.#limits.ratio * size));
      const again = (): Chunks => createReadStream(path);
      const content = { chunks: again(), head, isShort: head.length === size, again };
      const packing = packingOf(head, file);
      if (packing?.is !== 'zip') return this.#content(visit, content, packing);
      const options = { decodeStrings: false, autoClose: false };
      const zip = await yauzl.openPromise(path, options).catch((error: unknown) => {
        this.#stop(visit, error);
        return null;
      });
      // Without its directory a zip can still hold what was stored as it is.
      return zip ? this.#zip(visit, zip) : this.#plain(visit, content);
    });
    this.#findings.dropRepeats(before);
    await this.#attempt(visit, () => this.#locate(0, null), false);
  }

  async #content(visit: ContentVisit, content: Content, packing: Packing | null): Promise<void> {
    if (packing === null) return this.#unmarked(visit, content);
    if (packing.is === 'closed') {
      this.#findings.stopped(visit.place, `${packing.name} cannot be opened here`);
      return this.#plain(visit, content);
    }
    if (visit.depth >= this.#limits.depth) throw new Error(`packed more than ${this.#limits.depth} times`);
    if (packing.is === 'zip') return this.#heldZip(visit, content.chunks);
    if (packing.is === 'tar') return this.#tar(visit, content.chunks);
    const unpack = unpackerOf(packing.is);
    if (unpack) return this.#unpacked(visit, packing.is, content.chunks, unpack);
    this.#findings.stopped(visit.place, `${packing.is} cannot be opened by this Node.js`);
    return this.#plain(visit, content);
  }

  /** It is searched as it is, and unpacked where that can be done. */
  async #unmarked(visit: ContentVisit, content: Content): Promise<void> {
    await this.#plain(visit, content);
    const { again, head, isShort } = content;
    const packing = again && visit.depth < this.#limits.depth ? unmarkedPackingOf(head, isShort) : null;
    const unpack = packing && unpackerOf(packing.is);
    if (!again || !packing || !unpack) return;
    // What only looks packed is no fault of the file.
    await this.#attempt(visit, () => this.#unpacked(visit, packing.is, again(), unpack), false);
  }

  async #plain(visit: ContentVisit, { chunks, head, again }: Content): Promise<void> {
    const encoding = wideEncodingOf(head);
    await this.#text(visit, chunks, again, encoding !== null);
    if (encoding === null || !again) return;
    const inner = inside(visit, UTF_16);
    await this.#text(inner, transcoded(again(), encoding), () => transcoded(again(), encoding), false);
  }

  async #text(visit: ContentVisit, chunks: Chunks, again: Content['again'], isWide: boolean): Promise<void> {
    const { place } = visit;
    const most = Math.max(0, visit.budget.held);
    const onHit = (hit: Hit): void => {
      // What is read as UTF-16 is found there, with its line.
      if (isWide && hit.needle.form === UTF_16) return;
      const leak = this.#findings.add(place, hit);
      if (leak && again) this.#unlocated.push({ leak, again });
    };
    const scan = new TextScan(this.#search, most, onHit, (offset) => {
      this.#findings.stopped(place, `the packed data at byte ${offset} is longer than ${inMiB(most)}`);
    });
    for await (const chunk of chunks) {
      this.#findings.read.bytes += chunk.length;
      await this.#embedded(visit, scan.read(chunk));
    }
    await this.#embedded(visit, scan.end());
  }

  async #embedded(visit: ContentVisit, list: readonly Embedded[]): Promise<void> {
    for (const { offset, bytes, packing } of list) {
      const inner = inside(visit, `${BASE64_AT}${offset}`);
      if (inner.depth > this.#limits.depth) continue;
      const again = (): Chunks => Readable.from([bytes]);
      const head = bytes.subarray(0, HEAD_LENGTH);
      const content = { chunks: again(), head, isShort: head.length === bytes.length, again };
      visit.budget.held -= bytes.length;
      const isMarked = packing && packingOf(head, '') !== null;
      await this.#attempt(inner, () => this.#content(inner, content, isMarked ? packing : null));
      visit.budget.held += bytes.length;
    }
  }

  async #unpacked(visit: ContentVisit, name: string, chunks: Chunks, unpack: Transform): Promise<void> {
    pipeline(Readable.from(chunks), unpack, () => {});
    await this.#inner(inside(visit, name), unpack as Chunks, '');
  }

  /** A zip begins at its end, so one inside another file is held whole. */
  async #heldZip(visit: ContentVisit, chunks: Chunks): Promise<void> {
    const { budget } = visit;
    const before = budget.held;
    try {
      const bytes = await this.#held(chunks, budget);
      await this.#zip(visit, await yauzl.fromBufferPromise(bytes, { decodeStrings: false }));
    } finally {
      budget.held = before;
    }
  }

  async #zip(visit: ContentVisit, zip: yauzl.ZipFile): Promise<void> {
    const before = this.#unlocated.length;
    let trace: (() => Chunks) | null = null;
    try {
      for await (const entry of zip.eachEntry()) {
        const name = nameOf(entry);
        const inner = inside(visit, name);
        this.#name(inner.place, name);
        if (name.endsWith('/')) continue;
        await this.#attempt(inner, async () => {
          if (!entry.canDecodeFileData()) {
            return this.#findings.stopped(
              inner.place,
              'encrypted, or packed in a way that cannot be opened here',
            );
          }
          const again = (): Chunks => entryChunks(zip, entry);
          if (isTrace(name)) trace = again;
          await this.#inner(inner, again(), name, again);
        });
      }
      await this.#attempt(visit, () => this.#locate(before, trace), false);
    } finally {
      this.#unlocated.length = Math.min(before, this.#unlocated.length);
      zip.close();
    }
  }

  async #tar(visit: ContentVisit, chunks: Chunks): Promise<void> {
    const { createTarDecoder } = await import('modern-tar');
    const entries = Readable.toWeb(Readable.from(chunks)).pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of entries) {
      const inner = inside(visit, header.name);
      this.#name(inner.place, header.name);
      await this.#attempt(inner, () => this.#inner(inner, buffers(body), header.name));
    }
  }

  /** What comes out of a packing: counted, and looked at like a file. */
  async #inner(visit: ContentVisit, chunks: Chunks, name: string, again?: () => Chunks): Promise<void> {
    this.#findings.read.inner++;
    if (--visit.budget.innerFiles < 0)
      throw new LimitReached(`more than ${this.#limits.innerFiles} files inside it`);
    const { head, isShort, all } = await peek(counted(chunks, visit.budget));
    await this.#content(visit, { chunks: all, head, isShort, again }, packingOf(head, name));
  }

  async #held(chunks: Chunks, budget: ReadBudget): Promise<Buffer> {
    const most = budget.held;
    const parts: Buffer[] = [];
    for await (const chunk of chunks) {
      parts.push(chunk);
      budget.held -= chunk.length;
      if (budget.held < 0) throw new Error(`a zip of more than ${inMiB(most)} inside another file`);
    }
    return Buffer.concat(parts);
  }

  #name(place: LeakPlace, name: string): void {
    const scan = new TextScan(
      this.#search,
      0,
      (hit) => this.#findings.addName(place, hit),
      () => {},
    );
    scan.read(Buffer.from(name));
    scan.end();
  }

  /** Goes on with the next content after a fault; a limit ends the whole file. */
  async #attempt(visit: ContentVisit, work: () => Promise<void> | void, isFault = true): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof LimitReached && visit.place.inner.length > 0) throw error;
      if (isFault) this.#stop(visit, error);
    }
  }

  /**
   * Reads once more what says which tests and steps secrets belong to. `trace`: a content that names the test of all that
   * is in the same archive.
   */
  async #locate(from: number, trace: (() => Chunks) | null): Promise<void> {
    const contents = new Map<Unlocated['again'], Leak[]>();
    for (const { leak, again } of this.#unlocated.splice(from))
      contents.set(again, [...(contents.get(again) ?? []), leak]);
    if (contents.size === 0) return;
    const test = trace && (await locatorOf('x.trace')!(trace(), [])).test;
    for (const [again, leaks] of contents) {
      const locate = locatorOf(leaks[0]!.inner.at(-1) ?? leaks[0]!.file);
      const located = await locate?.(
        again(),
        leaks.map(({ secret }) => secret),
      );
      for (const leak of leaks) {
        const where = located?.where.get(leak.secret) ?? [];
        const named = where
          .map((each) => ({ ...each, test: each.test || (test ?? '') }))
          .filter((each) => each.test !== '');
        leak.where = named.length > 0 || !test ? named : [{ test, step: null, typed: false }];
      }
    }
  }

  #stop({ place }: ContentVisit, error: unknown): void {
    this.#findings.stopped(place, error instanceof Error ? error.message : String(error));
  }
}

function inside({ place, depth, budget }: ContentVisit, name: string): ContentVisit {
  return { place: { ...place, inner: [...place.inner, name] }, depth: depth + 1, budget };
}

async function headOf(path: string): Promise<{ head: Buffer; size: number }> {
  const handle = await open(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_LENGTH);
    const { bytesRead } = await handle.read(head, 0, HEAD_LENGTH, 0);
    return { head: head.subarray(0, bytesRead), size: (await handle.stat()).size };
  } finally {
    await handle.close();
  }
}

async function peek(chunks: Chunks): Promise<{ head: Buffer; isShort: boolean; all: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  let done = false;
  while (!done && first.length < HEAD_LENGTH) {
    const next = await iterator.next();
    if (next.done) done = true;
    else first = Buffer.concat([first, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield first;
    if (!done) yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head: first.subarray(0, HEAD_LENGTH), isShort: done && first.length <= HEAD_LENGTH, all: all() };
}

async function* counted(chunks: Chunks, budget: ReadBudget): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    budget.bytes -= chunk.length;
    if (budget.bytes < 0) throw new LimitReached('it unpacks to more than a scan reads of one file');
    yield chunk;
  }
}

async function* entryChunks(zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Buffer> {
  yield* (await zip.openReadStreamPromise(entry)) as Chunks;
}

async function* buffers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** A text of two bytes a character in UTF-8. */
async function* transcoded(chunks: Chunks, encoding: 'utf16le' | 'utf16be'): AsyncGenerator<Buffer> {
  const decoder = new StringDecoder('utf16le');
  let odd: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const whole = Buffer.concat([odd, chunk]);
    const pairs = Buffer.from(whole.subarray(0, whole.length - (whole.length % 2)));
    odd = whole.subarray(pairs.length);
    yield Buffer.from(decoder.write(encoding === 'utf16be' ? pairs.swap16() : pairs));
  }
  yield Buffer.from(decoder.end());
}

function unpackerOf(packing: Exclude<Packing['is'], 'zip' | 'tar' | 'closed'>): Transform | null {
  if (packing === 'gzip') return zlib.createGunzip();
  if (packing === 'brotli') return zlib.createBrotliDecompress();
  if (packing === 'zlib') return zlib.createInflate();
  if (packing === 'deflate') return zlib.createInflateRaw();
  // From Node.js 22.15 on.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
  return createZstdDecompress?.() ?? null;
}

/** Names may be anything: also one that leads out of the archive is only shown. */
function nameOf(entry: yauzl.Entry): string {
  return yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
