import type { Auth, Protocol } from '../core/types.ts';
import { credentialsOf, type KeySecret } from './auth.ts';
import { withParameter } from './query.ts';
import { PROTOCOLS } from './protocols/index.ts';

export interface ProbeTarget {
  readonly endpoint: {
    readonly url: string;
    readonly health?: string | undefined;
    readonly proxy?: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  };
  /** Null: the endpoint alone, without a key. */
  readonly key: KeySecret | null;
  readonly protocol: Protocol;
  readonly auth: Auth;
}

/** A probe as it goes on the wire. */
export interface ProbeHttpRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The key where it travels in the query: it has to go along with a redirect within the origin. */
  readonly queryKey: readonly [name: string, value: string] | null;
  readonly by: 'protocol' | 'health' | 'address';
}

/**
 * What to ask: a key by the protocol's own probe where it has one, else the `health` path; an endpoint without a key
 * by its `health` path; else the base address itself.
 */
export function probeRequest({ endpoint, key, protocol, auth }: ProbeTarget): ProbeHttpRequest {
  const base = new URL(endpoint.url);
  const basePath = base.pathname.replace(/\/+$/, '');
  const own = key && PROTOCOLS[protocol].probe(basePath);
  const path = own ? basePath + own.path : endpoint.health === undefined ? null : basePath + endpoint.health;
  const url = path === null ? base : new URL(base.origin + path);
  const { headers, query, extra } = credentialsOf(auth, key, endpoint.headers);
  if (query) url.search = withParameter(url.search, ...query);
  return {
    url,
    headers: { accept: '*/*', ...extra, ...own?.headers, ...headers },
    queryKey: query,
    by: own ? 'protocol' : path === null ? 'address' : 'health',
  };
}
