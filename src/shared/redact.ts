import { base64Forms } from './base64.ts';
import { memoize } from './memoize.ts';

/** A text that must not be shown, and the name that stands for it. */
export interface NamedSecret {
  readonly name: string;
  readonly value: string;
}

/** Shorter ones are in every text by chance. */
const MIN_LENGTH = 4;
/** Shorter ones are replaced only where they stand alone, and in no encoding that hides where a word ends. */
const SAFE_LENGTH = 8;
const WORD = /^\p{Lu}?\p{Ll}+$|^\p{Lu}+$/u;

const USERINFO = /\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#"'<>]*@/gi;
const NAMED = String.raw`\[key [^\][]+\]`;
const SECRET_PARAMETERS = 'key|api_key|apikey|token|access_token|sig|signature|password|secret|auth';
const PARAMETER = new RegExp(String.raw`([?&;](?:${SECRET_PARAMETERS})=)((?:${NAMED}|[^\s&#"'<>])+)`, 'gi');
const ONLY_NAMED = new RegExp(`^${NAMED}$`);

/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

/**
 * Replaces known secrets, also encoded, with `[key NAME]`, and removes what URLs carry besides: a user with password,
 * parameters such as `token`. A secret that is a short ordinary word stays: replacing it would tell which word it is.
 *
 * @example
 * const redact = createRedactor([{ name: 'ci-1', value }]);
 */
export function createRedactor(secrets: readonly NamedSecret[]): Redact {
  const known = secrets.filter(({ value }) => isReplaced(value));
  const shortest = Math.min(...known.map(({ value }) => value.length));
  // Most texts are shorter than any secret, so most processes never need the forms of a thousand keys.
  const search = memoize(() => searchFor(known));
  return (text) => {
    const bare = withoutLogins(text);
    const named = bare.length < shortest ? bare : search()(bare);
    return named.replace(PARAMETER, (match: string, start: string, value: string) =>
      ONLY_NAMED.test(value) ? match : `${start}[redacted]`,
    );
  };
}

/** Too short to be recognised in every text: it is replaced and found as a word of its own at most. */
export function isShortSecret(value: string): boolean {
  return value.length < SAFE_LENGTH;
}

/** Addresses in a text lose the user and the password that they may hold. */
export function withoutLogins(text: string): string {
  return text.replace(USERINFO, '$1');
}

function isReplaced(value: string): boolean {
  return value.length >= MIN_LENGTH && !(isShortSecret(value) && WORD.test(value));
}

function searchFor(secrets: readonly NamedSecret[]): Redact {
  const names = new Map<string, string>();
  for (const { name, value } of secrets) {
    for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name);
  }
  // At one place in a text the first that fits is taken: the longest must be asked first.
  const forms = [...names.keys()].sort((left, right) => right.length - left.length);
  if (forms.length === 0) return (text) => text;
  const known = new RegExp(forms.map(toPattern).join('|'), 'g');
  return (text) => text.replace(known, (form) => `[key ${names.get(form)}]`);
}

/** A secret as it may stand in addresses, headers, JSON and HTML. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  // Through bytes: encodeURIComponent throws at half a surrogate pair.
  const encoded = encodeURIComponent(bytes.toString());
  const words = [
    value,
    encoded,
    encoded.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()),
    encoded.replaceAll('%20', '+'),
    encodeURIComponent(encoded),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    asHtml(value),
  ];
  if (isShortSecret(value)) return words;
  return [
    ...words,
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    // Within a longer text, such as a user's name with a password.
    ...base64Forms(value),
  ];
}

function asHtml(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function toPattern(form: string): string {
  const pattern = form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return form.length < SAFE_LENGTH ? String.raw`(?<!\w)${pattern}(?!\w)` : pattern;
}
