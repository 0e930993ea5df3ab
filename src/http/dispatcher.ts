import { Agent, type Dispatcher, ProxyAgent } from 'undici';

/** The way to one endpoint: straight, or through its proxy. */
export function dispatcherTo(
  endpoint: { readonly url: string; readonly proxy?: string | undefined },
  options: Agent.Options = {},
): Dispatcher {
  const { proxy, url } = endpoint;
  if (proxy === undefined) return new Agent(options);
  // Many proxies allow tunnels to port 443 only: plain HTTP goes the way that curl and browsers take.
  return new ProxyAgent({ ...options, uri: proxy, proxyTunnel: url.startsWith('https:') });
}
