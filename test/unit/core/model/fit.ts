import { untilOf } from '../../../../src/core/health/states.ts';
import type { LeaseState, PoolState, MemberState, LeaseWaiter } from '../../../../src/core/state.ts';
import type { EndpointSpec, KeySpec, Need } from '../../../../src/core/types.ts';

/** What a waiter wants, as far as it matters for what fits. */
export type Wish = Pick<
  LeaseWaiter,
  'spec' | 'need' | 'onlyEndpoint' | 'exclude' | 'avoid' | 'avoidUntil' | 'deadline'
>;

type Spec = EndpointSpec | KeySpec;
export type Judge = (spec: Spec, kind: MemberState['kind']) => boolean;

/** A member that a waiter could have now, worked out from the contract and not from the broker's own choice. */
export function fittingNow(pool: PoolState, wish: Wish, now: number): string | null {
  const avoided = now < wish.avoidUntil ? wish.avoid : new Set<string>();
  const trusted = somePair(
    wish,
    (spec, kind) => inTime(pool, wish, spec, kind) && !isSuspect(pool, spec, kind),
  );
  return somePair(wish, (spec, kind) => {
    const member = memberStateOf(pool, kind, spec.id);
    if (!isAllowed(wish, spec) || avoided.has(spec.id)) return false;
    if (spec.maxConcurrent !== undefined && holdersOf(pool, kind, spec.id) >= spec.maxConcurrent)
      return false;
    if (trusted !== null && isSuspect(pool, spec, kind)) return false;
    if ((member?.elsewhereUntil ?? 0) > now) return false;
    if ((member?.modelLimits.get(wish.need['model'] ?? '')?.coolUntil ?? 0) > now) return false;
    const { health } = member ?? { health: { state: 'healthy' } as const };
    return health.state === 'healthy' || (health.state === 'half-open' && health.probe === null);
  });
}

/** A member that a waiter could have before its time is over, were all leases given back. */
export function fittingInTime(pool: PoolState, wish: Wish): string | null {
  return somePair(wish, (spec, kind) => inTime(pool, wish, spec, kind));
}

/** A member that a waiter could have before its time is over, where the judge allows its parts. */
export function fittingOf(pool: PoolState, wish: Wish, judge: Judge): string | null {
  return somePair(wish, (spec, kind) => inTime(pool, wish, spec, kind) && judge(spec, kind));
}

export function memberStateOf(pool: PoolState, kind: MemberState['kind'], id: string): MemberState | null {
  for (const member of pool.members.values()) if (member.kind === kind && member.id === id) return member;
  return null;
}

export function heldBy(lease: LeaseState): MemberState[] {
  return [lease.endpoint, lease.key].filter((member) => member !== null);
}

export function holdersOf(pool: PoolState, kind: MemberState['kind'], id: string): number {
  return [...pool.leases.values()].filter((lease) => lease[kind]?.id === id).length;
}

export function carries(key: KeySpec, need: Need): boolean {
  return Object.entries(need).every(([name, value]) => name === 'model' || key.labels[name] === value);
}

export function isBoundTo(key: KeySpec, endpoint: string): boolean {
  return !key.endpoints || key.endpoints.includes(endpoint);
}

function somePair({ spec, need, onlyEndpoint }: Wish, judge: Judge): string | null {
  const endpoints = spec.endpoints.filter(
    (endpoint) => (onlyEndpoint ?? endpoint.name) === endpoint.name && judge(endpoint, 'endpoint'),
  );
  const keys = spec.keys.filter((key) => carries(key, need) && judge(key, 'key'));
  if (spec.keys.length === 0) return endpoints[0]?.name ?? null;
  if (spec.endpoints.length === 0) return keys[0]?.name ?? null;
  for (const key of keys) {
    const endpoint = endpoints.find(({ name }) => isBoundTo(key, name));
    if (endpoint) return `${endpoint.name}/${key.name}`;
  }
  return null;
}

function isAllowed({ exclude }: Wish, { enabled, weight, id }: Spec): boolean {
  return enabled && weight > 0 && !exclude.has(id);
}

function inTime(pool: PoolState, wish: Wish, spec: Spec, kind: MemberState['kind']): boolean {
  const member = memberStateOf(pool, kind, spec.id);
  if (!isAllowed(wish, spec)) return false;
  if (!member) return true;
  const { health, modelLimits } = member;
  if (health.state === 'quarantined' || health.state === 'disabled') return false;
  // Nobody waits for the trial of the only endpoint that could serve.
  if (kind === 'endpoint' && health.state === 'ejected' && isOnly(pool, wish)) return false;
  const limits = modelLimits.get(wish.need['model'] ?? '');
  return Math.max(untilOf(health) ?? 0, limits?.coolUntil ?? 0) <= wish.deadline;
}

function isOnly(pool: PoolState, wish: Wish): boolean {
  const usable = wish.spec.endpoints.filter((spec) => {
    const state = memberStateOf(pool, 'endpoint', spec.id)?.health.state;
    return isAllowed(wish, spec) && state !== 'disabled';
  });
  return usable.length === 1;
}

/** A key that was refused and never worked: others go first, as long as there are any to be had in time. */
function isSuspect(pool: PoolState, spec: Spec, kind: MemberState['kind']): boolean {
  const member = kind === 'key' ? memberStateOf(pool, kind, spec.id) : null;
  return member !== null && !member.proven && member.refusals > 0;
}
