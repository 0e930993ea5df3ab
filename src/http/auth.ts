import type { Auth } from '../core/types.ts';
import type { AuthSent } from '../core/request-outcome.ts';
import { parameterOf } from './query.ts';

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
  if (style === 'basic') return inHeader('authorization', basic(basicPair(key)));
  if ('header' in style) return inHeader(style.header.toLowerCase(), key.value);
  return { headers: {}, query: [style.query, key.value] };
}

/** The header of Basic authentication, in UTF-8 as browsers and curl send it (RFC 7617). */
export function basic(pair: string): string {
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

function basicPair({ value, fields }: KeySecret): string {
  const { username, password } = fields;
  return username !== undefined && password !== undefined ? `${username}:${password}` : value;
}

function inHeader(name: string, value: string): Credentials {
  return { headers: { [name]: value }, query: null };
}

/**
 * Whose key a request goes with: what the caller set stays, unless it is the leased one itself. `query` is that of its
 * address, as in `URL.search`.
 */
export function authSent(
  credentials: Credentials,
  header: (name: string) => string | undefined,
  query: string,
): AuthSent {
  const wanted = Object.entries(credentials.headers).map(([name, value]) => [header(name), value] as const);
  if (credentials.query) wanted.push([parameterOf(query, credentials.query[0]), credentials.query[1]]);
  if (wanted.length === 0) return 'none';
  return wanted.every(([own, leased]) => own === undefined || own === leased) ? 'leased' : 'own';
}
