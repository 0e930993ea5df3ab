import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import yauzl from 'yauzl';
import { EmbeddedReader } from './embedded.ts';
import type { Findings, LeakPlace } from './findings.ts';
import type { Search } from './finder.ts';
import { HEAD_LENGTH, type Packing, packingOf } from './sniff.ts';

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
  /** Bytes of inner zips, and of packed data in texts, which are held in memory at one time. */
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

type Chunks = AsyncIterable<Buffer>;

/** One content on its way through the packings of a file. */
interface Visit {
  readonly place: LeakPlace;
  readonly depth: number;
  /** What the whole file may still unpack to. */
  readonly budget: Budget;
}

interface Budget {
  bytes: number;
  innerFiles: number;
  /** What may still be held in memory. */
  held: number;
}

/** Searches a file and whatever is packed inside it. */
export class ContentScan {
  readonly #search: Search;
  readonly #findings: Findings;
  readonly #limits: Limits;

  constructor(search: Search, findings: Findings, limits: Limits) {
    this.#search = search;
    this.#findings = findings;
    this.#limits = limits;
  }

  /** Never rejects: what cannot be looked at is told as unfinished. */
  async file(path: string, file: string): Promise<void> {
    const { unpackedBytes: bytes, innerFiles, heldBytes: held } = this.#limits;
    const visit: Visit = { place: { file, inner: [] }, depth: 0, budget: { bytes, innerFiles, held } };
    this.#findings.read.files++;
    this.#name(visit.place, file);
    await this.#attempt(visit, async () => {
      const { head, size } = await headOf(path);
      visit.budget.bytes = Math.min(bytes, Math.max(this.#limits.freeBytes, this.#limits.ratio * size));
      const packing = packingOf(head, file);
      if (packing?.is !== 'zip') return this.#content(visit, createReadStream(path), packing);
      const zip = await yauzl.openPromise(path, { decodeStrings: false }).catch((error: unknown) => {
        this.#stop(visit, error);
        return null;
      });
      // Without its directory a zip can still hold what was stored as it is.
      return zip ? this.#zip(visit, zip) : this.#plain(visit, createReadStream(path));
    });
  }

  async #content(visit: Visit, chunks: Chunks, packing: Packing | null): Promise<void> {
    if (packing === null) return this.#plain(visit, chunks);
    if (packing.is === 'closed') {
      this.#findings.stopped(visit.place, `${packing.name} cannot be opened here`);
      return this.#plain(visit, chunks);
    }
    if (visit.depth >= this.#limits.depth) throw new Error(`packed more than ${this.#limits.depth} times`);
    if (packing.is === 'zip') return this.#heldZip(visit, chunks);
    const unpack = unpackerOf(packing.is);
    if (unpack) return this.#unpacked(visit, packing.is, chunks, unpack);
    this.#findings.stopped(visit.place, `${packing.is} cannot be opened by this Node.js`);
    return this.#plain(visit, chunks);
  }

  async #plain(visit: Visit, chunks: Chunks): Promise<void> {
    const { place } = visit;
    const reader = this.#search.reader((hit) => this.#findings.add(place, hit, false));
    const most = Math.max(0, visit.budget.held);
    const embedded = new EmbeddedReader(most, (offset) => {
      const why = `the packed data at byte ${offset} is longer than ${inMiB(most)}`;
      this.#findings.stopped(place, why);
    });
    const visitAll = async (list: ReturnType<EmbeddedReader['end']>): Promise<void> => {
      for (const { offset, bytes, packing } of list) {
        const inner = inside(visit, `base64 at byte ${offset}`);
        visit.budget.held -= bytes.length;
        await this.#attempt(inner, () => this.#content(inner, Readable.from([bytes]), packing));
        visit.budget.held += bytes.length;
      }
    };
    for await (const chunk of chunks) {
      this.#findings.read.bytes += chunk.length;
      reader.read(chunk);
      await visitAll(embedded.read(chunk));
    }
    reader.end();
    await visitAll(embedded.end());
  }

  async #unpacked(visit: Visit, name: string, chunks: Chunks, unpack: Transform): Promise<void> {
    pipeline(Readable.from(chunks), unpack, () => {});
    await this.#inner(inside(visit, name), unpack as Chunks, '');
  }

  /** A zip begins at its end, so one inside another file is held whole. */
  async #heldZip(visit: Visit, chunks: Chunks): Promise<void> {
    const { budget } = visit;
    const before = budget.held;
    try {
      const bytes = await this.#held(chunks, budget);
      await this.#zip(visit, await yauzl.fromBufferPromise(bytes, { decodeStrings: false }));
    } finally {
      budget.held = before;
    }
  }

  async #zip(visit: Visit, zip: yauzl.ZipFile): Promise<void> {
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
          await this.#inner(inner, (await zip.openReadStreamPromise(entry)) as Chunks, name);
        });
      }
    } finally {
      zip.close();
    }
  }

  /** What comes out of a packing: counted, and looked at like a file. */
  async #inner(visit: Visit, chunks: Chunks, name: string): Promise<void> {
    this.#findings.read.inner++;
    if (--visit.budget.innerFiles < 0)
      throw new LimitReached(`more than ${this.#limits.innerFiles} files inside it`);
    const { head, all } = await peek(counted(chunks, visit.budget));
    await this.#content(visit, all, packingOf(head, name));
  }

  async #held(chunks: Chunks, budget: Budget): Promise<Buffer> {
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
    const reader = this.#search.reader((hit) => this.#findings.add(place, hit, true));
    reader.read(Buffer.from(name));
    reader.end();
  }

  /** Goes on with the next content after a fault; a limit ends the whole file. */
  async #attempt(visit: Visit, work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof LimitReached && visit.place.inner.length > 0) throw error;
      this.#stop(visit, error);
    }
  }

  #stop({ place }: Visit, error: unknown): void {
    this.#findings.stopped(place, error instanceof Error ? error.message : String(error));
  }
}

function inside({ place, depth, budget }: Visit, name: string): Visit {
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

async function peek(chunks: Chunks): Promise<{ head: Buffer; all: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  let done = false;
  while (!done && head.length < HEAD_LENGTH) {
    const next = await iterator.next();
    if (next.done) done = true;
    else head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield head;
    if (!done) yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head, all: all() };
}

async function* counted(chunks: Chunks, budget: Budget): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    budget.bytes -= chunk.length;
    if (budget.bytes < 0) throw new LimitReached('it unpacks to more than a scan reads of one file');
    yield chunk;
  }
}

function unpackerOf(packing: Exclude<Packing['is'], 'zip' | 'closed'>): Transform | null {
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
