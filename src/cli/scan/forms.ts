import type { Secret } from '../../config/secrets.ts';
import { base64Forms } from '../../shared/base64.ts';
import { unescape } from './escapes.ts';

/** A text to look for. */
export interface Needle {
  readonly secret: Secret;
  /** How the secret stands there, such as `base64`. */
  readonly form: string;
  readonly bytes: Buffer;
  /** It counts only where no letter or digit stands beside it: elsewhere it is met by chance. */
  readonly delimited: boolean;
}

/** Shorter values are in every text by chance, so they are not looked for. */
export const MIN_LENGTH = 4;
/** Shorter texts are looked for as words of their own only, and in no encoding that hides where a word ends. */
const SAFE_LENGTH = 8;
/** Text that holds a value, such as a JSON answer, may be escaped so many times before it is encoded. */
const MAX_ESCAPED = 3;

export const AS_IT_IS = 'as it is';
export const UTF_16 = 'UTF-16';

/**
 * How a secret may stand in artifacts, once its text is unescaped (`unescape`); each text once, with the plainest name
 * for it.
 */
export function needlesOf(secret: Secret): Needle[] {
  const { value, user } = secret;
  if (Buffer.byteLength(value) < MIN_LENGTH) return [];
  const needles = new Map<string, Needle>();
  const add = (form: string, bytes: Buffer): void => {
    const delimited = bytes.length < SAFE_LENGTH;
    const id = bytes.toString('latin1');
    if (delimited && form !== AS_IT_IS) return;
    if (!needles.has(id)) needles.set(id, { secret, form, bytes, delimited });
  };
  for (const text of readings(value)) add(AS_IT_IS, text);
  const dense = [value, ...(user === null ? [] : [`${user}:${value}`])].filter(
    (text) => text.length >= SAFE_LENGTH,
  );
  for (const text of dense.flatMap(escapedForms)) {
    for (const form of base64Forms(text)) add('base64', Buffer.from(form));
  }
  if (value.length < SAFE_LENGTH) return [...needles.values()];
  for (const bytes of wide(value)) add(UTF_16, bytes);
  for (const bytes of [...wide(value), ...narrow(value)]) {
    for (const form of base64Forms(bytes)) add('base64', Buffer.from(form));
  }
  const hex = Buffer.from(value).toString('hex');
  for (const form of [hex, hex.toUpperCase()]) add('hex', Buffer.from(form));
  return [...needles.values()];
}

/** A value as it is, and what is left of it where a text that holds it is unescaped once too often. */
function readings(value: string): Buffer[] {
  // A space in a form is a plus.
  const plain = [value, value.replaceAll(' ', '+')].flatMap((text) => [
    Buffer.from(text),
    Buffer.from(text.normalize('NFC')),
    Buffer.from(text.normalize('NFD')),
    ...narrow(text),
  ]);
  if (unescape(Buffer.from(value)) === null) return plain;
  const found = [...plain];
  let escaped = [value];
  for (let times = 1; times <= MAX_ESCAPED; times++) {
    escaped = escaped.flatMap((text) => ENCODERS.map((encode) => encode(text)));
    for (const text of escaped) {
      let bytes = Buffer.from(text);
      for (let level = 0; level < times; level++) bytes = Buffer.from(unescape(bytes)?.bytes ?? bytes);
      found.push(bytes);
    }
  }
  return found;
}

const ENCODERS: readonly ((text: string) => string)[] = [toJson, toSafeJson, toUrl, toHtml];

/** A value as it may stand in a text that is encoded as a whole. */
function escapedForms(value: string): string[] {
  const forms = [toJson(value), toJson(toJson(value)), toSafeJson(value), toUrl(value), toHtml(value)];
  return [...new Set([value, value.replaceAll('/', '\\/'), ...forms])];
}

function toJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** As serializers write it for a page, or in ASCII. */
function toSafeJson(text: string): string {
  return toJson(text).replace(/[<>&'\u0080-\uFFFF]/g, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Through bytes: encodeURIComponent throws at half a surrogate pair. */
function toUrl(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

function toHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
  };
  return text.replace(/[&<>"']/g, (sign) => `&${entities[sign]};`);
}

/** In UTF-16, as Windows writes texts. */
function wide(text: string): Buffer[] {
  const little = Buffer.from(text, 'utf16le');
  return [little, Buffer.from(little).swap16()];
}

/** In Latin-1, where that differs and can hold it. */
function narrow(text: string): Buffer[] {
  return /^[\0-\u00FF]*$/.test(text) && /[\u0080-\u00FF]/.test(text) ? [Buffer.from(text, 'latin1')] : [];
}
