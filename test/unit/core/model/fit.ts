import { untilOf } from '../../../../src/core/health/states.ts';
import type { LeaseState, PoolState, Subject, Waiter } from '../../../../src/core/state.ts';
import type { EndpointSpec, KeySpec, Need } from '../../../../src/core/types.ts';

/** What a waiter wants, as far as it matters for what fits. */
export type Wish = Pick<Waiter, 'spec' | 'need' | 'exclude' | 'avoid' | 'avoidUntil' | 'deadline'>;

type Spec = EndpointSpec | KeySpec;
export type Judge = (spec: Spec, kind: Subject['kind']) => boolean;

/** A member that a waiter could have now, worked out from the contract and not from the broker's own choice. */
export function fittingNow(pool: PoolState, wish: Wish, now: number): string | null {
  const avoided = now < wish.avoidUntil ? wish.avoid : new Set<string>();
  const trusted = somePair(
    wish,
    (spec, kind) => inTime(pool, wish, spec, kind) && !isSuspect(pool, spec, kind),
  );
  return somePair(wish, (spec, kind) => {
    const subject = subjectOf(pool, kind, spec.id);
    if (!isAllowed(wish, spec) || avoided.has(spec.id)) return false;
    if (spec.maxConcurrent !== undefined && holdersOf(pool, kind, spec.id) >= spec.maxConcurrent)
      return false;
    if (trusted !== null && isSuspect(pool, spec, kind)) return false;
    if ((subject?.elsewhereUntil ?? 0) > now) return false;
    if ((subject?.lanes.get(wish.need['model'] ?? '')?.coolUntil ?? 0) > now) return false;
    const { health } = subject ?? { health: { state: 'healthy' } as const };
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

export function subjectOf(pool: PoolState, kind: Subject['kind'], id: string): Subject | null {
  for (const subject of pool.subjects.values())
    if (subject.kind === kind && subject.id === id) return subject;
  return null;
}

export function heldBy(lease: LeaseState): Subject[] {
  return [lease.endpoint, lease.key].filter((subject) => subject !== null);
}

export function holdersOf(pool: PoolState, kind: Subject['kind'], id: string): number {
  return [...pool.leases.values()].filter((lease) => lease[kind]?.id === id).length;
}

export function carries(key: KeySpec, need: Need): boolean {
  return Object.entries(need).every(([name, value]) => name === 'model' || key.labels[name] === value);
}

export function isBoundTo(key: KeySpec, endpoint: string): boolean {
  return !key.endpoints || key.endpoints.includes(endpoint);
}

function somePair({ spec, need }: Wish, judge: Judge): string | null {
  const endpoints = spec.endpoints.filter((endpoint) => judge(endpoint, 'endpoint'));
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

function inTime(pool: PoolState, wish: Wish, spec: Spec, kind: Subject['kind']): boolean {
  const subject = subjectOf(pool, kind, spec.id);
  if (!isAllowed(wish, spec)) return false;
  if (!subject) return true;
  const { health, lanes } = subject;
  if (health.state === 'quarantined' || health.state === 'disabled') return false;
  const lane = lanes.get(wish.need['model'] ?? '');
  return Math.max(untilOf(health) ?? 0, lane?.coolUntil ?? 0) <= wish.deadline;
}

/** A key that was refused and never worked: others go first, as long as there are any to be had in time. */
function isSuspect(pool: PoolState, spec: Spec, kind: Subject['kind']): boolean {
  const subject = kind === 'key' ? subjectOf(pool, kind, spec.id) : null;
  return subject !== null && !subject.proven && subject.refusals > 0;
}
