import type { RequestOutcome } from '../request-outcome.ts';
import type { Protocol } from '../types.ts';

/**
 * Who answers for an attempt:
 * - `nobody`: it succeeded, or it was the caller's own mistake or abort
 * - `suspicion`: perhaps the key; tests send forbidden requests on purpose, so it takes a comparison to prove it
 * - `key`, `quota`: the key's validity, or the quota that it shares
 * - `exhausted`: the key's allowance is gone until its reset
 * - `endpoint`, `endpoint-down`: a soft fault that is counted, or a hard one that needs no count
 * - `unreachable`: the endpoint, unless every endpoint is out of reach: then this machine has no network
 */
export type Blame =
  'nobody' | 'suspicion' | 'key' | 'quota' | 'exhausted' | 'endpoint' | 'endpoint-down' | 'unreachable';

export function attribute(outcome: RequestOutcome, protocol: Protocol): Blame {
  const { kind, auth, unsent, local } = outcome;
  switch (kind) {
    case 'ok':
    case 'caller':
    case 'session':
      return 'nobody';
    case 'auth':
      if (auth !== 'leased') return 'nobody';
      return protocol === 'http' ? 'suspicion' : 'key';
    case 'rate-limit':
      return auth === 'own' ? 'nobody' : 'quota';
    case 'exhausted':
      return auth === 'own' ? 'nobody' : 'exhausted';
    case 'network':
      if (local === 'yes') return 'nobody';
      if (!unsent) return 'endpoint';
      return local === 'perhaps' ? 'unreachable' : 'endpoint-down';
    case 'server':
    case 'timeout':
      return 'endpoint';
  }
}
