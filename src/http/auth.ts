import type { Auth } from '../core/types.ts';
import type { AuthSent } from '../core/request-outcome.ts';
import { parameterOf } from './query.ts';

export interface KeySecret {
  readonly value: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What was minted for it; null or absent: nothing yet. */
  readonly token?: string | null | undefined;
}

/** What a leased key adds to a request, and its endpoint. Names of headers are in lower case. */
export interface Credentials {
  /** Headers of the key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly [name: string, value: string] | null;
  /** Headers of the endpoint, for each request to it that does not set them itself, whatever key it has. */
  readonly extra: Readonly<Record<string, string>>;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

/** `extra`: the headers of the endpoint, as the configuration has them. */
export function credentialsOf(
  style: Auth,
  key: KeySecret | null,
  extra: Readonly<Record<string, string>> = NO_HEADERS,
): Credentials {
  return { ...ofKey(style, key), extra: lowerCased(extra) };
}

type OfKey = Omit<Credentials, 'extra'>;

function ofKey(style: Auth, key: KeySecret | null): OfKey {
  if (key === null || style === 'none') return { headers: NO_HEADERS, query: null };
  if (style === 'bearer') return inHeader('authorization', `Bearer ${key.value}`);
  if (style === 'basic') return inHeader('authorization', basic(basicPair(key)));
  if (typeof style === 'object' && 'oauth2' in style)
    return key.token
      ? inHeader('authorization', `Bearer ${key.token}`)
      : { headers: NO_HEADERS, query: null };
  if ('header' in style) return inHeader(style.header.toLowerCase(), key.value);
  return { headers: NO_HEADERS, query: [style.query, key.value] };
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const _ in headers)
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return NO_HEADERS;
}

/** The header of Basic authentication, in UTF-8 as browsers and curl send it (RFC 7617). */
export function basic(pair: string): string {
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

function basicPair({ value, fields }: KeySecret): string {
  const { username, password } = fields;
  return username !== undefined && password !== undefined ? `${username}:${password}` : value;
}

function inHeader(name: string, value: string): OfKey {
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
