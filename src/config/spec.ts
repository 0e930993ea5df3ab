import { createHash } from 'node:crypto';
import type { EndpointSpec, KeySpec, PoolSpec, Protocol } from '../core/types.ts';
import { fingerprint, identity } from '../shared/fingerprint.ts';
import { sameAddress } from './schema/addresses.ts';
import type { EndpointConfig, KeyConfig, LoadedConfig } from './types.ts';

/** Every field of `T`, the optional ones too: a field that is added and not filled in does not compile. */
type Complete<T> = { readonly [K in keyof Required<T>]: T[K] };

/** The pools as the broker sees them: names, limits and fingerprints, nothing secret. */
export function toPoolSpecs(config: LoadedConfig): PoolSpec[] {
  return Object.entries(config.pools).map(([name, pool]): Complete<PoolSpec> => ({
    name,
    revision: config.revision,
    endpoints: pool.endpoints.map((endpoint) => toEndpointSpec(endpoint, pool.protocol)),
    keys: pool.keys.map((key) => toKeySpec(key, config.name)),
    protocol: pool.protocol,
    rotation: pool.rotation,
    routing: pool.routing,
    maxFailures: pool.maxFailures,
    maxRetries: pool.maxRetries,
    timeoutMs: pool.timeout,
    acquireTimeoutMs: pool.acquireTimeout,
    ejection: { baseMs: pool.ejection.base, maxMs: pool.ejection.max },
    retryBudget: pool.retryBudget,
  }));
}

function toEndpointSpec(endpoint: EndpointConfig, protocol: Protocol): Complete<EndpointSpec> {
  const { name, url, weight, priority, maxConcurrent, rpm, enabled } = endpoint;
  const id = createHash('sha256').update(sameAddress(url)).digest('hex').slice(0, 16);
  const probe = endpoint.health !== undefined ? 'health' : protocol === 'http' ? undefined : 'protocol';
  return { name, id, url, weight, priority, maxConcurrent, rpm, enabled, probe };
}

function toKeySpec(key: KeyConfig, projectName: string): Complete<KeySpec> {
  const { name, weight, maxConcurrent, rpm, tpm, daily, enabled, labels, endpoints } = key;
  const shown = fingerprint(projectName, key);
  const id = identity(projectName, key);
  const quotaGroup = key.quotaGroup ?? id;
  const limits = { weight, maxConcurrent, rpm, tpm, daily, enabled };
  return { name, id, fingerprint: shown, ...limits, labels, quotaGroup, endpoints };
}
