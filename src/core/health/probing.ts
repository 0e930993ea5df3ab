import { FRESH_MS, nextLookAt, nextSuspicionAt, nextTrialAt } from './probe-state.ts';
import type { Effect } from '../effects.ts';
import { type Place, type Roster, rosterOf, works } from '../resolved-pool.ts';
import { type Context, isSuspect, type PoolState, type Probe, type Subject } from '../state.ts';
import type { EndpointSpec, KeySpec, PoolSpec } from '../types.ts';

/** So many probes of a pool are under way at most. */
const MOST_AT_ONCE = 8;
/** What a link may take beyond the time of an attempt, until another one is asked. */
const SLACK_MS = 1_000;

type EndpointPlace = Place<EndpointSpec>;
type KeyPlace = Place<KeySpec>;

/** Starts the probes that are due: of members about to return, of those that a lease waits for, of suspects. */
export function startProbes(pool: PoolState, context: Context): Effect[] {
  if (pool.prober === null) return [];
  const roster = rosterOf(pool, pool.prober, context);
  if (!roster.probed) return [];
  const { now } = context;
  const effects: Effect[] = [];
  const start = (endpoint: EndpointPlace, key: KeyPlace | null, about: Subject): void => {
    if (pool.probes.size < MOST_AT_ONCE) effects.push(startProbe(pool, endpoint, key, about, now));
  };
  for (const endpoint of roster.endpoints) {
    if (dueAt(pool, endpoint) > now) continue;
    start(endpoint, keyFor(pool, roster, endpoint, now), endpoint.subject);
  }
  for (const key of roster.keys) {
    if (keyDueAt(pool, key) > now) continue;
    const endpoint = endpointFor(roster, key);
    if (endpoint) start(endpoint, key, key.subject);
  }
  for (const endpoint of roster.endpoints) {
    const other = comparable(roster, endpoint, now);
    if (other) start(endpoint, other, other.subject);
  }
  return effects;
}

/** When `startProbes` has something to do next by time alone, ms since the epoch. */
export function nextProbe(pool: PoolState, now: number): number {
  let next = Infinity;
  for (const { deadline } of pool.probes.values()) next = Math.min(next, deadline);
  const roster = pool.prober && pool.rosters.get(pool.prober);
  if (!roster?.probed) return next;
  const consider = (at: number): void => {
    if (at > now) next = Math.min(next, at);
  };
  for (const endpoint of roster.endpoints) consider(dueAt(pool, endpoint));
  for (const key of roster.keys) consider(keyDueAt(pool, key));
  return next;
}

/** Nobody knows yet whether it works, and a probe is to find out before it is leased. */
export function isUnchecked(pool: PoolState, place: Place, now: number): boolean {
  if (!place.checked || pool.prober === null) return false;
  const { subject } = place;
  if (subject.kind === 'endpoint') return now - subject.checks.checkedAt >= FRESH_MS;
  if (subject.proven || subject.checks.checkedAt > 0) return false;
  if (subject.checks.probe !== null) return true;
  // Where there is nothing to probe it at, the first lease finds out.
  const roster = pool.rosters.get(pool.prober);
  return roster !== undefined && endpointFor(roster, place as KeyPlace) !== null;
}

/** A probe, not a lease, has to decide first whether it comes back. */
export function awaitsProbe(pool: PoolState, { checked, subject }: Place): boolean {
  return pool.prober !== null && checked && subject.kind === 'endpoint' && !subject.checks.cleared;
}

/** The first look at it since it went out is under way: it may be back in a moment. */
export function isLookedAt({ checks }: Subject): boolean {
  return checks.probe !== null && checks.inVain === 0;
}

export function probeDeadline(spec: PoolSpec, now: number): number {
  return now + spec.timeoutMs + SLACK_MS;
}

function startProbe(
  pool: PoolState,
  endpoint: EndpointPlace,
  key: KeyPlace | null,
  about: Subject,
  now: number,
): Effect {
  const spec = pool.prober!;
  const id = `${pool.name}/${++pool.probesSent}`;
  const probe: Probe = {
    id,
    spec,
    endpoint: endpoint.subject,
    key: key?.subject ?? null,
    about,
    recovers: about.health.state !== 'healthy',
    tries: 1,
    deadline: probeDeadline(spec, now),
  };
  pool.probes.set(id, probe);
  for (const subject of [about, ...(key && isNew(key, pool) ? [key.subject] : [])]) {
    subject.checks.probe = id;
    subject.checks.probedAt = now;
  }
  if (about.health.state === 'half-open') about.health = { ...about.health, probe: id };
  return { type: 'probe', probe };
}

function dueAt(pool: PoolState, { spec, subject, checked }: EndpointPlace): number {
  if (!checked || !isUsed(spec) || subject.checks.probe !== null) return Infinity;
  const { checks, health } = subject;
  if (health.state === 'ejected') return nextLookAt(checks);
  if (health.state === 'half-open') return checks.cleared ? Infinity : nextTrialAt(checks);
  if (health.state !== 'healthy' || pool.queue.length === 0) return Infinity;
  return checks.checkedAt + FRESH_MS;
}

function keyDueAt(pool: PoolState, place: KeyPlace): number {
  const { spec, subject, checked } = place;
  if (!isUsed(spec) || subject.checks.probe !== null) return Infinity;
  const { checks, health } = subject;
  if (health.state === 'quarantined') return checks.recheckAt;
  if (health.state !== 'healthy' || !checked) return Infinity;
  if (isSuspect(subject) || subject.proofs.size > 0) return nextSuspicionAt(checks);
  return isNew(place, pool) ? 0 : Infinity;
}

/** A lease waits, and nobody knows whether this key works. */
function isNew({ checked, subject }: KeyPlace, pool: PoolState): boolean {
  if (!checked || pool.queue.length === 0 || subject.health.state !== 'healthy') return false;
  return !subject.proven && subject.checks.checkedAt === 0 && subject.checks.probe === null;
}

function isUsed(spec: EndpointSpec | KeySpec): boolean {
  return spec.enabled && spec.weight > 0;
}

/** The key to probe an endpoint with: one that is to be checked too, else one that works. */
function keyFor(pool: PoolState, roster: Roster, endpoint: EndpointPlace, now: number): KeyPlace | null {
  const usable = roster.keys.filter(
    ({ spec, subject }) =>
      isUsed(spec) && subject.health.state === 'healthy' && works(spec, endpoint.spec.name),
  );
  return (
    usable.find((key) => isNew(key, pool) && keyDueAt(pool, key) <= now) ??
    usable.find(({ subject }) => subject.proven) ??
    usable[0] ??
    null
  );
}

/** Where a key can be probed: at an endpoint that works, as far as is known. */
function endpointFor(roster: Roster, { spec }: KeyPlace): EndpointPlace | null {
  const there = roster.endpoints.filter(
    (endpoint) =>
      endpoint.spec.probe !== undefined &&
      isUsed(endpoint.spec) &&
      endpoint.subject.health.state === 'healthy' &&
      works(spec, endpoint.spec.name),
  );
  return there.find(({ subject }) => !subject.checks.failing) ?? there[0] ?? null;
}

/** Another key to try where one was refused: a refusal alone says nothing about a key. */
function comparable(roster: Roster, { spec, subject, checked }: EndpointPlace, now: number): KeyPlace | null {
  const { refused, passed } = subject.checks;
  if (!checked || refused.size === 0 || subject.health.state !== 'healthy') return null;
  if (passed && now - passed.at < FRESH_MS) return null;
  const others = roster.keys.filter(
    (key) =>
      isUsed(key.spec) &&
      key.subject.health.state === 'healthy' &&
      key.subject.checks.probe === null &&
      !refused.has(key.subject.id) &&
      works(key.spec, spec.name),
  );
  return others.find((key) => key.subject.proven) ?? others[0] ?? null;
}
