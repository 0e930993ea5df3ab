/**
 * What the same call came to with other members. A refusal says little by itself, since tests send wrong requests on
 * purpose; the same call passing with another key, or failing alike at every endpoint, says who is to blame.
 */
export interface RecentOutcome {
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
export interface RecentOutcomes {
  readonly byCall: Map<string, RecentOutcome[]>;
  readonly byRequest: Map<string, RecentOutcome[]>;
}

const KEEP_CALLS = 200;
const KEEP_REQUESTS = 500;
const KEEP_RESULTS = 24;
const WINDOW_MS = 60_000;

export function newRecentOutcomes(): RecentOutcomes {
  return { byCall: new Map(), byRequest: new Map() };
}

export function rememberOutcome(recentOutcomes: RecentOutcomes, recent: RecentOutcome): void {
  // A call ends with its success, so nothing comes after that could be compared with it.
  if (recent.result !== 'passed') add(recentOutcomes.byCall, recent.call, recent, KEEP_CALLS);
  if (recent.signature !== null) add(recentOutcomes.byRequest, recent.signature, recent, KEEP_REQUESTS);
}

/** Keys other than `seen.key` with the given result in the very same call, moments ago. */
export function inSameCall(
  recentOutcomes: RecentOutcomes,
  recent: RecentOutcome,
  result: RecentOutcome['result'],
): string[] {
  return otherKeys(recentOutcomes.byCall.get(recent.call), recent, result);
}

/** Keys other than `seen.key` with the given result on the same safe request, in any call of the last minute. */
export function onSameRequest(
  recentOutcomes: RecentOutcomes,
  recent: RecentOutcome,
  result: RecentOutcome['result'],
): string[] {
  return recent.signature === null
    ? []
    : otherKeys(recentOutcomes.byRequest.get(recent.signature), recent, result);
}

/** That safe request had this result at all within the last minute. */
export function everOnRequest(
  recentOutcomes: RecentOutcomes,
  recent: RecentOutcome,
  result: RecentOutcome['result'],
): boolean {
  return sameRequest(recentOutcomes, recent).some((other) => other.result === result);
}

/**
 * Keys that were refused on that safe request at that endpoint within the last minute, where none passed it there and
 * another endpoint took it.
 */
export function refusedOnlyHere(recentOutcomes: RecentOutcomes, recent: RecentOutcome): string[] {
  const same = sameRequest(recentOutcomes, recent);
  const passed = same.filter((other) => other.result === 'passed');
  if (passed.length === 0 || passed.some((other) => other.endpoint === recent.endpoint)) return [];
  const refused = same.filter((other) => other.result === 'refused' && other.endpoint === recent.endpoint);
  return distinct(refused.map((other) => other.key));
}

/** That key was refused with this status. */
export function wasRefusedWith(recentOutcomes: RecentOutcomes, key: string, status: number): boolean {
  for (const results of recentOutcomes.byCall.values()) {
    if (
      results.some((recent) => recent.key === key && recent.result === 'refused' && recent.status === status)
    )
      return true;
  }
  return false;
}

/**
 * Other endpoints where the same request failed too, with no success of it anywhere within the last minute: then the
 * product itself gives that answer.
 */
export function failingAlikeElsewhere(recentOutcomes: RecentOutcomes, recent: RecentOutcome): string[] {
  const same = sameRequest(recentOutcomes, recent);
  if (same.some((other) => other.result === 'passed')) return [];
  const failed = same.filter((other) => other.result === 'failed' && other.endpoint !== recent.endpoint);
  return distinct(failed.map((other) => other.endpoint));
}

function sameRequest(recentOutcomes: RecentOutcomes, recent: RecentOutcome): RecentOutcome[] {
  const onRequest = recent.signature === null ? [] : (recentOutcomes.byRequest.get(recent.signature) ?? []);
  const inCall = recentOutcomes.byCall.get(recent.call) ?? [];
  return [...onRequest, ...inCall].filter((other) => recent.at - other.at <= WINDOW_MS);
}

function otherKeys(
  results: readonly RecentOutcome[] | undefined,
  recent: RecentOutcome,
  result: RecentOutcome['result'],
): string[] {
  if (!results) return [];
  const others = results.filter(
    (other) => other.result === result && other.key !== recent.key && recent.at - other.at <= WINDOW_MS,
  );
  return distinct(others.map((other) => other.key));
}

function distinct(ids: readonly (string | null)[]): string[] {
  return [...new Set(ids.filter((id) => id !== null))];
}

function add(results: Map<string, RecentOutcome[]>, name: string, recent: RecentOutcome, keep: number): void {
  const known = results.get(name);
  if (known) {
    if (known.push(recent) > KEEP_RESULTS) known.shift();
    return;
  }
  results.set(name, [recent]);
  if (results.size <= keep) return;
  for (const oldest of results.keys()) {
    results.delete(oldest);
    break;
  }
}
