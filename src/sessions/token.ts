import { isObject, parseJson } from '../shared/json.ts';
import { identity, secretOf, type SecretParts } from '../shared/fingerprint.ts';
import type { SessionOwner } from './store.ts';

/** A token as it is kept: see store.ts. Times are dates, milliseconds since the epoch. */
export interface StoredToken {
  readonly token: string;
  readonly mintedAt: number;
  /** Null: its issuer did not say. */
  readonly expiresAt: number | null;
}

/** What tokens of one account are told apart by. */
export interface TokenPlace {
  readonly tokenUrl: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

/** Whose the token of a key is, in the store. */
export function tokenOwner(
  account: string,
  key: SecretParts,
  { tokenUrl, scope = '', audience = '' }: TokenPlace,
  name: string,
): SessionOwner {
  const place = [tokenUrl, scope, audience].join('\n');
  return { kind: 'token', account, secret: secretOf(key), place, name };
}

/** The same for a key of a project. */
export function tokenOwnerIn(
  project: string,
  key: SecretParts,
  place: TokenPlace,
  name: string,
): SessionOwner {
  return tokenOwner(identity(project, key), key, place, name);
}

export function tokenText(token: StoredToken): string {
  return JSON.stringify({ v: 1, ...token });
}

/** Null where it is none that this version understands. */
export function parseToken(text: string): StoredToken | null {
  const value = parseJson(text);
  if (!isObject(value) || value['v'] !== 1) return null;
  const { token, mintedAt, expiresAt } = value;
  if (typeof token !== 'string' || token === '' || typeof mintedAt !== 'number') return null;
  return { token, mintedAt, expiresAt: typeof expiresAt === 'number' ? expiresAt : null };
}

const EARLY_MS = 60_000;

/** When a token is to be renewed: a minute before its end, or at half of a life of less than two minutes. */
export function renewalAt({ mintedAt, expiresAt }: StoredToken): number {
  if (expiresAt === null) return Infinity;
  const lifeMs = expiresAt - mintedAt;
  return lifeMs < 2 * EARLY_MS ? mintedAt + lifeMs / 2 : expiresAt - EARLY_MS;
}
