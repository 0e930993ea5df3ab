import type { Agent } from 'node:http';

const agents = new Map<string, Agent>();

/** The agent that sends what goes to `origin` through a proxy, as Node's own http module takes it; null without one. */
export async function proxyAgent(proxy: string | undefined, origin: string): Promise<Agent | null> {
  if (proxy === undefined) return null;
  const isTunnel = origin.startsWith('https:');
  const id = `${isTunnel} ${proxy}`;
  const known = agents.get(id);
  if (known) return known;
  const agent = isTunnel
    ? new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, { keepAlive: true })
    : new (await import('http-proxy-agent')).HttpProxyAgent(proxy, { keepAlive: true });
  agents.set(id, agent);
  return agent;
}
