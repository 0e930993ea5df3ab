import type { KeyConfig, PoolConfig } from '../config/types.ts';
import { mintToken, type TokenOutcome } from '../http/oauth2.ts';
import type { ProbeOutcome } from '../http/probe.ts';
import { NO_TRUST } from '../http/tls.ts';

/** The tokens that a check mints: one for each key of a pool with `oauth2`, kept nowhere. */
export class CheckedTokens {
  readonly #minted = new Map<string, Promise<TokenOutcome>>();

  /** Null where its pool has none. */
  of(pool: string, { auth, timeout }: PoolConfig, key: KeyConfig): Promise<TokenOutcome> | null {
    if (typeof auth !== 'object' || !('oauth2' in auth)) return null;
    const { tokenUrl, scope, audience, clientId, clientSecret } = auth.oauth2;
    const name = `${pool}/${key.name}`;
    const known = this.#minted.get(name);
    if (known) return known;
    const minting = mintToken({
      tokenUrl,
      scope,
      audience,
      clientId: key.fields[clientId] ?? '',
      clientSecret: key.fields[clientSecret] ?? '',
      timeoutMs: timeout,
      trust: NO_TRUST,
    });
    this.#minted.set(name, minting);
    return minting;
  }
}

const KINDS = { refused: 'auth', throttled: 'rate-limit', down: 'server', invalid: 'auth' } as const;

/** A key without a token, as a probe that its issuer ended. */
export function notMinted({ is, why }: Exclude<TokenOutcome, { is: 'token' }>): ProbeOutcome {
  return {
    kind: KINDS[is],
    status: null,
    durationMs: 0,
    retryAfterMs: null,
    message: `no token: ${why}`,
    by: 'protocol',
    path: '',
    unsent: true,
    local: 'no',
  };
}
