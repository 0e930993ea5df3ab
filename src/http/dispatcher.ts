import { Agent, type Dispatcher, ProxyAgent } from 'undici';

/** Where a dispatcher leads: to an endpoint's address, straight or through its proxy. */
export interface Route {
  readonly url: string;
  readonly proxy?: string | undefined;
  /** Take any certificate. */
  readonly insecure?: boolean;
}

export function dispatcherTo({ url, proxy, insecure = false }: Route, options: Agent.Options): Dispatcher {
  const tls = { rejectUnauthorized: !insecure };
  if (proxy === undefined) return new Agent({ ...options, connect: tls });
  // Many proxies allow tunnels to port 443 only: plain HTTP goes the way that curl and browsers take.
  const proxyTunnel = url.startsWith('https:');
  return new ProxyAgent({ ...options, ...proxyOf(proxy), proxyTunnel, requestTls: tls });
}

function proxyOf(address: string): { uri: string; token?: string } {
  const url = new URL(address);
  if (url.username === '') return { uri: address };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { uri: url.origin, token: `Basic ${btoa(pair)}` };
}
