/**
 * What the same call came to with other members. A refusal says little by itself, since tests send wrong requests on
 * purpose; the same call passing with another key, or failing alike at every endpoint, says who is to blame.
 */
export interface Seen {
  readonly call: string;
  /** Hash of method, address and the caller's own headers: the same safe request. Null for an unsafe one. */
  readonly signature: string | null;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly result: 'passed' | 'refused' | 'throttled' | 'failed';
  readonly status: number | null;
  readonly at: number;
}

export interface Comparisons {
  readonly recent: Seen[];
}

const KEEP = 400;
const WINDOW_MS = 60_000;

export function remember(comparisons: Comparisons, seen: Seen): void {
  comparisons.recent.push(seen);
  if (comparisons.recent.length > KEEP) comparisons.recent.splice(0, KEEP / 4);
}

/** Keys other than `seen.key` with the given result in the very same call, moments ago. */
export function inSameCall(comparisons: Comparisons, seen: Seen, result: Seen['result']): string[] {
  const keys = comparisons.recent
    .filter((other) => other.call === seen.call && other.result === result && other.key !== seen.key)
    .map((other) => other.key);
  return [...new Set(keys.filter((key) => key !== null))];
}

/** Keys other than `seen.key` with the given result on the same safe request, in any call of the last minute. */
export function onSameRequest(comparisons: Comparisons, seen: Seen, result: Seen['result']): string[] {
  if (seen.signature === null) return [];
  const keys = comparisons.recent
    .filter((other) => alike(other, seen) && other.result === result && other.key !== seen.key)
    .map((other) => other.key);
  return [...new Set(keys.filter((key) => key !== null))];
}

/**
 * Other endpoints where the same request failed too, with no success of it anywhere within the last minute: then the
 * product itself gives that answer.
 */
export function failingAlikeElsewhere(comparisons: Comparisons, seen: Seen): string[] {
  const same = comparisons.recent.filter(
    (other) => sameRequest(other, seen) && seen.at - other.at <= WINDOW_MS,
  );
  if (same.some((other) => other.result === 'passed')) return [];
  const endpoints = same.filter((other) => other.result === 'failed' && other.endpoint !== seen.endpoint);
  return [...new Set(endpoints.map((other) => other.endpoint).filter((endpoint) => endpoint !== null))];
}

function sameRequest(other: Seen, seen: Seen): boolean {
  return other.call === seen.call || (seen.signature !== null && other.signature === seen.signature);
}

function alike(other: Seen, seen: Seen): boolean {
  return other.signature === seen.signature && seen.at - other.at <= WINDOW_MS;
}
