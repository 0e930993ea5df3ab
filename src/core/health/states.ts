import type { HealthState } from '../types.ts';

/** Health as a state machine; data that only one state has lives only there. */
export type Health = OwnHealth | Reserved;

/** A person has it until then. `own`: its health apart from that, which counts again afterwards. */
interface Reserved {
  readonly state: 'reserved';
  readonly until: number;
  readonly why: string;
  readonly own: OwnHealth;
}

type OwnHealth =
  | { readonly state: 'healthy' }
  | { readonly state: 'cooling' | 'ejected' | 'exhausted'; readonly until: number; readonly why: string }
  /** Back on trial: `probe` is the lease whose next attempt decides. */
  | { readonly state: 'half-open'; readonly why: string; readonly probe: string | null }
  | { readonly state: 'quarantined' | 'disabled'; readonly why: string };

export type HealthEvent =
  | { readonly type: 'success' }
  /** `isSeenByProbes`: a probe would meet this fault, so that one that passes proves that it is over. */
  | { readonly type: 'fault'; readonly why: string; readonly isSeenByProbes?: boolean }
  | { readonly type: 'cool'; readonly until: number; readonly why: string }
  | { readonly type: 'exhaust'; readonly until: number; readonly why: string }
  | { readonly type: 'quarantine'; readonly why: string; readonly recheckAfterMs?: number }
  | { readonly type: 'disable'; readonly why: string }
  /** A person takes it; once more: until another time. */
  | { readonly type: 'reserve'; readonly until: number; readonly why: string }
  /** That person gives it back. */
  | { readonly type: 'end-reservation'; readonly why: string }
  | { readonly type: 'reset'; readonly why?: string }
  /** A probe proved that what it is out for is over. */
  | { readonly type: 'recover'; readonly why: string }
  /** Another machine says so. */
  | { readonly type: 'adopt'; readonly health: Health }
  | { readonly type: 'tick' };

export interface EjectionPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Healthy time after which one past ejection is forgotten, in multiples of the base. */
const FORGIVE_AFTER = 4;

export const HEALTHY: OwnHealth = { state: 'healthy' };

/** A reservation ended by time. */
export const RESERVATION_OVER = 'its reservation is over';

/** States that a probe can end: it sees no quota, and a pause that a server asked for is kept. */
const RECOVERABLE: ReadonlySet<HealthState> = new Set(['ejected', 'half-open', 'quarantined']);

/**
 * The one place where health changes. A `fault` is one that was judged enough for an ejection; `ejections` counts the
 * ones before it that are not yet forgiven. Time alone ends a cooldown, and turns an ejection or an exhausted quota
 * into a trial; a quarantine ends by `recover` or `reset` (or an edit), a disablement by `reset` alone. While it is
 * reserved all this happens to its own health.
 */
export function nextHealth(
  health: Health,
  event: HealthEvent,
  now: number,
  ejections: number,
  policy: EjectionPolicy,
): Health {
  const { type } = event;
  if (type === 'disable') return { state: 'disabled', why: event.why };
  if (type === 'adopt') return adopted(health, event.health);
  if (type === 'reserve') return reserved(health, event);
  if (health.state !== 'reserved') return nextOwnHealth(health, event, now, ejections, policy);
  const isOver = type === 'end-reservation' || (type === 'tick' && health.until <= now);
  const own = nextOwnHealth(health.own, isOver ? { type: 'tick' } : event, now, ejections, policy);
  if (isOver) return own;
  return own === health.own ? health : { ...health, own };
}

function nextOwnHealth(
  health: OwnHealth,
  event: Exclude<HealthEvent, { type: 'adopt' | 'disable' | 'reserve' }>,
  now: number,
  ejections: number,
  policy: EjectionPolicy,
): OwnHealth {
  switch (event.type) {
    case 'end-reservation':
      return health;
    case 'reset':
      return HEALTHY;
    case 'tick':
      return afterTime(health, now);
  }
  if (event.type === 'recover') return RECOVERABLE.has(health.state) ? HEALTHY : health;
  if (health.state === 'disabled' || health.state === 'quarantined') return health;
  switch (event.type) {
    case 'quarantine':
      return { state: 'quarantined', why: event.why };
    case 'success':
      return health.state === 'half-open' ? HEALTHY : health;
    case 'fault':
      if (health.state === 'ejected') return health;
      return { state: 'ejected', until: now + ejectionTime(ejections, policy), why: event.why };
    case 'exhaust':
      return later(health, { state: 'exhausted', until: event.until, why: event.why });
    case 'cool':
      if (health.state === 'ejected' || health.state === 'exhausted') return health;
      return later(health, { state: 'cooling', until: event.until, why: event.why });
  }
}

/** What a person disabled is for nobody. */
function reserved(health: Health, { until, why }: Pick<Reserved, 'until' | 'why'>): Health {
  if (health.state === 'disabled') return health;
  const own = ownHealth(health);
  // Its trial may end while nobody looks.
  return {
    state: 'reserved',
    until,
    why,
    own: own.state === 'half-open' ? { ...own, probe: null } : own,
  };
}

function adopted(present: Health, health: Health): Health {
  return health.state === 'reserved' ? reserved(present, health) : health;
}

/** Base × 2ⁿ, capped: the longer it has been out, the more rarely it is tried. */
function ejectionTime(ejections: number, policy: EjectionPolicy): number {
  return Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(ejections, 30));
}

/** Past ejections that still count: one is forgiven for each stretch of healthy time (Envoy decays likewise). */
export function remainingEjections(ejections: number, healthyForMs: number, policy: EjectionPolicy): number {
  // Where a reset cut the latest one short, its end is still to come.
  const forgiven = Math.floor(Math.max(0, healthyForMs) / (FORGIVE_AFTER * Math.max(1, policy.baseMs)));
  return Math.max(0, ejections - forgiven);
}

/** Its health apart from a reservation. */
export function ownHealth(health: Health): OwnHealth {
  return health.state === 'reserved' ? health.own : health;
}

/** A health out of its parts, as records and stores keep it. `own`: what it was beside a reservation. */
export function healthOf(
  state: HealthState,
  until: number | null,
  why: string,
  own: Health = HEALTHY,
): Health {
  switch (state) {
    case 'healthy':
    case 'dirty':
      return HEALTHY;
    case 'half-open':
      return { state, why, probe: null };
    case 'quarantined':
    case 'disabled':
      return { state, why };
    case 'cooling':
    case 'ejected':
    case 'exhausted':
      return { state, why, until: until ?? 0 };
    case 'reserved':
      return { state, why, until: until ?? 0, own: ownHealth(own) };
  }
}

/** As it is shown: an account that is in service and waits to be reset is dirty. */
export function shownState({ health, dirty }: { health: Health; dirty: object | null }): HealthState {
  return health.state === 'healthy' && dirty ? 'dirty' : health.state;
}

export function untilOf(health: Health): number | null {
  return 'until' in health ? health.until : null;
}

export function whyOf(health: Health): string {
  return 'why' in health ? health.why : '';
}

export function isUnavailable(state: HealthState): boolean {
  return state !== 'healthy' && state !== 'half-open' && state !== 'dirty';
}

function afterTime(health: OwnHealth, now: number): OwnHealth {
  if (!('until' in health) || health.until > now) return health;
  if (health.state === 'cooling') return HEALTHY;
  return { state: 'half-open', why: `on trial after: ${health.why}`, probe: null };
}

/** The later deadline wins: a short pause never cuts a longer one. */
function later(present: OwnHealth, next: OwnHealth & { until: number }): OwnHealth {
  return 'until' in present && present.until >= next.until ? present : next;
}
