import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { storeIdOf } from '../../src/client/address.ts';
import type { BrokerClient, BrokerClientOptions } from '../../src/client/broker-client.ts';
import { acquire, findBroker, newClient } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { greetRaw } from '../harness/raw-client.ts';
import { startRedis, type TestRedis } from '../harness/redis.ts';
import { key, poolSpec } from '../unit/core/world.ts';

const POOL = poolSpec({ keys: ['one', 'two'].map((name) => key(name, { maxConcurrent: 1 })) });

describe('a broker that takes over while the shared store is away', () => {
  let folder: string;
  let redis: TestRedis;
  let address: BrokerClientOptions['address'];
  let client: BrokerClient;
  const heard: string[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gb-'));
    redis = await startRedis();
    const shared = { url: redis.url, project: 'shop', leaseTtlMs: 30_000 };
    address = { projects: [path.join(folder, 's')], cacheFile: path.join(folder, 'cache.json'), shared };
    const onTransition: BrokerClientOptions['onTransition'] = ({ to, why }) => heard.push(`${to}: ${why}`);
    client = await newClient(inject('installedProject'), { address, pools: [POOL], onTransition });
  });

  afterEach(async () => {
    client.close();
    const broker = findBroker(address.projects[0]!);
    if (broker !== null) process.kill(broker, 'SIGKILL');
    await redis.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps what is held, says what is missing, and grants when the store is back', async () => {
    expect(await acquire(client, 'a')).toMatch(/one|two/);
    await redis.kill();
    const died = findBroker(address.projects[0]!)!;
    process.kill(died, 'SIGKILL');
    expect(await acquire(client, 'b', 300)).toBe('refused');
    expect(findBroker(address.projects[0]!)).not.toBe(died);
    expect(heard.join('\n')).toMatch(/ejected: 127\.0\.0\.1:\d+: the connection was refused/);
    const status = await client.ask({ type: 'status' });
    expect(status).toMatchObject({ pools: [{ leases: [{ holder: 'a' }] }] });
    const waiting = acquire(client, 'c');
    await redis.start();
    expect(await waiting).toMatch(/one|two/);
    expect(await acquire(client, 'd', 300)).toBe('refused');
    await until('it is healthy', () => heard.some((news) => news.startsWith('healthy: ')));
  });

  it('holds nothing for a link that died while it waited for the store', async () => {
    expect(await acquire(client, 'a')).toMatch(/one|two/);
    redis.pause();
    const { socket, entry } = await greetRaw(address.projects[0]!);
    const held = { lease: 'dead', pool: 'api', need: {}, holder: 'dead', testId: null };
    const hello = {
      type: 'hello',
      ...entry,
      store: storeIdOf(address),
      client: 'dead',
      pid: process.pid,
      pools: [POOL],
    };
    const member = { endpoint: null, key: 'two#k' };
    socket.write(`${JSON.stringify({ ...hello, held: [{ ...held, ...member }] })}\n`);
    await sleep(200);
    socket.destroy();
    await sleep(2_500);
    redis.resume();
    const status = await client.ask({ type: 'status' });
    expect(status).toMatchObject({ pools: [{ leases: [{ holder: 'a' }] }] });
  });
});
