import { base64Forms } from './base64.ts';

/** A text that must not be shown, and the name that stands for it. */
interface NamedSecret {
  readonly name: string;
  readonly value: string;
}

/** Shorter ones are in every text by chance. */
const MIN_LENGTH = 4;
/** Parts of the base64 of shorter ones, too. */
const SAFE_LENGTH = 8;

const USERINFO = /\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#"'<>]*@/gi;
const NAMED = String.raw`\[key [\w.:@-]+\]`;
const SECRET_PARAMETERS = 'key|api_key|apikey|token|access_token|sig|signature|password|secret|auth';
const PARAMETER = new RegExp(String.raw`([?&;](?:${SECRET_PARAMETERS})=)((?:${NAMED}|[^\s&#"'<>])+)`, 'gi');
const ONLY_NAMED = new RegExp(`^${NAMED}$`);

/**
 * A function that takes secrets out of a text: known ones, also encoded, become `[key NAME]`; what URLs carry besides
 * (a user with password, parameters such as `token`) goes, too.
 *
 * @example
 * const redact = createRedactor([{ name: 'ci-1', value }]);
 */
export function createRedactor(secrets: readonly NamedSecret[]): (text: string) => string {
  const names = new Map<string, string>();
  for (const { name, value } of secrets) {
    for (const form of value.length >= MIN_LENGTH ? formsOf(value) : []) {
      if (!names.has(form)) names.set(form, name);
    }
  }
  // At one place in a text the first that fits is taken: the longest must be asked first.
  const forms = [...names.keys()].sort((left, right) => right.length - left.length);
  const known = forms.length > 0 ? new RegExp(forms.map(escaped).join('|'), 'g') : undefined;
  return (text) => {
    const bare = withoutLogins(text);
    const named = known === undefined ? bare : bare.replace(known, (form) => `[key ${names.get(form)}]`);
    return named.replace(PARAMETER, (match: string, start: string, value: string) =>
      ONLY_NAMED.test(value) ? match : `${start}[redacted]`,
    );
  };
}

/** Addresses in a text lose the user and the password that they may hold. */
export function withoutLogins(text: string): string {
  return text.replace(USERINFO, '$1');
}

/** A secret as it may stand in addresses, headers, JSON and HTML. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  // Through bytes: encodeURIComponent throws at half a surrogate pair.
  const encoded = encodeURIComponent(bytes.toString());
  return [
    value,
    encoded,
    encoded.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()),
    encoded.replaceAll('%20', '+'),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    asHtml(value),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    // Within a longer text, such as a user's name with a password.
    ...(bytes.length < SAFE_LENGTH ? [] : base64Forms(value)),
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

function escaped(form: string): string {
  return form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
