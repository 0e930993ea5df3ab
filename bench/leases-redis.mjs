// Leases over Redis, through the broker, beside one bare Lua script per step from each process: what people write by
// hand. Needs redis-server. Prints ratios within this run.
//
//   npm run build && node bench/leases-redis.mjs [--seconds 2, per measurement] [--json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { row, report } from './parts/figures.mjs';
import { inProcesses, load, perSecond, withWaits } from './parts/load.mjs';
import { endProcesses } from './parts/processes.mjs';
import { startRedis } from './redis-server.mjs';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } },
});
const seconds = Number(values.seconds);
const folder = mkdtempSync(path.join(tmpdir(), 'gb-'));
const redis = await startRedis(folder);
const { url } = redis;
// A server that nobody knows grants once lost brokers had the time to come back.
await sleep(4_500);
const rows = [];
for (const processes of [1, 4, 8]) rows.push(await uncontended(processes));
redis.kill();
endProcesses((args) => args.some((arg) => arg.startsWith(folder)));
rmSync(folder, { recursive: true, force: true });
report(rows, values.json);

/** 50 exclusive keys: acquire, report, release. */
async function uncontended(processes) {
  const how = { processes, seconds };
  const bare = await load('lua', { url }, how);
  const project = path.join(folder, `s${processes}`);
  const shared = { url, project: `bench-${processes}`, leaseTtlMs: 30_000 };
  const address = { projects: [project], cacheFile: path.join(folder, 'cache.json'), shared };
  const ours = await load('broker', { address }, how);
  const target = processes >= 4 ? { limit: 0.8, atLeast: true, target: '≥ 0.8' } : {};
  return row({
    what: `leases over Redis, ${inProcesses(processes)}`,
    ours: withWaits(ours),
    peer: `a bare Lua script a step, ${perSecond(bare)}`,
    ratio: ours.rate / bare.rate,
    ...target,
  });
}
