import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { proxyOf } from './proxy.ts';
import type { Tls } from './tls.ts';

/** Where a dispatcher leads: to an endpoint's address, straight or through its proxy. */
export interface Route {
  readonly url: string;
  readonly proxy?: string | undefined;
  readonly tls: Tls;
}

export function dispatcherTo({ url, proxy, tls }: Route, options: Agent.Options): Dispatcher {
  if (proxy === undefined) return new Agent({ ...options, connect: tls });
  // Many proxies allow tunnels to port 443 only: plain HTTP goes the way that curl and browsers take.
  const proxyTunnel = url.startsWith('https:');
  const { url: address, authorization } = proxyOf(proxy);
  const token = authorization === null ? {} : { token: authorization };
  return new ProxyAgent({ ...options, uri: address.origin, ...token, proxyTunnel, requestTls: tls });
}
