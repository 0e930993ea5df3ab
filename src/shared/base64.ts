/**
 * What base64 of a longer text shows of the value, for each of the three places that it may begin at: the characters
 * that no neighbour changes (RFC 4648), in both alphabets.
 */
export function base64Forms(value: string | Buffer): string[] {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor((shifted.length * 8) / 6);
    const inner = shifted.toString('base64').slice(first, last);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
