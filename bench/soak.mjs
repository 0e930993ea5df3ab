// Leases under fire: 8 processes take and give back leases and call a server with them. At random, workers and brokers are
// killed and stand still, the folder in which they meet is deleted, and their clocks are set (by libfaketime, where it is
// installed). With --redis two machines share a server that is killed, started again empty, emptied, paused, cut off and
// delayed. That server counts who uses its members; each process logs what it holds by the monotonic clock that all share.
// Two holders at once at the server are a fault; on one machine, two in the logs are one too, since nobody is robbed there.
//
//   npm run build && node bench/soak.mjs [--redis] [--seconds 10 | --leases 1000000] [--seed NAME] [--processes 8]
//       [--calm 4, times as long between faults] [--longest 20, seconds that a process stands still] [--dist FOLDER] [--json]
//
// Ends with exit code 1 where a member had more holders than it may have, or anything was lost or left behind.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startRedis } from './redis-server.mjs';
import { brokerPid } from './parts/processes.mjs';
import { startProxy } from './parts/proxy.mjs';
import { startChaos } from './soak/chaos.mjs';
import { settableClock } from './soak/clocks.mjs';
import { judge } from './soak/judge.mjs';
import { POOLS, takeEverything } from './soak/pools.mjs';
import { startSessions } from './soak/sessions.mjs';
import { Workers } from './soak/workers.mjs';
import { seededRandom } from '../.cache/internals/index.js';

const { values: options } = parseArgs({
  options: {
    redis: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    leases: { type: 'string' },
    seed: { type: 'string', default: `${process.pid}` },
    processes: { type: 'string', default: '8' },
    longest: { type: 'string', default: '20' },
    calm: { type: 'string', default: '1' },
    dist: { type: 'string', default: path.join(import.meta.dirname, '../dist') },
    json: { type: 'boolean', default: false },
  },
});

/** Claims of a machine that is gone return after this: short, so that servers are away for longer at times. */
const LEASE_TTL_MS = 2_000;
const SETTLE_MS = 500;
/** A broker without links ends before. */
const END_MS = 6_000;
/** A machine that says nothing is shown for less. */
const SHOWN_MS = 12_000;
const PROGRESS_MS = 30_000;

const { BrokerClient } = await import(pathToFileURL(path.join(options.dist, 'client.cjs')));

const folder = mkdtempSync(path.join(tmpdir(), 'gs-'));
const meeting = path.join(folder, 'tmp');
mkdirSync(meeting);
process.env.TMPDIR = meeting;
const redis = options.redis ? await startRedis(folder) : null;
if (redis) redis.proxy = await startProxy(redis.port);
const addresses = addressesOf(redis);
const sessions = await startSessions();
const clock = settableClock(folder);
const workers = new Workers({
  folder,
  addresses,
  dist: options.dist,
  seed: options.seed,
  sessions: sessions.port,
  clock,
});
const result = await soak();
redis?.kill();
redis?.proxy.close();
sessions.close();
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
  const chaos = startChaos({
    workers,
    addresses,
    redis,
    random,
    calm: Number(options.calm),
    longestMs: Number(options.longest) * 1_000,
    folder: path.join(meeting, `gemba-${process.getuid?.()}`),
    clock,
  });
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
  await sleep(Math.max(1_000, (performance.now() - began) / 10));
  quiet.to = Number(process.hrtime.bigint());
  await workers.stop();
  const left = await leftBehind();
  const judged = judge(folder, {
    killedAt: workers.killedAt,
    pools: POOLS,
    quiet,
    sessions,
    isStrict: redis === null,
  });
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
    // What a lost machine said is shown for some seconds.
    const giveUpAt = performance.now() + (redis ? SHOWN_MS : 0);
    let left = await heldNow(client);
    while (left.length > 0 && performance.now() < giveUpAt) {
      await sleep(250);
      left = await heldNow(client);
    }
    problems.push(...left);
    problems.push(...(await takeEverything(client, redis ? LEASE_TTL_MS + 8_000 : 2_000)));
    client.close();
  }
  const isRunning = ({ projects: [project] }) => brokerPid(project) !== null;
  for (const giveUpAt = performance.now() + END_MS; performance.now() < giveUpAt; await sleep(100))
    if (!addresses.some(isRunning)) break;
  const running = addresses.filter(isRunning);
  problems.push(...running.map(({ projects }) => `the broker of ${projects} does not end`));
  return problems;
}

async function heldNow(client) {
  const { pools } = await client.ask({ type: 'status' });
  return pools.flatMap(({ name, leases, waiting, members }) => {
    const inUse = members.filter((member) => member.inUse > 0);
    if (leases.length + waiting.length + inUse.length === 0) return [];
    return [`left behind in ${name}: ${JSON.stringify({ leases, waiting, inUse })}`];
  });
}

/** One machine; with a shared server two, of which each has its own broker. */
function addressesOf(server) {
  const url = server?.url.replace(`:${server.port}`, `:${server.proxy.port}`);
  const shared = server && { url, project: 'soak', leaseTtlMs: LEASE_TTL_MS };
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
