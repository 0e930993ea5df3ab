import { FRESH_MS, nextProbeAt, nextSuspectProbeAt, nextTrialProbeAt } from './probe-state.ts';
import {
  type Effect,
  type Context,
  type PoolState,
  type Probe,
  type MemberState,
  type ResolvedMember,
  type ResolvedPool,
} from '../state.ts';
import { isUsed, resolvePool, works } from '../resolved-pool.ts';
import { isSuspect } from '../members.ts';
import type { EndpointSpec, KeySpec, PoolSpec } from '../types.ts';

/** So many probes of a pool are under way at most. */
const MOST_AT_ONCE = 8;
/** What a link may take beyond the time of an attempt, until another one is asked. */
const SLACK_MS = 1_000;

type ResolvedEndpoint = ResolvedMember<EndpointSpec>;
type ResolvedKey = ResolvedMember<KeySpec>;

/** Starts the probes that are due: of members about to return, of those that a lease waits for, of suspects. */
export function startProbes(pool: PoolState, context: Context): Effect[] {
  if (pool.prober === null) return [];
  const resolved = resolvePool(pool, pool.prober, context);
  if (!resolved.probed) return [];
  const { now } = context;
  const effects: Effect[] = [];
  const start = (endpoint: ResolvedEndpoint, key: ResolvedKey | null, about: MemberState): void => {
    if (pool.probes.size < MOST_AT_ONCE) effects.push(startProbe(pool, endpoint, key, about, now));
  };
  for (const endpoint of resolved.endpoints) {
    if (dueAt(pool, endpoint) > now) continue;
    start(endpoint, keyFor(pool, resolved, endpoint, now), endpoint.member);
  }
  for (const key of resolved.keys) {
    if (keyDueAt(pool, key) > now) continue;
    const endpoint = endpointFor(resolved, key);
    if (endpoint) start(endpoint, key, key.member);
  }
  for (const endpoint of resolved.endpoints) {
    const other = comparable(resolved, endpoint, now);
    if (other) start(endpoint, other, other.member);
  }
  return effects;
}

/** When `startProbes` has something to do next by time alone, ms since the epoch. */
export function nextProbe(pool: PoolState, now: number): number {
  let next = Infinity;
  for (const { deadline } of pool.probes.values()) next = Math.min(next, deadline);
  const resolved = pool.prober && pool.resolvedPools.get(pool.prober);
  if (!resolved?.probed) return next;
  const consider = (at: number): void => {
    if (at > now) next = Math.min(next, at);
  };
  for (const endpoint of resolved.endpoints) consider(dueAt(pool, endpoint));
  for (const key of resolved.keys) consider(keyDueAt(pool, key));
  return next;
}

/** Nobody knows yet whether it works, and a probe is to find out before it is leased. */
export function isUnchecked(pool: PoolState, candidate: ResolvedMember, now: number): boolean {
  if (!candidate.checked || pool.prober === null) return false;
  const { member } = candidate;
  if (member.kind === 'endpoint') return now - member.probeState.checkedAt >= FRESH_MS;
  if (member.proven || member.probeState.checkedAt > 0) return false;
  if (member.probeState.probe !== null) return true;
  // Where there is nothing to probe it at, the first lease finds out.
  const resolved = pool.resolvedPools.get(pool.prober);
  return resolved !== undefined && endpointFor(resolved, candidate as ResolvedKey) !== null;
}

/** A probe, not a lease, has to decide first whether it comes back. */
export function awaitsProbe(pool: PoolState, { checked, member }: ResolvedMember): boolean {
  return pool.prober !== null && checked && member.kind === 'endpoint' && !member.probeState.cleared;
}

/** The first look at it since it went out is under way: it may be back in a moment. */
export function isFirstProbeRunning({ probeState }: MemberState): boolean {
  return probeState.probe !== null && probeState.fruitless === 0;
}

export function probeDeadline(spec: PoolSpec, now: number): number {
  return now + spec.timeoutMs + SLACK_MS;
}

function startProbe(
  pool: PoolState,
  endpoint: ResolvedEndpoint,
  key: ResolvedKey | null,
  about: MemberState,
  now: number,
): Effect {
  const spec = pool.prober!;
  const id = `${pool.name}/${++pool.probesSent}`;
  const probe: Probe = {
    id,
    spec,
    endpoint: endpoint.member,
    key: key?.member ?? null,
    about,
    recovers: about.health.state !== 'healthy',
    tries: 1,
    deadline: probeDeadline(spec, now),
  };
  pool.probes.set(id, probe);
  for (const member of [about, ...(key && isNew(key, pool) ? [key.member] : [])]) {
    member.probeState.probe = id;
    member.probeState.probedAt = now;
  }
  if (about.health.state === 'half-open') about.health = { ...about.health, probe: id };
  return { type: 'probe', probe };
}

function dueAt(pool: PoolState, { spec, member, checked }: ResolvedEndpoint): number {
  if (!checked || !isUsed(spec) || member.probeState.probe !== null) return Infinity;
  const { probeState, health } = member;
  if (health.state === 'ejected') return nextProbeAt(probeState);
  if (health.state === 'half-open') return probeState.cleared ? Infinity : nextTrialProbeAt(probeState);
  if (health.state !== 'healthy' || pool.queue.length === 0) return Infinity;
  return probeState.checkedAt + FRESH_MS;
}

function keyDueAt(pool: PoolState, candidate: ResolvedKey): number {
  const { spec, member, checked } = candidate;
  if (!isUsed(spec) || member.probeState.probe !== null) return Infinity;
  const { probeState, health } = member;
  if (health.state === 'quarantined') return probeState.recheckAt;
  if (health.state !== 'healthy' || !checked) return Infinity;
  if (isSuspect(member) || member.proofs.size > 0) return nextSuspectProbeAt(probeState);
  return isNew(candidate, pool) ? 0 : Infinity;
}

/** A lease waits, and nobody knows whether this key works. */
function isNew({ checked, member }: ResolvedKey, pool: PoolState): boolean {
  if (!checked || pool.queue.length === 0 || member.health.state !== 'healthy') return false;
  return !member.proven && member.probeState.checkedAt === 0 && member.probeState.probe === null;
}

/** The key to probe an endpoint with: one that is to be checked too, else one that works. */
function keyFor(
  pool: PoolState,
  resolved: ResolvedPool,
  endpoint: ResolvedEndpoint,
  now: number,
): ResolvedKey | null {
  const usable = resolved.keys.filter(
    ({ spec, member }) =>
      isUsed(spec) && member.health.state === 'healthy' && works(spec, endpoint.spec.name),
  );
  return (
    usable.find((key) => isNew(key, pool) && keyDueAt(pool, key) <= now) ??
    usable.find(({ member }) => member.proven) ??
    usable[0] ??
    null
  );
}

/** Where a key can be probed: at an endpoint that works, as far as is known. */
function endpointFor(resolved: ResolvedPool, { spec }: ResolvedKey): ResolvedEndpoint | null {
  const there = resolved.endpoints.filter(
    (endpoint) =>
      endpoint.spec.probe !== undefined &&
      isUsed(endpoint.spec) &&
      endpoint.member.health.state === 'healthy' &&
      works(spec, endpoint.spec.name),
  );
  return there.find(({ member }) => !member.probeState.failing) ?? there[0] ?? null;
}

/** Another key to try where one was refused: a refusal alone says nothing about a key. */
function comparable(
  resolved: ResolvedPool,
  { spec, member, checked }: ResolvedEndpoint,
  now: number,
): ResolvedKey | null {
  const { refused, passed } = member.probeState;
  if (!checked || refused.size === 0 || member.health.state !== 'healthy') return null;
  if (passed && now - passed.at < FRESH_MS) return null;
  const others = resolved.keys.filter(
    (key) =>
      isUsed(key.spec) &&
      key.member.health.state === 'healthy' &&
      key.member.probeState.probe === null &&
      !refused.has(key.member.id) &&
      works(key.spec, spec.name),
  );
  return others.find((key) => key.member.proven) ?? others[0] ?? null;
}
