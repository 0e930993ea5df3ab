/** What probes know of one endpoint or key. */
export interface ProbeState {
  /** The probe under way that is about it; null: none. */
  probe: string | null;
  /** When a probe was last sent for it. */
  probedAt: number;
  /** When it last worked, or a probe last told what it could; 0: not in this broker's life. */
  checkedAt: number;
  /** When it went out last. */
  unavailableSince: number;
  /** Of a quarantined key: when it is to be looked at again. */
  recheckAt: number;
  /** Probes since it went out that did not bring it back. */
  fruitless: number;
  /** A probe has seen the fault that removed the member. Only then does a passed probe prove that the fault is over. */
  sawFault: boolean;
  /** A probe that cannot see the fault passed: the first request of the next lease decides. */
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

export function newProbeState(): ProbeState {
  return {
    probe: null,
    probedAt: 0,
    checkedAt: 0,
    unavailableSince: 0,
    recheckAt: 0,
    fruitless: 0,
    sawFault: false,
    cleared: false,
    failing: false,
    passed: null,
    refused: new Map(),
  };
}

/** It went out: what is known of an earlier fault says nothing about this one. */
export function markUnavailable(probeState: ProbeState, now: number, recheckAfterMs: number = 0): void {
  Object.assign(probeState, {
    unavailableSince: now,
    recheckAt: now + recheckAfterMs,
    fruitless: 0,
    sawFault: false,
    cleared: false,
  });
}

/** It worked. */
export function markWorking(probeState: ProbeState, now: number): void {
  probeState.checkedAt = now;
  probeState.failing = false;
}

/** When an ejected endpoint is probed next. */
export function nextProbeAt({ probedAt, unavailableSince, fruitless }: ProbeState): number {
  return (
    Math.max(probedAt, unavailableSince) + Math.min(SLOWEST_MS, FIRST_MS * GROWTH ** Math.min(fruitless, 30))
  );
}

export function nextTrialProbeAt({ probedAt, fruitless }: ProbeState): number {
  return fruitless === 0 ? 0 : probedAt + TRIAL_GAP_MS;
}

export function nextSuspectProbeAt({ probedAt }: ProbeState): number {
  return probedAt === 0 ? 0 : probedAt + SUSPECT_GAP_MS;
}

/** A quarantined key was looked at in vain. */
export function postponeRecheck(probeState: ProbeState, now: number): void {
  probeState.recheckAt =
    now + Math.min(RAREST_RECHECK_MS, RECHECK_MS * 2 ** Math.min(probeState.fruitless, 10));
  probeState.fruitless++;
}

/** A run starts: somebody may have put a key right since the last one. */
export function recheckSoon(probeState: ProbeState, now: number): void {
  if (now - Math.max(probeState.probedAt, probeState.unavailableSince) >= RUN_START_GAP_MS)
    probeState.recheckAt = now;
}
