import { type Context, type PoolState, type Subject, subjectOf } from './state.ts';
import type { EndpointSpec, KeySpec, Need, PoolSpec } from './types.ts';

/** A member of a pool as one specification has it, with what the broker knows of it. */
export interface Place<S extends EndpointSpec | KeySpec = EndpointSpec | KeySpec> {
  readonly spec: S;
  readonly subject: Subject;
  readonly weight: number;
  readonly priority: number;
  /** A probe finds out whether it works before it is leased. */
  readonly checked: boolean;
}

/** The members of a specification, looked up once. */
export interface Roster {
  readonly endpoints: readonly Place<EndpointSpec>[];
  readonly keys: readonly Place<KeySpec>[];
  readonly of: ReadonlyMap<Subject, Place>;
  /** Some key works at some endpoints only. */
  readonly bound: boolean;
  /** There is something to probe. */
  readonly probed: boolean;
}

export function rosterOf(pool: PoolState, spec: PoolSpec, context: Context): Roster {
  const known = pool.rosters.get(spec);
  if (known) return known;
  const endpoints = spec.endpoints.map((endpoint) => ({
    spec: endpoint,
    subject: named(subjectOf(pool, 'endpoint', endpoint, context), endpoint.name),
    weight: endpoint.weight,
    priority: endpoint.priority,
    checked: endpoint.probe === 'health',
  }));
  const keys = spec.keys.map((key) => ({
    spec: key,
    subject: named(subjectOf(pool, 'key', key, context), key.name),
    weight: key.weight,
    priority: 0,
    checked: endpoints.some(({ checked, spec: { name } }) => checked && works(key, name)),
  }));
  const roster: Roster = {
    endpoints,
    keys,
    of: new Map([...endpoints, ...keys].map((place) => [place.subject, place])),
    bound: spec.keys.some((key) => key.endpoints !== undefined),
    probed: spec.endpoints.some((endpoint) => endpoint.probe !== undefined),
  };
  pool.rosters.set(spec, roster);
  return roster;
}

function named(subject: Subject, name: string): Subject {
  subject.name = name;
  return subject;
}

/** The key carries the labels that are asked for. */
export function fits(spec: KeySpec, need: Need): boolean {
  for (const label in need) if (label !== 'model' && spec.labels[label] !== need[label]) return false;
  return true;
}

/** The key works at that endpoint. */
export function works(spec: KeySpec, endpoint: string): boolean {
  return spec.endpoints === undefined || spec.endpoints.includes(endpoint);
}
