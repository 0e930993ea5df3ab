import type { Agent } from 'node:http';
import { basic } from './auth.ts';

const agents = new Map<string, Agent>();

/** A proxy's address, and what signs in there. */
export interface Proxy {
  /** With user and password percent-encoded, so that any library can decode them. */
  readonly url: URL;
  /** `Proxy-Authorization`; null where the address names no user. */
  readonly authorization: string | null;
}

/** Reads a proxy's address. User and password may be percent-encoded, or hold a percent sign of their own. */
export function proxyOf(address: string): Proxy {
  const url = new URL(address);
  if (url.username === '' && url.password === '') return { url, authorization: null };
  const [user, password] = [decoded(url.username), decoded(url.password)];
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  return { url, authorization: basic(`${user}:${password}`) };
}

/** The agent that sends what goes to `origin` through a proxy, as Node's own http module takes it; null without one. */
export async function proxyAgent(proxy: string | undefined, origin: string): Promise<Agent | null> {
  if (proxy === undefined) return null;
  const isTunnel = origin.startsWith('https:');
  const id = `${isTunnel} ${proxy}`;
  const known = agents.get(id);
  if (known) return known;
  const { url } = proxyOf(proxy);
  const agent = isTunnel
    ? new (await import('https-proxy-agent')).HttpsProxyAgent(url, { keepAlive: true })
    : new (await import('http-proxy-agent')).HttpProxyAgent(url, { keepAlive: true });
  agents.set(id, agent);
  return agent;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
