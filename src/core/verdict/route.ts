/*
 * A route is what a product's developers call one: method and path, whatever the ids in it. Faults are judged by route,
 * since that is where a bug of the product lies.
 */

/** What one request asked for. */
export interface Target {
  readonly method: string;
  /** Without the query; empty where nobody knows it. */
  readonly path: string;
  /** The operation of GraphQL, the method of JSON-RPC: many routes behind one path. */
  readonly operation?: string | undefined;
}

const ANY = '#';
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const VERSION = /^v\d+$/i;
const LETTERS_AND_SIGNS = /^[^\d@%]{1,15}$/;
/** A hash has digits, or is longer than a word made of a to f. */
const HASH = /^(?=.*\d)[0-9a-f]{7,}$|^[0-9a-f]{16,}$/i;
/** Letters and digits that change places at least twice, such as `ord8xk2p`. */
const MIXED = /\d[a-z]+\d|[a-z]\d+[a-z]/i;
const SHORTEST_TOKEN = 6;
/** So many changes between small and capital letters are a token's, not a word's. */
const CASE_CHANGES = /(?:[a-z][A-Z]+){4}/;

/** The route of a request: `GET /orders/#/items`; null where its path is not known. */
export function routeOf({ method, path, operation }: Target): string | null {
  if (path === '') return null;
  const route = `${method} ${path.split('/').map(generalSegment).join('/')}`;
  return operation === undefined ? route : `${route} ${operation}`;
}

/** The route as a number, where it is only compared; null where it is not known. */
export function routeNumber(target: Target): number | null {
  const route = routeOf(target);
  return route === null ? null : hash53(route);
}

/**
 * Equal for two calls of one method, path, query and body. `payload` is a hash of the last two, and below zero where they
 * are not known.
 */
export function identityOf({ method, path }: Target, payload: number): number | null {
  return path === '' || payload < 0 ? null : hash53(`${method} ${path} ${payload}`);
}

/** Whether reading it changes nothing: such a call may be repeated by another one. */
export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A segment of a path with what tells one thing of a kind from another replaced. */
function generalSegment(segment: string): string {
  if (segment === '' || LETTERS_AND_SIGNS.test(segment) || VERSION.test(segment)) return segment;
  if (UUID.test(segment) || /@|%40/i.test(segment)) return ANY;
  return segment
    .split(/([-_.~:,;=!])/)
    .map((part) => (isToken(part) ? ANY : part.replace(/\d+/g, ANY)))
    .join('');
}

function isToken(part: string): boolean {
  if (part.length < SHORTEST_TOKEN) return false;
  return HASH.test(part) || MIXED.test(part) || CASE_CHANGES.test(part);
}

/**
 * A number of 53 bits for a text: what is only compared needs no text, and a number says nothing of what it stands for
 * (cyrb53 by bryc, public domain).
 */
export function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
