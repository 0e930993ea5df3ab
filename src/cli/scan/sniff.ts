import { brotliDecompressSync, constants, inflateRawSync, inflateSync } from 'node:zlib';

/** How a content is packed; `closed` is a packing that cannot be opened here. */
export type Packing =
  | { readonly is: 'zip' | 'tar' | 'gzip' | 'brotli' | 'zstd' | 'zlib' | 'deflate' }
  | { readonly is: 'closed'; readonly name: string };

/** First bytes, in hexadecimal. */
const MAGIC: readonly (readonly [RegExp, Packing])[] = [
  [/^504b(0304|0506)/, { is: 'zip' }],
  [/^1f8b08/, { is: 'gzip' }],
  [/^28b52ffd/, { is: 'zstd' }],
  [/^377abcaf271c/, { is: 'closed', name: '7z' }],
  [/^526172211a07/, { is: 'closed', name: 'rar' }],
  [/^fd377a585a00/, { is: 'closed', name: 'xz' }],
  [/^425a683[1-9]31415926/, { is: 'closed', name: 'bzip2' }],
  [/^04224d18/, { is: 'closed', name: 'lz4' }],
];
/** The mark of POSIX.1-1988 and later. */
const TAR_MARK = { at: 257, text: 'ustar' };

/** Bytes of a content that are enough to tell its packing. */
export const HEAD_LENGTH = 4096;

/** How a content is packed, by a mark in its first bytes, or its name where the packing has no mark. */
export function packingOf(head: Buffer, name: string): Packing | null {
  const hex = head.toString('hex', 0, 8);
  const found = MAGIC.find(([magic]) => magic.test(hex));
  if (found) return found[1];
  const mark = head.toString('latin1', TAR_MARK.at, TAR_MARK.at + TAR_MARK.text.length);
  if (mark === TAR_MARK.text) return { is: 'tar' };
  return /\.br$/i.test(name) ? { is: 'brotli' } : null;
}

const MAX_TRIAL = 64 * 1024;
const MIN_UNPACKED = 24;

/**
 * How a content without a mark may be packed, by trial: other bytes hardly ever unpack. It may be plain all the same.
 * `whole`: the head is all of it.
 */
export function unmarkedPackingOf(
  head: Buffer,
  whole: boolean,
): { readonly is: 'zlib' | 'deflate' | 'brotli' } | null {
  const finishFlush = whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  const unpacks = (unpack: () => Buffer): boolean => {
    try {
      return unpack().length >= MIN_UNPACKED;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    }
  };
  const limits = { finishFlush, maxOutputLength: MAX_TRIAL };
  if (unpacks(() => inflateSync(head, limits))) return { is: 'zlib' };
  if (unpacks(() => inflateRawSync(head, limits))) return { is: 'deflate' };
  const isBrotli = whole && unpacks(() => brotliDecompressSync(head, { maxOutputLength: MAX_TRIAL }));
  return isBrotli ? { is: 'brotli' } : null;
}

/** How a text is encoded in two bytes a character; null where it is not. */
export function wideEncodingOf(head: Buffer): 'utf16le' | 'utf16be' | null {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf16be';
  // Without a mark, by the zeros of a text that is mostly ASCII.
  const pairs = Math.min(head.length, 512) >> 1;
  let [even, odd] = [0, 0];
  for (let at = 0; at < pairs * 2; at += 2) {
    if (head[at] === 0) even++;
    if (head[at + 1] === 0) odd++;
  }
  if (pairs < 8) return null;
  if (odd > 0.8 * pairs && even < 0.05 * pairs) return 'utf16le';
  return even > 0.8 * pairs && odd < 0.05 * pairs ? 'utf16be' : null;
}
