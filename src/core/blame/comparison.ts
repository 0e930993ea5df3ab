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

/** Results of the last calls, by call and by request; the oldest are dropped. */
export interface Comparisons {
  readonly byCall: Map<string, Seen[]>;
  readonly byRequest: Map<string, Seen[]>;
}

const KEEP_CALLS = 200;
const KEEP_REQUESTS = 500;
const KEEP_RESULTS = 24;
const WINDOW_MS = 60_000;

export function newComparisons(): Comparisons {
  return { byCall: new Map(), byRequest: new Map() };
}

export function remember(comparisons: Comparisons, seen: Seen): void {
  // A call ends with its success, so nothing comes after that could be compared with it.
  if (seen.result !== 'passed') add(comparisons.byCall, seen.call, seen, KEEP_CALLS);
  if (seen.signature !== null) add(comparisons.byRequest, seen.signature, seen, KEEP_REQUESTS);
}

/** Keys other than `seen.key` with the given result in the very same call, moments ago. */
export function inSameCall(comparisons: Comparisons, seen: Seen, result: Seen['result']): string[] {
  return otherKeys(comparisons.byCall.get(seen.call), seen, result);
}

/** Keys other than `seen.key` with the given result on the same safe request, in any call of the last minute. */
export function onSameRequest(comparisons: Comparisons, seen: Seen, result: Seen['result']): string[] {
  return seen.signature === null ? [] : otherKeys(comparisons.byRequest.get(seen.signature), seen, result);
}

/** That safe request had this result at all within the last minute. */
export function everOnRequest(comparisons: Comparisons, seen: Seen, result: Seen['result']): boolean {
  return sameRequest(comparisons, seen).some((other) => other.result === result);
}

/**
 * Keys that were refused on that safe request at that endpoint within the last minute, where none passed it there and
 * another endpoint took it.
 */
export function refusedOnlyHere(comparisons: Comparisons, seen: Seen): string[] {
  const same = sameRequest(comparisons, seen);
  const passed = same.filter((other) => other.result === 'passed');
  if (passed.length === 0 || passed.some((other) => other.endpoint === seen.endpoint)) return [];
  const refused = same.filter((other) => other.result === 'refused' && other.endpoint === seen.endpoint);
  return distinct(refused.map((other) => other.key));
}

/** That key was refused with this status. */
export function wasRefusedWith(comparisons: Comparisons, key: string, status: number): boolean {
  for (const results of comparisons.byCall.values()) {
    if (results.some((seen) => seen.key === key && seen.result === 'refused' && seen.status === status))
      return true;
  }
  return false;
}

/**
 * Other endpoints where the same request failed too, with no success of it anywhere within the last minute: then the
 * product itself gives that answer.
 */
export function failingAlikeElsewhere(comparisons: Comparisons, seen: Seen): string[] {
  const same = sameRequest(comparisons, seen);
  if (same.some((other) => other.result === 'passed')) return [];
  const failed = same.filter((other) => other.result === 'failed' && other.endpoint !== seen.endpoint);
  return distinct(failed.map((other) => other.endpoint));
}

function sameRequest(comparisons: Comparisons, seen: Seen): Seen[] {
  const onRequest = seen.signature === null ? [] : (comparisons.byRequest.get(seen.signature) ?? []);
  const inCall = comparisons.byCall.get(seen.call) ?? [];
  return [...onRequest, ...inCall].filter((other) => seen.at - other.at <= WINDOW_MS);
}

function otherKeys(results: readonly Seen[] | undefined, seen: Seen, result: Seen['result']): string[] {
  if (!results) return [];
  const others = results.filter(
    (other) => other.result === result && other.key !== seen.key && seen.at - other.at <= WINDOW_MS,
  );
  return distinct(others.map((other) => other.key));
}

function distinct(ids: readonly (string | null)[]): string[] {
  return [...new Set(ids.filter((id) => id !== null))];
}

function add(results: Map<string, Seen[]>, name: string, seen: Seen, keep: number): void {
  const known = results.get(name);
  if (known) {
    if (known.push(seen) > KEEP_RESULTS) known.shift();
    return;
  }
  results.set(name, [seen]);
  if (results.size <= keep) return;
  for (const oldest of results.keys()) {
    results.delete(oldest);
    break;
  }
}
