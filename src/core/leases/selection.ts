import { isOut, untilOf, whyOf } from '../health/states.ts';
import { laneOf } from '../pace/model-limits.ts';
import { awaitsProbe, isLookedAt, isUnchecked } from '../health/probing.ts';
import { fits, type Place, type Roster, rosterOf, works } from '../resolved-pool.ts';
import { type Context, isSuspect, type PoolState, type Subject } from '../state.ts';
import type { EndpointSpec, KeySpec, Need, PoolSpec, Rotation, Routing } from '../types.ts';

/** What a lease hands out: an endpoint and a key, or one alone. */
export interface Member {
  readonly endpoint: Subject | null;
  readonly key: Subject | null;
}

export interface Wanted {
  readonly spec: PoolSpec;
  readonly need: Need;
  readonly exclude: ReadonlySet<string>;
  readonly prefer: ReadonlySet<string>;
  readonly avoid: ReadonlySet<string>;
  /** Until when it can wait. */
  readonly deadline: number;
}

/** Why a subject cannot be had now. */
export interface Refusal {
  readonly name: string;
  readonly why: string;
  /** A fault put it out; the configuration or a person keeps it out; or others have it for the time being. */
  readonly cause: 'fault' | 'off' | 'busy';
}

/** What stands between a lease and a subject. */
type Obstacle =
  | 'disabled'
  | 'drained'
  | 'excluded'
  | 'out'
  | 'model cooling'
  | 'on trial'
  | 'unchecked'
  | 'held'
  | 'held elsewhere'
  | 'avoided'
  | 'suspect';

/** The best free member, or null. */
export function pickMember(pool: PoolState, wanted: Wanted, context: Context): Member | null {
  const roster = rosterOf(pool, wanted.spec, context);
  const { routing, rotation } = wanted.spec;
  const keys = trustedFirst(
    freeOnes(pool, fittingKeys(roster, wanted), wanted, context.now),
    roster,
    wanted,
    context.now,
  );
  if (roster.endpoints.length === 0) return alone(null, best(rotation, keys, wanted, context));
  let endpoints = freeOnes(pool, roster.endpoints, wanted, context.now);
  if (roster.keys.length === 0) return alone(best(routing, endpoints, wanted, context), null);
  while (endpoints.length > 0 && keys.length > 0) {
    const endpoint = best(routing, endpoints, wanted, context)!;
    const there = roster.bound ? keys.filter(({ spec }) => works(spec, endpoint.spec.name)) : keys;
    const key = best(rotation, there, wanted, context);
    if (key) return { endpoint: endpoint.subject, key: key.subject };
    endpoints = endpoints.filter((other) => other !== endpoint);
  }
  return null;
}

/** Each subject that cannot be had now, and why. */
export function refusals(pool: PoolState, wanted: Wanted, context: Context): Refusal[] {
  const { now } = context;
  const roster = rosterOf(pool, wanted.spec, context);
  if (roster.endpoints.length + roster.keys.length === 0)
    return [{ name: wanted.spec.name, why: 'the configuration in force has no such pool', cause: 'off' }];
  const trusted = trustedFits(roster, wanted, now);
  return fittingPlaces(roster, wanted).flatMap((place) => {
    const heldBack = trusted && isSuspectKey(place) ? 'suspect' : null;
    const obstacle = obstacleOf(pool, place, wanted, now) ?? heldBack;
    if (!obstacle) return [];
    const why = describe(pool, place, obstacle);
    return [{ name: place.spec.name, why, cause: causeOf(place, obstacle) }];
  });
}

/** A probe under way may tell of a member in a moment that this lease can have. */
export function mayKnowSoon(pool: PoolState, wanted: Wanted, context: Context): boolean {
  if (pool.probes.size === 0) return false;
  return fittingPlaces(rosterOf(pool, wanted.spec, context), wanted).some((place) => {
    const obstacle = obstacleOf(pool, place, wanted, context.now);
    return (
      obstacle === 'unchecked' || (isLookedAt(place.subject) && (obstacle !== null || isSuspectKey(place)))
    );
  });
}

function fittingPlaces(roster: Roster, wanted: Wanted): readonly Place[] {
  return [...roster.endpoints, ...fittingKeys(roster, wanted)];
}

/**
 * The earliest time at which a member could be free, of those whose parts `counts`: null at any time, Infinity never by
 * waiting.
 */
export function freeFrom(
  pool: PoolState,
  wanted: Wanted,
  context: Context,
  counts: (place: Place) => boolean = () => true,
): number | null {
  const earliest = earliestPair(rosterOf(pool, wanted.spec, context), wanted, context.now, counts);
  return earliest <= context.now ? null : earliest;
}

function earliestPair(
  roster: Roster,
  wanted: Wanted,
  now: number,
  counts: (place: Place) => boolean,
): number {
  const freeAt = (place: Place): number => (counts(place) ? freeTime(place, wanted, now) : Infinity);
  const fitting = fittingKeys(roster, wanted);
  if (roster.endpoints.length === 0) return Math.min(...fitting.map(freeAt), Infinity);
  if (roster.keys.length === 0) return Math.min(...roster.endpoints.map(freeAt), Infinity);
  let earliest = Infinity;
  for (const endpoint of roster.endpoints) {
    const there = freeAt(endpoint);
    for (const key of fitting) {
      if (there < earliest && works(key.spec, endpoint.spec.name))
        earliest = Math.min(earliest, Math.max(there, freeAt(key)));
    }
  }
  return earliest;
}

/** Works without waiting for others: proven, healthy and not paced. */
export function goesFreely(roster: Roster, member: Member, need: Need): boolean {
  return isPlain(roster, member.endpoint, need) && isPlain(roster, member.key, need);
}

function isPlain(roster: Roster, subject: Subject | null, need: Need): boolean {
  if (subject === null) return true;
  if (!subject.proven) return false;
  const { learned, coolUntil } = laneOf(subject, need);
  if (learned || coolUntil > 0) return false;
  return (
    subject.proven && subject.health.state === 'healthy' && roster.of.get(subject)?.spec.rpm === undefined
  );
}

function alone(endpoint: Place | null, key: Place | null): Member | null {
  return endpoint || key ? { endpoint: endpoint?.subject ?? null, key: key?.subject ?? null } : null;
}

function fittingKeys(roster: Roster, wanted: Wanted): readonly Place<KeySpec>[] {
  for (const _ in wanted.need) return roster.keys.filter(({ spec }) => fits(spec, wanted.need));
  return roster.keys;
}

function freeOnes<S extends EndpointSpec | KeySpec>(
  pool: PoolState,
  places: readonly Place<S>[],
  wanted: Wanted,
  now: number,
): Place<S>[] {
  return places.filter((place) => obstacleOf(pool, place, wanted, now) === null);
}

/** Suspects are for those only that can have nothing else in their time. */
function trustedFirst(keys: Place<KeySpec>[], roster: Roster, wanted: Wanted, now: number): Place<KeySpec>[] {
  if (!keys.some(isSuspectKey) || !trustedFits(roster, wanted, now)) return keys;
  return keys.filter((key) => !isSuspectKey(key));
}

function trustedFits(roster: Roster, wanted: Wanted, now: number): boolean {
  return earliestPair(roster, wanted, now, (place) => !isSuspectKey(place)) <= wanted.deadline;
}

function isSuspectKey({ subject }: Place): boolean {
  return subject.kind === 'key' && isSuspect(subject);
}

function obstacleOf(pool: PoolState, place: Place, wanted: Wanted, now: number): Obstacle | null {
  const { spec, subject } = place;
  if (!spec.enabled) return 'disabled';
  if (spec.weight === 0) return 'drained';
  if (wanted.exclude.size > 0 && wanted.exclude.has(subject.id)) return 'excluded';
  const { health } = subject;
  if (health.state !== 'healthy') {
    if (isOut(health.state)) return 'out';
    if (health.state === 'half-open' && (health.probe !== null || awaitsProbe(pool, place)))
      return 'on trial';
  } else if (isUnchecked(pool, place, now)) return 'unchecked';
  if (coolsForModel(subject, wanted) > now) return 'model cooling';
  if (spec.maxConcurrent !== undefined && subject.inUse >= spec.maxConcurrent) return 'held';
  if (subject.elsewhereUntil > now) return 'held elsewhere';
  return wanted.avoid.size > 0 && wanted.avoid.has(subject.id) ? 'avoided' : null;
}

/** Until when the wanted model rests at this key; 0 where it does not. */
function coolsForModel(subject: Subject, { need }: Wanted): number {
  return need['model'] === undefined ? 0 : laneOf(subject, need).coolUntil;
}

/** 0: free now or at any time; Infinity: by no wait. */
function freeTime({ spec, subject }: Place, wanted: Wanted, now: number): number {
  if (!spec.enabled || spec.weight === 0 || wanted.exclude.has(subject.id)) return Infinity;
  const { health } = subject;
  const back = isOut(health.state) && !isLookedAt(subject) ? (untilOf(health) ?? Infinity) : 0;
  const rested = Math.max(back, coolsForModel(subject, wanted));
  return rested > now ? rested : 0;
}

/** The preferred, else one on trial, else the rotation's choice. */
function best<S extends EndpointSpec | KeySpec>(
  how: Rotation | Routing,
  places: readonly Place<S>[],
  wanted: Wanted,
  context: Context,
): Place<S> | null {
  const preferred =
    wanted.prefer.size > 0 ? places.find(({ subject }) => wanted.prefer.has(subject.id)) : undefined;
  if (preferred) return preferred;
  const onTrial = places.find(({ subject }) => subject.health.state === 'half-open');
  return onTrial ?? context.choose(how, places, context.now, context.random, wanted.exclude.size > 0 ? 2 : 1);
}

function describe(pool: PoolState, { subject }: Place, obstacle: Obstacle): string {
  switch (obstacle) {
    case 'disabled':
      return 'disabled in the configuration';
    case 'drained':
      return 'drained (weight 0)';
    case 'excluded':
      return 'this call just failed on it';
    case 'model cooling':
      return 'throttled for this model (429)';
    case 'on trial':
      return 'on trial';
    case 'unchecked':
      return 'not checked yet: its probe is under way';
    case 'avoided':
      return 'this test failed on it before';
    case 'suspect':
      return 'was refused and has not worked yet; others go first';
    case 'held elsewhere':
      return 'held on another machine';
    case 'held':
      return `held by ${holders(pool, subject)}`;
    case 'out': {
      const until = untilOf(subject.health);
      const end = until === null ? '' : ` until ${new Date(until).toISOString()}`;
      return `${subject.health.state}${end}: ${whyOf(subject.health)}`;
    }
  }
}

function causeOf({ subject }: Place, obstacle: Obstacle): Refusal['cause'] {
  if (obstacle === 'disabled' || obstacle === 'drained') return 'off';
  if (obstacle === 'out') return subject.health.state === 'disabled' ? 'off' : 'fault';
  return obstacle === 'model cooling' ? 'fault' : 'busy';
}

function holders(pool: PoolState, subject: Subject): string {
  const titles = [...pool.leases.values()]
    .filter((lease) => lease.endpoint === subject || lease.key === subject)
    .map((lease) => `"${lease.holder}"`);
  return titles.length > 3
    ? `${titles.slice(0, 3).join(', ')} and ${titles.length - 3} more`
    : titles.join(', ');
}
