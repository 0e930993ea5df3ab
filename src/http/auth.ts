/** How a pool's keys are sent: as in the configuration. */
export type AuthStyle =
  'bearer' | 'basic' | 'none' | { readonly header: string } | { readonly query: string };

export interface KeySecret {
  readonly value: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What a leased key adds to a request: headers with lower-case names, and perhaps a query parameter. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly [name: string, value: string] | null;
}

const NO_CREDENTIALS: Credentials = { headers: {}, query: null };

export function credentialsOf(style: AuthStyle, key: KeySecret | null): Credentials {
  if (key === null || style === 'none') return NO_CREDENTIALS;
  if (style === 'bearer') return inHeader('authorization', `Bearer ${key.value}`);
  if (style === 'basic') return inHeader('authorization', `Basic ${btoa(basicPair(key))}`);
  if ('header' in style) return inHeader(style.header.toLowerCase(), key.value);
  return { headers: {}, query: [style.query, key.value] };
}

function basicPair({ value, fields }: KeySecret): string {
  const { username, password } = fields;
  return username !== undefined && password !== undefined ? `${username}:${password}` : value;
}

function inHeader(name: string, value: string): Credentials {
  return { headers: { [name]: value }, query: null };
}
