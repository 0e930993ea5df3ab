import type { OutcomeKind, Protocol } from '../types.ts';

/** Whose auth an attempt carried: the leased key's, the caller's own, or none. */
export type AuthSent = 'leased' | 'own' | 'none';

/** Whether a failure may lie in the machine that sent the attempt: an unknown host perhaps, no free socket surely. */
export type Locality = 'no' | 'perhaps' | 'yes';

export interface AttemptFacts {
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly auth: AuthSent;
  /** Nothing of the request reached a server: refused connection, unknown host. */
  readonly unsent: boolean;
  /** Whether it may have been this machine's own network; absent: no. */
  readonly local?: Locality | undefined;
  readonly protocol: Protocol;
}

/**
 * Who answers for an attempt:
 * - `nobody`: it went well, or the caller's own mistake or abort
 * - `suspicion`: perhaps the key; tests send forbidden requests on purpose, so it takes a comparison to prove it
 * - `key`, `quota`: the key's validity, or the quota that it shares
 * - `exhausted`: the key's allowance is gone until its reset
 * - `endpoint`, `endpoint-down`: a soft fault that is counted, or a hard one that needs no count
 * - `unreachable`: the endpoint, unless every endpoint is out of reach: then this machine has no network
 */
export type Blame =
  'nobody' | 'suspicion' | 'key' | 'quota' | 'exhausted' | 'endpoint' | 'endpoint-down' | 'unreachable';

export function attribute(facts: AttemptFacts): Blame {
  switch (facts.kind) {
    case 'ok':
    case 'caller':
      return 'nobody';
    case 'auth':
      if (facts.auth !== 'leased') return 'nobody';
      return facts.protocol === 'http' ? 'suspicion' : 'key';
    case 'rate-limit':
      return facts.auth === 'own' ? 'nobody' : 'quota';
    case 'exhausted':
      return facts.auth === 'own' ? 'nobody' : 'exhausted';
    case 'network':
      if (facts.local === 'yes') return 'nobody';
      if (!facts.unsent) return 'endpoint';
      return facts.local === 'perhaps' ? 'unreachable' : 'endpoint-down';
    case 'server':
    case 'timeout':
      return 'endpoint';
  }
}
