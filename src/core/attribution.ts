import type { OutcomeKind, Protocol } from './types.ts';

/** Whose auth an attempt carried: the leased key's, the caller's own, or none. */
export type AuthSent = 'leased' | 'own' | 'none';

export interface AttemptFacts {
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly auth: AuthSent;
  /** Nothing of the request reached a server: refused connection, unknown host. */
  readonly unsent: boolean;
  readonly protocol: Protocol;
}

/**
 * Who answers for an attempt:
 * - `nobody`: it went well, or the caller's own mistake or abort
 * - `suspicion`: perhaps the key; tests send forbidden requests on purpose, so it takes a comparison to prove it
 * - `key`, `quota`: the key's validity, or the quota that it shares
 * - `exhausted`: the key's allowance is gone until its reset
 * - `endpoint`, `endpoint-down`: a soft fault that is counted, or a hard one that needs no count
 */
export type Blame = 'nobody' | 'suspicion' | 'key' | 'quota' | 'exhausted' | 'endpoint' | 'endpoint-down';

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
      return facts.unsent ? 'endpoint-down' : 'endpoint';
    case 'server':
    case 'timeout':
      return 'endpoint';
  }
}
