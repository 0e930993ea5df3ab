import { isOut, untilOf, whyOf } from './health.ts';
import { type Context, isSuspect, type PoolState, type Subject, subjectOf } from './subject.ts';
import type { EndpointSpec, KeySpec, Need, PoolSpec } from './types.ts';

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
}

/** Why a subject cannot be had now. `until`: ms since the epoch; null: held, free at any time; Infinity: by no wait. */
export interface Refusal {
  readonly name: string;
  readonly why: string;
  readonly until: number | null;
}

interface Option<S extends EndpointSpec | KeySpec> {
  readonly spec: S;
  readonly subject: Subject;
  readonly refusal: Refusal | null;
}

/** The best free member, or null. */
export function pickMember(pool: PoolState, wanted: Wanted, context: Context): Member | null {
  const endpoints = inOrder('endpoint', endpointOptions(pool, wanted, context), wanted, context);
  const keys = inOrder('key', keyOptions(pool, wanted, context), wanted, context);
  if (wanted.spec.keys.length === 0)
    return endpoints[0] ? { endpoint: endpoints[0].subject, key: null } : null;
  if (wanted.spec.endpoints.length === 0) return keys[0] ? { endpoint: null, key: keys[0].subject } : null;
  for (const endpoint of endpoints) {
    const key = keys.find((candidate) => works(candidate.spec as KeySpec, endpoint.subject.name));
    if (key) return { endpoint: endpoint.subject, key: key.subject };
  }
  return null;
}

/** Each subject of the pool that cannot be had now, and why. */
export function refusals(pool: PoolState, wanted: Wanted, context: Context): Refusal[] {
  return [...endpointOptions(pool, wanted, context), ...keyOptions(pool, wanted, context)]
    .map((option) => option.refusal)
    .filter((refusal) => refusal !== null);
}

/** The earliest time at which a member could be free: null at any time, Infinity never by waiting. */
export function freeFrom(pool: PoolState, wanted: Wanted, context: Context): number | null {
  const endpoints = endpointOptions(pool, wanted, context);
  const keys = keyOptions(pool, wanted, context);
  let best = Infinity;
  const consider = (...options: (Option<EndpointSpec | KeySpec> | null)[]): void => {
    const times = options.map((option) => (option?.refusal ? (option.refusal.until ?? 0) : 0));
    best = Math.min(best, Math.max(...times));
  };
  if (wanted.spec.keys.length === 0) for (const endpoint of endpoints) consider(endpoint);
  else if (wanted.spec.endpoints.length === 0) for (const key of keys) consider(key);
  else {
    for (const endpoint of endpoints) {
      for (const key of keys) if (works(key.spec as KeySpec, endpoint.subject.name)) consider(endpoint, key);
    }
  }
  return best <= context.now ? null : best;
}

/** Works without waiting for others: proven, healthy and not paced. */
export function goesFreely(member: Member, spec: PoolSpec): boolean {
  return [
    { subject: member.endpoint, rpm: specOf(spec.endpoints, member.endpoint)?.rpm },
    { subject: member.key, rpm: specOf(spec.keys, member.key)?.rpm },
  ].every(({ subject, rpm }) => !subject || (subject.proven && subject.health.state === 'healthy' && !rpm));
}

export function specOf<S extends EndpointSpec | KeySpec>(
  specs: readonly S[],
  subject: Subject | null,
): S | undefined {
  return subject ? specs.find((spec) => spec.id === subject.id) : undefined;
}

function endpointOptions(pool: PoolState, wanted: Wanted, context: Context): Option<EndpointSpec>[] {
  return wanted.spec.endpoints.map((spec) => {
    const subject = subjectOf(pool, 'endpoint', spec, context);
    return { spec, subject, refusal: refuse(pool, spec, subject, wanted) };
  });
}

function keyOptions(pool: PoolState, wanted: Wanted, context: Context): Option<KeySpec>[] {
  const fitting = wanted.spec.keys.filter((spec) => fits(spec, wanted.need));
  const options = fitting.map((spec) => {
    const subject = subjectOf(pool, 'key', spec, context);
    return { spec, subject, refusal: refuse(pool, spec, subject, wanted) };
  });
  const trusted = options.some(({ subject, refusal }) => !isSuspect(subject) && refusal?.until !== Infinity);
  if (!trusted) return options;
  return options.map((option) => {
    if (!isSuspect(option.subject) || option.refusal) return option;
    const why = 'was refused and has not worked yet; others go first';
    return { ...option, refusal: { name: option.subject.name, why, until: null } };
  });
}

function refuse(
  pool: PoolState,
  spec: EndpointSpec | KeySpec,
  subject: Subject,
  wanted: Wanted,
): Refusal | null {
  const { name, health } = subject;
  if (!spec.enabled) return { name, why: 'disabled in the configuration', until: Infinity };
  if (spec.weight === 0) return { name, why: 'drained (weight 0)', until: Infinity };
  if (wanted.exclude.has(subject.id)) return { name, why: 'this call just failed on it', until: Infinity };
  if (isOut(health.state)) return { name, why: describe(subject), until: untilOf(health) ?? Infinity };
  if (health.state === 'half-open' && health.probe !== null)
    return { name, why: 'on trial by another test', until: null };
  if (spec.maxConcurrent !== undefined && subject.inUse >= spec.maxConcurrent) {
    return { name, why: `held by ${holders(pool, subject)}`, until: null };
  }
  if (wanted.avoid.has(subject.id)) return { name, why: 'this test failed on it before', until: null };
  return null;
}

function inOrder<S extends EndpointSpec | KeySpec>(
  kind: Subject['kind'],
  options: readonly Option<S>[],
  wanted: Wanted,
  context: Context,
): Option<S>[] {
  const candidates = options
    .filter((option) => option.refusal === null)
    .map((option) => ({
      option,
      id: option.subject.id,
      weight: option.spec.weight,
      priority: 'priority' in option.spec ? option.spec.priority : 0,
      inUse: option.subject.inUse,
      pass: option.subject.pass,
      belief: option.subject.belief,
    }));
  const how = kind === 'endpoint' ? wanted.spec.routing : wanted.spec.rotation;
  const ranked = context.rank(how, candidates, context.now, context.random).map(({ option }) => option);
  const first = (option: Option<S>): number => {
    if (wanted.prefer.has(option.subject.id)) return 0;
    return option.subject.health.state === 'half-open' ? 1 : 2;
  };
  return ranked.sort((a, b) => first(a) - first(b));
}

/** The key carries the labels that are asked for. */
export function fits(spec: KeySpec, need: Need): boolean {
  return Object.entries(need).every(([label, value]) => label === 'model' || spec.labels[label] === value);
}

function works(spec: KeySpec, endpoint: string): boolean {
  return spec.endpoints === undefined || spec.endpoints.includes(endpoint);
}

function holders(pool: PoolState, subject: Subject): string {
  const titles = [...pool.leases.values()]
    .filter((lease) => lease.endpoint === subject || lease.key === subject)
    .map((lease) => `"${lease.holder}"`);
  return titles.length > 3
    ? `${titles.slice(0, 3).join(', ')} and ${titles.length - 3} more`
    : titles.join(', ');
}

function describe(subject: Subject): string {
  const until = untilOf(subject.health);
  const end = until === null ? '' : ` until ${new Date(until).toISOString()}`;
  return `${subject.health.state}${end}: ${whyOf(subject.health)}`;
}
