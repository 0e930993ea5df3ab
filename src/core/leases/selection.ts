import { isUnavailable, untilOf, whyOf } from '../health/states.ts';
import { hasBudget } from '../pace/key-budgets.ts';
import { limitsOf } from '../pace/model-limits.ts';
import { awaitsProbe, isFirstProbeRunning, isUnchecked } from '../health/probing.ts';
import { fits } from '../labels.ts';
import { resolvePool, works } from '../resolved-pool.ts';
import {
  type ResolvedMember,
  type ResolvedPool,
  type Context,
  type PoolState,
  type MemberState,
  type Grant,
  type Refusal,
} from '../state.ts';
import { isSuspect } from '../members.ts';
import type { EndpointSpec, KeySpec, Need, PoolSpec, Rotation, Routing } from '../types.ts';

export interface Wanted {
  readonly spec: PoolSpec;
  readonly need: Need;
  /** The endpoint that it must have, by name; null: any. */
  readonly onlyEndpoint: string | null;
  readonly exclude: ReadonlySet<string>;
  readonly prefer: ReadonlySet<string>;
  readonly avoid: ReadonlySet<string>;
  /** Until when it can wait. */
  readonly deadline: number;
  readonly resets: boolean;
  /** Its client has a place at the endpoint already. */
  readonly forCall: boolean;
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
  | 'being reset'
  | 'suspect';

/** The best free member, or null. */
export function pickGrant(pool: PoolState, wanted: Wanted, context: Context): Grant | null {
  if (pool.awaits !== null) return null;
  const resolved = resolvePool(pool, wanted.spec, context);
  const { routing, rotation } = wanted.spec;
  const keys = cleanFirst(
    trustedFirst(
      freeOnes(pool, fittingKeys(resolved, wanted), wanted, context.now),
      resolved,
      wanted,
      context.now,
    ),
    wanted,
  );
  if (resolved.endpoints.length === 0) return alone(null, best(rotation, keys, wanted, context));
  let endpoints = freeOnes(pool, fittingEndpoints(resolved, wanted), wanted, context.now);
  if (resolved.keys.length === 0) return alone(best(routing, endpoints, wanted, context), null);
  while (endpoints.length > 0 && keys.length > 0) {
    const endpoint = best(routing, endpoints, wanted, context)!;
    const there = resolved.bound ? keys.filter(({ spec }) => works(spec, endpoint.spec.name)) : keys;
    const key = best(rotation, there, wanted, context);
    if (key) return { endpoint: endpoint.member, key: key.member };
    endpoints = endpoints.filter((other) => other !== endpoint);
  }
  return null;
}

/** Each subject that cannot be had now, and why. */
export function refusals(pool: PoolState, wanted: Wanted, context: Context): Refusal[] {
  const { now } = context;
  const resolved = resolvePool(pool, wanted.spec, context);
  if (resolved.endpoints.length + resolved.keys.length === 0)
    return [{ name: wanted.spec.name, why: 'the configuration in force has no such pool', cause: 'off' }];
  if (wanted.onlyEndpoint !== null && fittingEndpoints(resolved, wanted).length === 0)
    return [
      { name: wanted.onlyEndpoint, why: 'the configuration in force has no such endpoint', cause: 'off' },
    ];
  const trusted = trustedFits(resolved, wanted, now);
  return fittingMembers(resolved, wanted).flatMap((candidate) => {
    const heldBack = trusted && isSuspectKey(candidate) ? 'suspect' : null;
    const obstacle = obstacleOf(pool, candidate, wanted, now) ?? heldBack;
    if (!obstacle) return [];
    const why = describe(pool, candidate, obstacle, context);
    return [{ name: candidate.spec.name, why, cause: causeOf(candidate, obstacle) }];
  });
}

/** A probe in flight may soon free a member that this lease could use. */
export function probeMayFree(pool: PoolState, wanted: Wanted, context: Context): boolean {
  if (pool.probes.size === 0) return false;
  return fittingMembers(resolvePool(pool, wanted.spec, context), wanted).some((candidate) => {
    const obstacle = obstacleOf(pool, candidate, wanted, context.now);
    return (
      obstacle === 'unchecked' ||
      (isFirstProbeRunning(candidate.member) && (obstacle !== null || isSuspectKey(candidate)))
    );
  });
}

function fittingMembers(resolved: ResolvedPool, wanted: Wanted): readonly ResolvedMember[] {
  return [...fittingEndpoints(resolved, wanted), ...fittingKeys(resolved, wanted)];
}

/**
 * The earliest time at which a member could be free, of those whose parts `counts`: null at any time, Infinity never by
 * waiting.
 */
export function freeFrom(
  pool: PoolState,
  wanted: Wanted,
  context: Context,
  counts: (candidate: ResolvedMember) => boolean = () => true,
): number | null {
  const earliest = earliestPair(resolvePool(pool, wanted.spec, context), wanted, context.now, counts);
  return earliest <= context.now ? null : earliest;
}

function earliestPair(
  resolved: ResolvedPool,
  wanted: Wanted,
  now: number,
  counts: (candidate: ResolvedMember) => boolean,
): number {
  const only = onlyEndpoint(resolved, wanted);
  const freeAt = (candidate: ResolvedMember): number => {
    if (!counts(candidate)) return Infinity;
    if (isGiven(candidate, wanted)) return 0;
    return candidate === only && isDown(candidate) ? Infinity : freeTime(candidate, wanted, now);
  };
  const fitting = fittingKeys(resolved, wanted);
  if (resolved.endpoints.length === 0) return Math.min(...fitting.map(freeAt), Infinity);
  const endpoints = fittingEndpoints(resolved, wanted);
  if (resolved.keys.length === 0) return Math.min(...endpoints.map(freeAt), Infinity);
  let earliest = Infinity;
  for (const endpoint of endpoints) {
    const there = freeAt(endpoint);
    for (const key of fitting) {
      if (there < earliest && works(key.spec, endpoint.spec.name))
        earliest = Math.min(earliest, Math.max(there, freeAt(key)));
    }
  }
  return earliest;
}

/** The one endpoint that could serve at all; null where there are several. */
function onlyEndpoint(resolved: ResolvedPool, wanted: Wanted): ResolvedMember | null {
  const usable = resolved.endpoints.filter((candidate) => canServe(candidate, wanted));
  return usable.length === 1 ? usable[0]! : null;
}

function canServe({ spec, member }: ResolvedMember, { exclude }: Wanted): boolean {
  return spec.enabled && spec.weight > 0 && member.health.state !== 'disabled' && !exclude.has(member.id);
}

/** Nothing answers there. Where no other endpoint can serve, a wait ends with a trial, which fails again: no lease waits for it. */
function isDown({ member }: ResolvedMember): boolean {
  return member.health.state === 'ejected' && !isFirstProbeRunning(member);
}

/** Works without waiting for others: proven, healthy and not paced. */
export function hasFastPath(resolved: ResolvedPool, grant: Grant, need: Need): boolean {
  return isUnrestricted(resolved, grant.endpoint, need) && isUnrestricted(resolved, grant.key, need);
}

function isUnrestricted(resolved: ResolvedPool, member: MemberState | null, need: Need): boolean {
  if (member === null) return true;
  if (!member.proven) return false;
  const { learned, coolUntil } = limitsOf(member, need);
  if (learned || coolUntil > 0) return false;
  const candidate = resolved.of.get(member);
  if (candidate?.spec.rpm !== undefined || (candidate && hasBudget(candidate))) return false;
  return member.proven && member.health.state === 'healthy';
}

function alone(endpoint: ResolvedMember | null, key: ResolvedMember | null): Grant | null {
  return endpoint || key ? { endpoint: endpoint?.member ?? null, key: key?.member ?? null } : null;
}

function fittingEndpoints(
  { endpoints }: ResolvedPool,
  { onlyEndpoint }: Wanted,
): readonly ResolvedMember<EndpointSpec>[] {
  return onlyEndpoint === null ? endpoints : endpoints.filter(({ spec }) => spec.name === onlyEndpoint);
}

function fittingKeys(
  resolved: ResolvedPool,
  { need, onlyEndpoint }: Wanted,
): readonly ResolvedMember<KeySpec>[] {
  const { keys, bound } = resolved;
  const there = bound && onlyEndpoint !== null ? keys.filter(({ spec }) => works(spec, onlyEndpoint)) : keys;
  for (const _ in need) return there.filter(({ spec }) => fits(spec, need));
  return there;
}

function freeOnes<S extends EndpointSpec | KeySpec>(
  pool: PoolState,
  candidates: readonly ResolvedMember<S>[],
  wanted: Wanted,
  now: number,
): ResolvedMember<S>[] {
  return candidates.filter((candidate) => obstacleOf(pool, candidate, wanted, now) === null);
}

/** Suspects are for those only that can have nothing else in their time. */
function trustedFirst(
  keys: ResolvedMember<KeySpec>[],
  resolved: ResolvedPool,
  wanted: Wanted,
  now: number,
): ResolvedMember<KeySpec>[] {
  if (!keys.some(isSuspectKey) || !trustedFits(resolved, wanted, now)) return keys;
  return keys.filter((key) => !isSuspectKey(key));
}

/** Where nobody would reset it, a dirty account is taken only where there is no other. */
function cleanFirst(keys: ResolvedMember<KeySpec>[], { resets }: Wanted): ResolvedMember<KeySpec>[] {
  if (resets || !keys.some(({ member }) => member.dirty)) return keys;
  const clean = keys.filter(({ member }) => !member.dirty);
  return clean.length > 0 ? clean : keys;
}

function trustedFits(resolved: ResolvedPool, wanted: Wanted, now: number): boolean {
  return earliestPair(resolved, wanted, now, (candidate) => !isSuspectKey(candidate)) <= wanted.deadline;
}

function isSuspectKey({ member }: ResolvedMember): boolean {
  return member.kind === 'key' && isSuspect(member);
}

function obstacleOf(
  pool: PoolState,
  candidate: ResolvedMember,
  wanted: Wanted,
  now: number,
): Obstacle | null {
  const { spec, member } = candidate;
  if (isGiven(candidate, wanted)) return null;
  if (!spec.enabled) return 'disabled';
  if (spec.weight === 0) return 'drained';
  if (wanted.exclude.size > 0 && wanted.exclude.has(member.id)) return 'excluded';
  const { health } = member;
  if (health.state !== 'healthy') {
    if (isUnavailable(health.state)) return 'out';
    if (health.state === 'half-open' && (health.probe !== null || awaitsProbe(pool, candidate)))
      return 'on trial';
  } else if (isUnchecked(pool, candidate, now)) return 'unchecked';
  if (member.cleaning !== null) return 'being reset';
  if (coolsForModel(member, wanted) > now) return 'model cooling';
  if (spec.maxConcurrent !== undefined && member.inUse >= spec.maxConcurrent) return 'held';
  if (member.elsewhereUntil > now) return 'held elsewhere';
  return wanted.avoid.size > 0 && wanted.avoid.has(member.id) ? 'avoided' : null;
}

/** The endpoint of another key for a call: the call goes there in any case. */
function isGiven({ member }: ResolvedMember, { forCall }: Wanted): boolean {
  return forCall && member.kind === 'endpoint';
}

/** Until when the wanted model rests at this key; 0 where it does not. */
function coolsForModel(member: MemberState, { need }: Wanted): number {
  return need['model'] === undefined ? 0 : limitsOf(member, need).coolUntil;
}

/** 0: free now or at any time; Infinity: by no wait. */
function freeTime({ spec, member }: ResolvedMember, wanted: Wanted, now: number): number {
  if (!spec.enabled || spec.weight === 0 || wanted.exclude.has(member.id)) return Infinity;
  const { health } = member;
  const back =
    isUnavailable(health.state) && !isFirstProbeRunning(member) ? (untilOf(health) ?? Infinity) : 0;
  const rested = Math.max(back, coolsForModel(member, wanted));
  return rested > now ? rested : 0;
}

/** The preferred, else one on trial, else the rotation's choice. */
function best<S extends EndpointSpec | KeySpec>(
  how: Rotation | Routing,
  candidates: readonly ResolvedMember<S>[],
  wanted: Wanted,
  context: Context,
): ResolvedMember<S> | null {
  const preferred =
    wanted.prefer.size > 0 ? candidates.find(({ member }) => wanted.prefer.has(member.id)) : undefined;
  if (preferred) return preferred;
  const onTrial = candidates.find(({ member }) => member.health.state === 'half-open');
  if (onTrial) return onTrial;
  const attempt = wanted.exclude.size > 0 ? 2 : 1;
  level(candidates);
  return context.choose(how, candidates, context.now, context.random, attempt);
}

/** Puts those that join in the round where the others are. */
function level(candidates: readonly ResolvedMember[]): void {
  if (!candidates.some(({ member }) => member.joins)) return;
  const others = candidates.filter(({ member }) => !member.joins).map(({ member }) => member.pass);
  const least = others.length > 0 ? Math.min(...others) : 0;
  for (const { member } of candidates)
    if (member.joins) Object.assign(member, { joins: false, pass: Math.max(member.pass, least) });
}

function describe(
  pool: PoolState,
  { member }: ResolvedMember,
  obstacle: Obstacle,
  { dateOf }: Context,
): string {
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
    case 'being reset':
      return 'another test resets it now';
    case 'avoided':
      return 'this test failed on it before';
    case 'suspect':
      return 'was refused and has not worked yet; others go first';
    case 'held elsewhere':
      return 'held on another machine';
    case 'held':
      return `held by ${holderNames(pool, member)}`;
    case 'out': {
      const until = untilOf(member.health);
      const end = until === null ? '' : ` until ${new Date(dateOf(until)).toISOString()}`;
      return `${member.health.state}${end}: ${whyOf(member.health)}`;
    }
  }
}

function causeOf({ member }: ResolvedMember, obstacle: Obstacle): Refusal['cause'] {
  if (obstacle === 'disabled' || obstacle === 'drained') return 'off';
  if (obstacle === 'out') {
    if (member.health.state === 'disabled' || member.health.state === 'reserved') return 'off';
    return member.accountFault ? 'sign-in' : 'fault';
  }
  return obstacle === 'model cooling' ? 'fault' : 'busy';
}

/** Whose leases hold a member, in words. */
export function holderNames(pool: PoolState, member: MemberState): string {
  const titles = [...pool.leases.values()]
    .filter((lease) => lease.endpoint === member || lease.key === member)
    .map((lease) => `"${lease.holder}"`);
  return titles.length > 3
    ? `${titles.slice(0, 3).join(', ')} and ${titles.length - 3} more`
    : titles.join(', ');
}
