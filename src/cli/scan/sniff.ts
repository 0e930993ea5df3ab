import { constants, inflateRawSync, inflateSync } from 'node:zlib';

/** How a content is packed; `closed` is a packing that cannot be opened here. */
export type Packing =
  | { readonly is: 'zip' | 'gzip' | 'brotli' | 'zstd' | 'zlib' | 'deflate' }
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
];

/** Bytes of a content that are enough to tell its packing. */
export const HEAD_LENGTH = 8;

/** How a file or an entry is packed, by its first bytes, or its name where the packing has no mark. */
export function packingOf(head: Buffer, name: string): Packing | null {
  const hex = head.toString('hex', 0, HEAD_LENGTH);
  const found = MAGIC.find(([magic]) => magic.test(hex));
  if (found) return found[1];
  return /\.br$/i.test(name) ? { is: 'brotli' } : null;
}

const MAX_TRIAL = 64 * 1024;
const MIN_INFLATED = 24;
const MARKED: ReadonlySet<string> = new Set(['zip', 'gzip', 'zstd']);

/**
 * How bytes are packed that stood in a text as base64. Data without a mark is tried: random bytes do not inflate.
 * `whole`: these are all the bytes, not only the first.
 */
export function packingOfEmbedded(bytes: Buffer, whole: boolean): Packing | null {
  const marked = packingOf(bytes, '');
  if (marked) return MARKED.has(marked.is) ? marked : null;
  if (inflates(inflateSync, bytes, whole)) return { is: 'zlib' };
  return inflates(inflateRawSync, bytes, whole) ? { is: 'deflate' } : null;
}

function inflates(inflate: typeof inflateSync, bytes: Buffer, whole: boolean): boolean {
  try {
    const finishFlush = whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    return inflate(bytes, { finishFlush, maxOutputLength: MAX_TRIAL }).length >= MIN_INFLATED;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
  }
}
