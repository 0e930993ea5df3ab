import type { Credentials } from './auth.ts';
import { parameterOf, withoutParameter, withParameter } from './query.ts';

/** A shorter secret could be a part of any word. */
const MIN_SECRET = 8;

/** There is something to add to a request. */
export function areNeeded({ headers, query }: Credentials): boolean {
  return query !== null || Object.keys(headers).length > 0;
}

/** The query with the leased key at its end, unless it has it already. */
export function withCredentials(search: string, { query }: Credentials): string {
  if (query === null || parameterOf(search, query[0]) !== undefined) return search;
  return withParameter(search, ...query);
}

/** An address without the parameter that is the leased key: a server may copy its query into a redirect. */
export function withoutCredentials(address: string, { query }: Credentials): string {
  if (query === null) return address;
  const [name, key] = query;
  const [, path = '', search = '', hash = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(address) ?? [];
  return `${path}${withoutParameter(search, name, (value) => value === key)}${hash}`;
}

/** An address of another origin, without the leased key in any place, such as an address to return to. */
export function keyless(address: string, credentials: Credentials): string {
  const left = withoutCredentials(address, credentials);
  const key = credentials.query?.[1] ?? '';
  if (key.length < MIN_SECRET) return left;
  return formsOf(key).reduce((text, form) => text.replaceAll(form, ''), left);
}

/** Texts that stand in an address with the leased key: by them it is looked for in an address before it is read. */
export function marksOf({ query }: Credentials): string[] {
  if (query === null) return [];
  const [name, key] = query;
  const parameter = withParameter('', name, key).slice(1);
  return key.length < MIN_SECRET ? [parameter] : formsOf(key);
}

/** The key as it may stand in an address, the longest form first. */
function formsOf(key: string): string[] {
  const once = encodeURIComponent(key);
  const asForm = new URLSearchParams({ '': key }).toString().slice(1);
  const forms = [key, once, encodeURIComponent(once), asForm, encodeURIComponent(asForm)];
  return [...new Set(forms)].sort((one, other) => other.length - one.length);
}
