// Leases over Redis, through the broker, beside one bare Lua script per step from each process: what people write by
// hand. Needs redis-server. Prints ratios within this run.
//
//   npm run build && node bench/leases-redis.mjs [seconds per measurement, default 2]
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@redis/client';
import { Link } from '../dist/link/link.js';
import { exclusivePool, leaseCycle } from './pool.mjs';
import { startRedis } from './redis-server.mjs';

const self = fileURLToPath(import.meta.url);
const KEYS = 50;
const ACQUIRE = `for i = 1, #KEYS do if redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', 30000) then return i end end return 0`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

if (process.send) await worker(JSON.parse(process.argv[2]));
else await main(Number(process.argv[2] ?? 2));

async function main(seconds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'gb-'));
  const redis = await startRedis(folder);
  const { url } = redis;
  // A server that nobody knows grants once lost brokers had the time to come back.
  await sleep(4_500);
  const rows = [];
  for (const processes of [1, 4, 8]) {
    const bare = await measure({ mode: 'bare', url, seconds }, processes);
    const address = {
      socketPath: path.join(folder, `s${processes}`),
      cacheFile: path.join(folder, 'cache.json'),
    };
    const shared = { url, project: `bench-${processes}`, leaseTtlMs: 30_000 };
    const leases = await measure({ mode: 'broker', address: { ...address, shared }, seconds }, processes);
    rows.push({
      processes,
      'leases/s': Math.round(leases.rate),
      'of bare Lua': (leases.rate / bare.rate).toFixed(2),
      'p50 ms': leases.p50.toFixed(2),
      'p99 ms': leases.p99.toFixed(1),
    });
  }
  console.log(`Over Redis, uncontended: ${KEYS} exclusive keys, acquire, report, release`);
  console.table(rows);
  redis.kill();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(order, processes) {
  const children = Array.from({ length: processes }, () => fork(self, [JSON.stringify(order)]));
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))));
  for (const child of children) child.send('go');
  const results = await Promise.all(
    children.map((child) => new Promise((resolve) => child.once('message', resolve))),
  );
  for (const child of children) child.kill();
  const waits = results.flat().sort((a, b) => a - b);
  const at = (share) => waits[Math.floor(waits.length * share)];
  return { rate: waits.length / order.seconds, p50: at(0.5), p99: at(0.99) };
}

async function worker({ mode, address, url, seconds }) {
  const cycle =
    mode === 'bare'
      ? await bareCycle(url)
      : await leaseCycle(new Link({ address, pools: [exclusivePool(KEYS)] }), KEYS);
  process.send('ready');
  await new Promise((resolve) => process.once('message', resolve));
  const waits = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) waits.push(await cycle(waits.length));
  process.send(waits);
}

async function bareCycle(url) {
  const client = await createClient({ url }).connect();
  const [acquire, release] = [await client.scriptLoad(ACQUIRE), await client.scriptLoad(RELEASE)];
  const names = Array.from({ length: KEYS }, (_, index) => `bare:${index}`);
  return async (count) => {
    const lease = `${process.pid}-${count}`;
    const began = performance.now();
    const index = await client.evalSha(acquire, { keys: names, arguments: [lease] });
    const waited = performance.now() - began;
    await client.evalSha(release, { keys: [names[index - 1]], arguments: [lease] });
    return waited;
  };
}
