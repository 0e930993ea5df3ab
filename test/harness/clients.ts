import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrokerClient, BrokerClientOptions } from '../../src/client/broker-client.ts';

/** The module of links in an installed package: its links start the broker that lies beside it. */
export function clientFile(installedProject: string): string {
  return path.join(installedProject, 'node_modules/gemba-agent/dist/client.cjs');
}

export async function newClient(
  installedProject: string,
  options: BrokerClientOptions,
): Promise<BrokerClient> {
  const module = (await import(pathToFileURL(clientFile(installedProject)).href)) as {
    BrokerClient: new (options: BrokerClientOptions) => BrokerClient;
  };
  return new module.BrokerClient(options);
}

/** Asks for a lease of any key: the key's name, or what else the answer is. */
export async function acquire(client: BrokerClient, lease: string, timeoutMs = 20_000): Promise<string> {
  const identity = { lease, pool: 'api', need: {}, holder: lease, testId: null };
  const answer = await client.ask({ type: 'acquire', ...identity, timeoutMs, exclude: [] });
  if (answer.is !== 'granted') return answer.is;
  return answer.grant.key!.name;
}

/** The broker's process, by its project on its command line. */
export function findBroker(project: string): number | null {
  return brokersWith(project)[0] ?? null;
}

/** Brokers that have this on their command line: a project, or the path of their configuration. */
export function brokersWith(argument: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => isBrokerWith(argument, pid)).map(Number);
}

function isBrokerWith(argument: string, pid: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return args.includes(argument) && args.some((arg) => /[\\/]broker\.cjs$/.test(arg));
  } catch {
    // It ended while we looked.
    return false;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
