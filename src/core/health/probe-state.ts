/** What probes know of one endpoint or key. */
export interface Checks {
  /** The probe under way that is about it; null: none. */
  probe: string | null;
  /** When a probe was last sent for it. */
  probedAt: number;
  /** When it last worked, or a probe last told what it could; 0: not in this broker's life. */
  checkedAt: number;
  /** When it went out last. */
  outAt: number;
  /** Of a quarantined key: when it is to be looked at again. */
  recheckAt: number;
  /** Probes since it went out that did not bring it back. */
  inVain: number;
  /** A probe met the fault that it is out for. Only then a probe that goes well proves that the fault is over. */
  sawFault: boolean;
  /** A probe that cannot see the fault went well: the next lease's attempt decides. */
  cleared: boolean;
  /** Of an endpoint: its last probe failed. */
  failing: boolean;
  /** Of an endpoint: the key that last passed a probe there, and the keys that probes there were refused with. */
  passed: { readonly key: string; readonly at: number } | null;
  readonly refused: Map<string, number>;
}

/** An endpoint that worked this recently needs no probe before it is leased. */
export const FRESH_MS = 60_000;
/** The first probe of an endpoint that went out comes after this, each further one a quarter later, up to a limit. */
const FIRST_MS = 500;
const GROWTH = 1.25;
const SLOWEST_MS = 5_000;
/** A trial that was to begin could not: it is tried again after this. */
const TRIAL_GAP_MS = 250;
/** Quarantined keys are looked at this often, and ever more rarely. */
export const RECHECK_MS = 600_000;
const RAREST_RECHECK_MS = 7_200_000;
/** A run that starts looks at quarantined keys anew, but for those that were looked at this recently. */
const RUN_START_GAP_MS = 60_000;
/** How often a key under suspicion is probed. */
const SUSPECT_GAP_MS = 10_000;

export function newChecks(): Checks {
  return {
    probe: null,
    probedAt: 0,
    checkedAt: 0,
    outAt: 0,
    recheckAt: 0,
    inVain: 0,
    sawFault: false,
    cleared: false,
    failing: false,
    passed: null,
    refused: new Map(),
  };
}

/** It went out: what is known of an earlier fault says nothing about this one. */
export function wentOut(checks: Checks, now: number): void {
  Object.assign(checks, { outAt: now, recheckAt: now, inVain: 0, sawFault: false, cleared: false });
}

/** It worked. */
export function worked(checks: Checks, now: number): void {
  checks.checkedAt = now;
  checks.failing = false;
}

/** When an ejected endpoint is probed next. */
export function nextLookAt({ probedAt, outAt, inVain }: Checks): number {
  return Math.max(probedAt, outAt) + Math.min(SLOWEST_MS, FIRST_MS * GROWTH ** Math.min(inVain, 30));
}

export function nextTrialAt({ probedAt, inVain }: Checks): number {
  return inVain === 0 ? 0 : probedAt + TRIAL_GAP_MS;
}

export function nextSuspicionAt({ probedAt }: Checks): number {
  return probedAt === 0 ? 0 : probedAt + SUSPECT_GAP_MS;
}

/** A quarantined key was looked at in vain. */
export function postponeRecheck(checks: Checks, now: number): void {
  checks.recheckAt = now + Math.min(RAREST_RECHECK_MS, RECHECK_MS * 2 ** Math.min(checks.inVain, 10));
  checks.inVain++;
}

/** A run starts: somebody may have put a key right since the last one. */
export function recheckSoon(checks: Checks, now: number): void {
  if (now - Math.max(checks.probedAt, checks.outAt) >= RUN_START_GAP_MS) checks.recheckAt = now;
}
