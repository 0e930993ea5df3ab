/** One key that was blamed at one endpoint. */
interface KeyFailure {
  readonly key: string;
  readonly what: FailureKind;
  readonly at: number;
}

type FailureKind = 'refused' | 'throttled';

/** Keys that were blamed lately, by endpoint: many of them alike say that it is the endpoint. */
export type CorrelatedFailures = Map<string, KeyFailure[]>;

const WINDOW_MS = 30_000;
/** Two keys may be revoked at once; three in a row within moments are unlikely to be coincidence. */
const FEWEST = 3;

/** Notes a blame; returns the keys that were blamed alike at that endpoint within the last moments. */
export function noteKeyFailure(
  correlated: CorrelatedFailures,
  endpoint: string,
  key: string,
  what: FailureKind,
  now: number,
): string[] {
  const kept = (correlated.get(endpoint) ?? []).filter(
    (known) => known.what === what && known.key !== key && now - known.at <= WINDOW_MS,
  );
  const all = [...kept, { key, what, at: now }];
  correlated.set(endpoint, all);
  return all.map((known) => known.key);
}

/** A key was accepted there: what other keys get is their own. */
export function clearKeyFailures(correlated: CorrelatedFailures, endpoint: string): void {
  correlated.delete(endpoint);
}

/**
 * Refused keys: two thirds of those that work there, as several may really be revoked. Throttled ones must be all of
 * them, since keys that are used in turn reach limits of their own at about the same time.
 */
export function isWidespread(failed: number, usable: number, what: FailureKind): boolean {
  return failed >= Math.max(FEWEST, what === 'refused' ? Math.ceil((usable * 2) / 3) : usable);
}
