/** How a text may be escaped, one level of which `unescape` removes. */
export type EscapeKind = 'JSON-escaped' | 'URL-encoded' | 'HTML-escaped' | 'quoted-printable';

/** A text with one level of all its escapes removed, and what each byte of it comes from. */
export interface Unescaped {
  readonly bytes: Buffer;
  /** Offset in the escaped text of the byte at `offset`. */
  readonly origin: (offset: number) => number;
  /** Kinds of escapes in a range of `bytes`; none: the range stands unchanged in the escaped text. */
  readonly kindsIn: (from: number, to: number) => EscapeKind[];
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const KINDS: Readonly<Record<number, EscapeKind>> = {
  [BACKSLASH]: 'JSON-escaped',
  [PERCENT]: 'URL-encoded',
  [AMPERSAND]: 'HTML-escaped',
  [EQUALS]: 'quoted-printable',
};
/** The longest escape: two `\uXXXX` that are one character. */
export const MAX_ESCAPE = 12;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
};

/** What an escape stands for, and how many bytes it takes. */
interface Escape {
  readonly length: number;
  readonly text: Buffer;
}

const LETTER_U = 0x75;
const LETTER_X = 0x78;
/** A backslash with each byte behind it. */
const SIGNS: readonly Escape[] = Array.from({ length: 256 }, (_, byte) => {
  const control = CONTROLS[String.fromCharCode(byte)];
  return { length: 2, text: control === undefined ? Buffer.from([byte]) : Buffer.from(control) };
});

/** Null where the text has no escape. `quotedPrintable`: `=3D` is one, too. */
export function unescape(escaped: Buffer, quotedPrintable = false): Unescaped | null {
  const starts: number[] = [];
  const found: Escape[] = [];
  for (let at = 0; at < escaped.length; at++) {
    const sign = escaped[at]!;
    if (sign !== BACKSLASH && sign !== PERCENT && sign !== AMPERSAND && !(quotedPrintable && sign === EQUALS))
      continue;
    const escape = readEscape(escaped, at, sign);
    if (!escape) continue;
    starts.push(at);
    found.push(escape);
    at += escape.length - 1;
  }
  return found.length === 0 ? null : joined(escaped, starts, found);
}

function joined(escaped: Buffer, starts: readonly number[], found: readonly Escape[]): Unescaped {
  const parts: Buffer[] = [];
  /** Where the text of each escape begins in the result. */
  const places: number[] = [];
  let length = 0;
  let from = 0;
  for (const [index, { text, length: taken }] of found.entries()) {
    const start = starts[index]!;
    parts.push(escaped.subarray(from, start), text);
    places.push(length + start - from);
    length += start - from + text.length;
    from = start + taken;
  }
  parts.push(escaped.subarray(from));
  /** Index of the last escape that begins at or before an offset of the result; -1: none. */
  const lastAt = (offset: number): number => {
    let [low, high] = [-1, places.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (places[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    bytes: Buffer.concat(parts),
    origin: (offset) => {
      const index = lastAt(offset);
      if (index === -1) return offset;
      const { text, length: taken } = found[index]!;
      const beyond = offset - places[index]! - text.length;
      return beyond < 0 ? starts[index]! : starts[index]! + taken + beyond;
    },
    kindsIn: (from, to) => {
      const kinds = new Set<EscapeKind>();
      for (let index = lastAt(to - 1); index >= 0; index--) {
        const { text } = found[index]!;
        if (places[index]! + text.length <= from && places[index]! < from) break;
        kinds.add(KINDS[escaped[starts[index]!]!]!);
      }
      return [...kinds];
    },
  };
}

function readEscape(bytes: Buffer, at: number, sign: number): Escape | null {
  const next = bytes[at + 1];
  // Most escapes are of one sign, such as a quote in JSON.
  if (sign === BACKSLASH && next !== LETTER_U && next !== LETTER_X)
    return next === undefined ? null : SIGNS[next]!;
  const text = bytes.toString('latin1', at + 1, at + MAX_ESCAPE);
  if (sign === BACKSLASH) return afterBackslash(text);
  if (sign === AMPERSAND) return entity(text);
  if (sign === EQUALS && /^\r?\n/.test(text))
    return { length: text[0] === '\r' ? 3 : 2, text: Buffer.alloc(0) };
  const [, byte, unit] = /^(?:([\dA-Fa-f]{2})|u([\dA-Fa-f]{4}))/.exec(text) ?? [];
  if (byte !== undefined) return { length: 3, text: Buffer.from(byte, 'hex') };
  return unit === undefined || sign === EQUALS
    ? null
    : { length: 6, text: character(Number.parseInt(unit, 16)) };
}

function afterBackslash(text: string): Escape | null {
  const [whole, high, low] = /^u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})/i.exec(text) ?? [];
  if (whole !== undefined) {
    const pair = String.fromCharCode(Number.parseInt(high!, 16), Number.parseInt(low!, 16));
    return { length: 1 + whole.length, text: Buffer.from(pair) };
  }
  const [code, unit, braced, byte] =
    /^(?:u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]{1,6})\}|x([\dA-Fa-f]{2}))/.exec(text) ?? [];
  if (byte !== undefined) return { length: 4, text: Buffer.from(byte, 'hex') };
  if (code !== undefined)
    return { length: 1 + code.length, text: character(Number.parseInt(unit ?? braced!, 16)) };
  return SIGNS[text.charCodeAt(0)]!;
}

function entity(text: string): Escape | null {
  const [whole, decimal, hex, name] =
    /^(?:#(\d{1,7})|#[xX]([\dA-Fa-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/.exec(text) ?? [];
  if (whole === undefined) return null;
  const length = 1 + whole.length;
  if (name !== undefined) return { length, text: Buffer.from(ENTITIES[name]!) };
  return { length, text: character(decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal)) };
}

function character(code: number): Buffer {
  return Buffer.from(code <= 0x10_ff_ff ? String.fromCodePoint(code) : '\uFFFD');
}
