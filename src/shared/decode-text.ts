/** A file whose bytes are no text of UTF-8; the message continues "the file …". */
export class UnreadableText extends Error {}

/** The text of a file in UTF-8, its byte order mark included. Throws an UnreadableText where it is in UTF-16. */
export function decodeText(bytes: Buffer): string {
  const [first = 0, second = 0] = bytes;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // Without a mark, every other byte of an ASCII text is 0.
  const isUnmarked = bytes.length > 1 && (first === 0) !== (second === 0);
  if (isMarked || isUnmarked) throw new UnreadableText('is encoded as UTF-16; save it as UTF-8');
  return bytes.toString('utf8');
}

/** A text without the byte order mark that some editors put before it. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
