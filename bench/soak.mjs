// Leases under fire: 8 processes take and give back leases while workers and brokers are killed and paused at random;
// with --redis two machines share a server that is killed, paused and started again empty. Each process logs what it
// holds by the monotonic clock that all processes share; the judge reads the logs, and nothing of ours.
//
//   npm run build && node bench/soak.mjs [--redis] [--seconds 10 | --leases 1000000] [--seed NAME] [--processes 8]
//                                        [--calm 4, times as long between kills] [--dist FOLDER] [--json]
//
// Ends with exit code 1 where a member had more holders than it may have, or anything was lost or left behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startRedis } from './redis-server.mjs';
import { brokerPid } from './parts/processes.mjs';
import { startChaos } from './soak/chaos.mjs';
import { judge } from './soak/judge.mjs';
import { POOLS, takeEverything } from './soak/pools.mjs';
import { Workers } from './soak/workers.mjs';
import { seededRandom } from '../.cache/internals/index.js';

const { values: options } = parseArgs({
  options: {
    redis: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    leases: { type: 'string' },
    seed: { type: 'string', default: `${process.pid}` },
    processes: { type: 'string', default: '8' },
    calm: { type: 'string', default: '1' },
    dist: { type: 'string', default: path.join(import.meta.dirname, '../dist') },
    json: { type: 'boolean', default: false },
  },
});

/** Claims of a machine that is gone return after this: short, so that servers are away for longer at times. */
const LEASE_TTL_MS = 2_000;
const SETTLE_MS = 1_000;
/** A broker without links ends before. */
const END_MS = 6_000;
const PROGRESS_MS = 30_000;

const { BrokerClient } = await import(pathToFileURL(path.join(options.dist, 'client.js')));

const folder = mkdtempSync(path.join(tmpdir(), 'gs-'));
const redis = options.redis ? await startRedis(folder) : null;
const addresses = addressesOf(redis);
const workers = new Workers({ folder, addresses, dist: options.dist, seed: options.seed });
const result = await soak();
redis?.kill();
const isSound = result.problems.length === 0;
if (isSound) rmSync(folder, { recursive: true, force: true });
else process.exitCode = 1;
print(result);

async function soak() {
  const began = performance.now();
  for (let index = 0; index < Number(options.processes); index++) workers.start();
  // At a start a server that is away is an error, and should be.
  while (workers.busy.length < Number(options.processes) && workers.problems.length === 0) await sleep(50);
  const random = seededRandom(options.seed);
  const chaos = startChaos({ workers, addresses, redis, random, calm: Number(options.calm) });
  const wanted = options.leases === undefined ? Infinity : Number(options.leases);
  const startedAt = performance.now();
  const endsAt = options.leases === undefined ? startedAt + Number(options.seconds ?? 10) * 1_000 : Infinity;
  for (let told = startedAt; performance.now() < endsAt && workers.leases < wanted; await sleep(50)) {
    if (options.json || performance.now() - told < PROGRESS_MS) continue;
    told = performance.now();
    console.log(`${seconds(began)} s: ${workers.leases} leases, ${JSON.stringify(chaos.counts)}`);
  }
  await chaos.stop();
  // Who is started or comes back waits for reasons of its own: how fairly all wait shows when that is over.
  await sleep(SETTLE_MS);
  const quiet = { from: Number(process.hrtime.bigint()), to: Infinity };
  await sleep(Math.max(2_000, (performance.now() - began) / 10));
  quiet.to = Number(process.hrtime.bigint());
  await workers.stop();
  const left = await leftBehind();
  const judged = judge(folder, { killedAt: workers.killedAt, pools: POOLS, quiet });
  return {
    seed: options.seed,
    seconds: seconds(began),
    ...chaos.counts,
    ...judged,
    problems: [...workers.problems, ...judged.problems, ...left],
  };
}

/** When all have ended, everything must be free: on each machine, and over all of them. */
async function leftBehind() {
  const problems = [];
  for (const address of addresses) {
    const client = new BrokerClient({ address, pools: POOLS });
    const { pools } = await client.ask({ type: 'status' });
    for (const { name, leases, waiting, members } of pools) {
      const inUse = members.filter((member) => member.inUse > 0);
      if (leases.length + waiting.length + inUse.length > 0)
        problems.push(`left behind in ${name}: ${JSON.stringify({ leases, waiting, inUse })}`);
    }
    problems.push(...(await takeEverything(client, redis ? LEASE_TTL_MS + 8_000 : 2_000)));
    client.close();
  }
  await sleep(END_MS);
  const running = addresses.filter(({ projects: [project] }) => brokerPid(project) !== null);
  problems.push(...running.map(({ projects }) => `the broker of ${projects} does not end`));
  return problems;
}

/** One machine; with a shared server two, of which each has its own broker. */
function addressesOf(server) {
  const shared = server && { url: server.url, project: 'soak', leaseTtlMs: LEASE_TTL_MS };
  return (server ? ['a', 'b'] : ['a']).map((machine) => ({
    projects: [path.join(folder, machine)],
    cacheFile: path.join(folder, `${machine}.json`),
    ...(shared && { shared }),
  }));
}

function print({ problems, ...facts }) {
  if (options.json) return console.log(JSON.stringify({ ...facts, problems }));
  console.log(facts);
  for (const problem of problems.slice(0, 20)) console.log(`PROBLEM ${problem}`);
  if (!isSound) console.log(`${problems.length} problems; the logs are in ${folder}`);
}

function seconds(began) {
  return Math.round((performance.now() - began) / 100) / 10;
}
