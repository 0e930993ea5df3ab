import { memberStateOf } from './members.ts';
import type { Context, MemberState, PoolState, ResolvedPool } from './state.ts';
import type { EndpointSpec, KeySpec, PoolSpec } from './types.ts';

export function resolvePool(pool: PoolState, spec: PoolSpec, context: Context): ResolvedPool {
  const known = pool.resolvedPools.get(spec);
  if (known) return known;
  const endpoints = spec.endpoints.map((endpoint) => ({
    spec: endpoint,
    member: named(memberStateOf(pool, 'endpoint', endpoint, context), endpoint.name),
    weight: endpoint.weight,
    priority: endpoint.priority,
    checked: endpoint.probe === 'health',
  }));
  const keys = spec.keys.map((key) => ({
    spec: key,
    member: named(memberStateOf(pool, 'key', key, context), key.name),
    weight: key.weight,
    priority: 0,
    checked: endpoints.some(({ checked, spec: { name } }) => checked && works(key, name)),
  }));
  const resolved: ResolvedPool = {
    endpoints,
    keys,
    of: new Map([...endpoints, ...keys].map((candidate) => [candidate.member, candidate])),
    bound: spec.keys.some((key) => key.endpoints !== undefined),
    probed: spec.endpoints.some((endpoint) => endpoint.probe !== undefined),
  };
  pool.resolvedPools.set(spec, resolved);
  return resolved;
}

function named(member: MemberState, name: string): MemberState {
  member.name = name;
  return member;
}

/** The key works at that endpoint. */
export function works(spec: KeySpec, endpoint: string): boolean {
  return spec.endpoints === undefined || spec.endpoints.includes(endpoint);
}

/** It takes part in leases: the configuration neither disables it nor gives it the weight 0. */
export function isUsed({ enabled, weight }: Pick<EndpointSpec | KeySpec, 'enabled' | 'weight'>): boolean {
  return enabled && weight > 0;
}
