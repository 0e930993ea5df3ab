import type { Auth } from '../core/types.ts';
import type { AuthSent } from '../core/request-outcome.ts';

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

export function credentialsOf(style: Auth, key: KeySecret | null): Credentials {
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

/** Whose key a request goes with: what the caller set stays, unless it is the leased one itself. */
export function authSent(
  credentials: Credentials,
  header: (name: string) => string | undefined,
  query: URLSearchParams,
): AuthSent {
  const wanted = Object.entries(credentials.headers).map(([name, value]) => [header(name), value] as const);
  if (credentials.query) wanted.push([query.get(credentials.query[0]) ?? undefined, credentials.query[1]]);
  if (wanted.length === 0) return 'none';
  return wanted.every(([own, leased]) => own === undefined || own === leased) ? 'leased' : 'own';
}
