import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { findBroker } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { foundServers, startRedis } from '../harness/redis.ts';
import type {
  BrokerClient as BrokerClientClass,
  BrokerClientOptions,
} from '../../src/client/broker-client.ts';

type BrokerClient = BrokerClientClass;
const NAMES = ['api', 'ui'];

/** The installed package's own module: the link starts the broker that lies beside it. */
async function installed(): Promise<{ BrokerClient: new (options: BrokerClientOptions) => BrokerClient }> {
  const file = path.join(inject('installedProject'), 'node_modules/gemba-agent/dist/client.cjs');
  return (await import(pathToFileURL(file).href)) as {
    BrokerClient: new (options: BrokerClientOptions) => BrokerClient;
  };
}

describe.skipIf(process.platform === 'win32')('the broker and strategies', () => {
  let folder: string;
  let address: BrokerClientOptions['address'];
  const clients: BrokerClient[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gs-'));
    address = { projects: [path.join(folder, 's')], cacheFile: path.join(folder, 'cache.json') };
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    kill();
    rmSync(folder, { recursive: true, force: true });
  });

  function kill(project = address.projects[0]!): void {
    const broker = findBroker(project);
    if (broker !== null) process.kill(broker, 'SIGKILL');
  }

  async function newClient(): Promise<BrokerClient> {
    const { BrokerClient } = await installed();
    const client = new BrokerClient({ address, pools: [] });
    clients.push(client);
    return client;
  }

  type Seed = { value: string; run: string; worker: number; choice: number };

  async function pick(
    client: BrokerClient,
    round: string,
    seed: Seed | null = null,
  ): Promise<{ name: string; rates: object }> {
    const asked = { task: 'login', candidates: NAMES, attempt: 1 };
    const answer = await client.ask({ type: 'pick', round, ...asked, seed });
    if (answer.is !== 'picked') throw new Error(answer.is);
    const rates = answer.strategyEstimates.map(({ name, successRate }) => [name, successRate] as const);
    return { name: answer.name, rates: Object.fromEntries(rates) };
  }

  /** One round after another, over these links in turn; `works` says which strategies do. */
  async function rounds(
    over: BrokerClient[],
    choices: number,
    works: (name: string) => boolean,
  ): Promise<string[]> {
    const picks: string[] = [];
    for (let choice = 0; choice < choices; choice++) {
      const client = over[choice % over.length]!;
      const round = randomUUID();
      const { name } = await pick(client, round);
      client.record(round, { ok: works(name), durationMs: 100, kind: null });
      picks.push(name);
    }
    return picks;
  }

  it('learns from all workers, and the next run knows it, also after a broker that was killed', async () => {
    const workers = [await newClient(), await newClient(), await newClient()];
    const picks = await rounds(workers, 60, (name) => name === 'ui');
    expect(picks.slice(20).filter((name) => name === 'api').length).toBeLessThanOrEqual(6);
    await until('it is saved', () => {
      return existsSync(address.cacheFile) && readFileSync(address.cacheFile, 'utf8').includes('"login"');
    });
    await sleep(400);
    for (const client of clients.splice(0)) client.close();
    await sleep(300);
    kill();
    await until('the broker is gone', () => findBroker(address.projects[0]!) === null);
    const next = await newClient();
    const { rates } = await pick(next, 'first');
    expect(rates).toMatchObject({ api: expect.any(Number), ui: expect.any(Number) });
    const [api, ui] = NAMES.map((name) => (rates as Record<string, number>)[name]!);
    expect(ui! - api!).toBeGreaterThan(0.3);
    const later = await rounds([next], 20, (name) => name === 'ui');
    expect(later.filter((name) => name === 'api').length).toBeLessThanOrEqual(3);
  });

  it.skipIf(foundServers().length === 0)(
    'tells what it learned to other machines, through the store',
    async () => {
      const redis = await startRedis();
      const shared = { url: redis.url, project: 'shop', leaseTtlMs: 10_000 };
      address = { ...address, shared };
      const here = await newClient();
      await rounds([here], 30, (name) => name === 'ui');
      await sleep(500);
      const own = address.projects[0]!;
      address = {
        projects: [path.join(folder, 'other')],
        cacheFile: path.join(folder, 'other.json'),
        shared,
      };
      const there = await newClient();
      const { rates } = await pick(there, 'first');
      const [api, ui] = NAMES.map((name) => (rates as Record<string, number>)[name]!);
      expect(ui! - api!).toBeGreaterThan(0.3);
      kill(own);
      await redis.close();
    },
  );

  it('blames no strategy for a worker that died while it ran', async () => {
    const [watching, dying] = [await newClient(), await newClient()];
    await rounds([watching], 6, () => true);
    const before = (await pick(watching, 'before')).rates;
    watching.record('before', null);
    for (let choice = 0; choice < 20; choice++) await pick(dying, `cut off ${choice}`);
    dying.close();
    await sleep(200);
    const after = (await pick(watching, 'after')).rates as Record<string, number>;
    for (const [name, rate] of Object.entries(before)) expect(after[name]).toBeCloseTo(rate as number, 2);
    dying.record('cut off 0', { ok: false, durationMs: 1, kind: null });
  });

  it('repeats the choices of a seeded run, also in a broker that has learned', async () => {
    const client = await newClient();
    const seeded = async (value: string, run: string): Promise<string[]> => {
      const picks: string[] = [];
      for (let choice = 0; choice < 40; choice++) {
        const round = randomUUID();
        const { name } = await pick(client, round, { value, run, worker: 0, choice });
        const durationMs = 20 + Math.random() * 60;
        client.record(round, { ok: name === 'ui' || choice > 20, durationMs, kind: null });
        picks.push(name);
      }
      return picks;
    };
    const first = await seeded('42', 'one');
    await rounds([client], 20, (name) => name === 'api');
    expect(await seeded('42', 'two')).toEqual(first);
    expect(new Set(first)).toEqual(new Set(NAMES));
  });
});
