import type { Secret } from '../../config/secrets.ts';
import { base64Forms } from '../../shared/base64.ts';

export type Form = 'as it is' | 'URL-encoded' | 'JSON-escaped' | 'HTML-escaped' | 'base64' | 'hex';

/** A text to look for. */
export interface Needle {
  readonly secret: Secret;
  readonly form: Form;
  readonly bytes: Buffer;
  /** It counts only where no letter or digit stands beside it: it is too short to be met by chance only there. */
  readonly delimited: boolean;
}

/** Shorter values are in every text by chance, so they are not looked for. */
export const MIN_LENGTH = 4;
/** Shorter texts are looked for as words of their own only, and in no encoding that hides where a word ends. */
const SAFE_LENGTH = 8;

/** How a secret may stand in artifacts; each text once, with the plainest name for it. */
export function needlesOf(secret: Secret): Needle[] {
  const { value, user } = secret;
  if (Buffer.byteLength(value) < MIN_LENGTH) return [];
  const words: [Form, string][] = [
    ['as it is', value],
    ...urlForms(value).map((text): [Form, string] => ['URL-encoded', text]),
    ...jsonForms(value).map((text): [Form, string] => ['JSON-escaped', text]),
    ...htmlForms(value).map((text): [Form, string] => ['HTML-escaped', text]),
  ];
  const hex = Buffer.from(value).toString('hex');
  const dense: [Form, string][] = [
    ...base64Forms(value).map((text): [Form, string] => ['base64', text]),
    ...(user === null ? [] : base64Forms(`${user}:${value}`).map((text): [Form, string] => ['base64', text])),
    ['hex', hex],
    ['hex', hex.toUpperCase()],
  ];
  const needles = new Map<string, Needle>();
  for (const [form, text] of words) {
    const bytes = Buffer.from(text);
    if (!needles.has(text)) needles.set(text, { secret, form, bytes, delimited: bytes.length < SAFE_LENGTH });
  }
  for (const [form, text] of dense) {
    if (text.length < SAFE_LENGTH || needles.has(text)) continue;
    needles.set(text, { secret, form, bytes: Buffer.from(text), delimited: false });
  }
  return [...needles.values()];
}

/** Also encoded twice, as an address within an address is. */
function urlForms(value: string): string[] {
  // Through bytes: encodeURIComponent throws at half a surrogate pair.
  const once = encodeURIComponent(Buffer.from(value).toString());
  const form = new URLSearchParams([['', value]]).toString().slice(1);
  const all = [
    once,
    once.replaceAll('%20', '+'),
    form,
    encodeURIComponent(once),
    encodeURI(Buffer.from(value).toString()),
  ];
  return all.flatMap((text) => [text, text.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase())]);
}

/** Also escaped twice, as JSON within JSON is, and with the signs of HTML escaped, as some serializers do. */
function jsonForms(value: string): string[] {
  const inner = (text: string): string => JSON.stringify(text).slice(1, -1);
  const safe = inner(value).replace(/[<>&'\u0080-\uFFFF]/g, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return [inner(value), inner(inner(value)), safe, inner(value).replaceAll('/', '\\/')];
}

function htmlForms(value: string): string[] {
  const common = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = common.replaceAll('"', '&quot;');
  return [common, quoted, ...['&#39;', '&#x27;', '&apos;'].map((sign) => quoted.replaceAll("'", sign))];
}
