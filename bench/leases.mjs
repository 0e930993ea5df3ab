// Leases through the broker: throughput beside a bare echo of the same messages and beside a lock file, one at a time with
// pauses, contention, and what a killed holder and a killed broker cost. Ratios within this run; absolute figures vary by machine.
//
//   npm run build && node bench/leases.mjs [--seconds 2, per measurement] [--json]
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BrokerClient } from '../dist/client.cjs';
import { startEcho } from './parts/echo.mjs';
import { median, range, row, report } from './parts/figures.mjs';
import { inProcesses, load, perSecond, withWaits } from './parts/load.mjs';
import { brokerPid, endProcesses } from './parts/processes.mjs';
import { exclusivePool, wish } from './pool.mjs';

const self = fileURLToPath(import.meta.url);
const HOLD_MS = 5;
const KILLS = 10;

if (process.send) await hold(JSON.parse(process.argv[2]));
else await main();

async function main() {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } },
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'gb-'));
  const echo = await startEcho(path.join(folder, 'echo'), 'questions');
  const fullEcho = await startEcho(path.join(folder, 'full-echo'), 'all');
  const rows = [];
  const place = { folder, seconds: Number(values.seconds) };
  for (const processes of [1, 2, 4, 8]) rows.push(...(await uncontended(place, processes)));
  rows.push(await paced(place), ...(await contended(place)), ...(await kills(folder)));
  echo.close();
  fullEcho.close();
  // A broker that ends by itself would write what it learned into the folder that is removed here.
  endProcesses((args) => args.some((arg) => arg.startsWith(folder)));
  rmSync(folder, { recursive: true, force: true });
  report(rows, values.json);
}

/** 50 exclusive keys: acquire, report, release. */
async function uncontended({ folder, seconds }, processes) {
  const lockFolder = path.join(folder, `lock-${processes}`);
  mkdirSync(lockFolder);
  const how = { processes, seconds };
  const echo = await load('echo', { socketPath: path.join(folder, 'full-echo') }, how);
  const questions = await load('echo', { socketPath: path.join(folder, 'echo') }, how);
  const ours = await load('broker', { address: addressIn(folder, `broker-${processes}`) }, how);
  const lock = await load('lock', { folder: lockFolder }, how);
  const common = {
    what: `leases, ${inProcesses(processes)}`,
    ours: withWaits(ours),
  };
  const target = (limit) => (processes >= 4 ? { limit, atLeast: true, target: `≥ ${limit}` } : {});
  return [
    row({
      ...common,
      peer: `an echo of the messages, ${perSecond(echo)}`,
      ratio: ours.rate / echo.rate,
      ...target(0.9),
    }),
    row({
      ...common,
      peer: `an echo of the questions alone, ${perSecond(questions)}`,
      ratio: ours.rate / questions.rate,
    }),
    row({ ...common, peer: `a lock file, ${perSecond(lock)}`, ratio: ours.rate / lock.rate, ...target(15) }),
  ];
}

/** One process that leases now and then: what a test waits for, where nobody holds what it wants. */
async function paced({ folder, seconds }) {
  const how = { processes: 1, seconds };
  const echo = await load('echo', { socketPath: path.join(folder, 'echo'), holdMs: HOLD_MS }, how);
  const ours = await load('broker', { address: addressIn(folder, 'paced'), holdMs: HOLD_MS }, how);
  return row({
    what: 'a lease now and then, one process: its wait, p50',
    ours: `${ours.p50.toFixed(2)} ms`,
    peer: `an echo of the question, ${echo.p50.toFixed(2)} ms`,
    ratio: ours.p50 / echo.p50,
  });
}

/**
 * 8 processes, 4 exclusive keys, each held 5 ms. The ideal is what 4 processes reach that wait for nobody, with an echo
 * in place of each lease: the same machine's timers and wake-ups.
 */
async function contended({ folder, seconds }) {
  const socketPath = path.join(folder, 'echo');
  const ideal = await load('echo', { socketPath, holdMs: HOLD_MS }, { processes: 4, seconds });
  const wanted = { address: addressIn(folder, 'contended'), keys: 4, holdMs: HOLD_MS };
  const ours = await load('broker', wanted, { processes: 8, seconds });
  const what = 'leases, contended: 8 processes, 4 keys';
  const longest = ours.max / ours.mean;
  return [
    row({
      what,
      ours: perSecond(ours),
      peer: `the ideal, ${perSecond(ideal)}`,
      ratio: ours.rate / ideal.rate,
      limit: 0.85,
      atLeast: true,
      target: '≥ 0.85',
    }),
    row({
      what: `${what}: longest wait`,
      ours: `${longest.toFixed(1)} × the mean`,
      value: longest,
      limit: 3,
      target: '≤ 3',
    }),
  ];
}

async function kills(folder) {
  const address = addressIn(folder, 'kills');
  const client = new BrokerClient({ address, pools: [exclusivePool(1)] });
  const times = { holder: [], broker: [] };
  for (let round = 0; round < KILLS; round++) {
    const child = fork(self, [JSON.stringify(address)]);
    await new Promise((resolve) => child.once('message', resolve));
    const next = take(client, `next-${round}`);
    await sleep(50);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    await next;
    times.holder.push(performance.now() - killedAt);
    client.release(`next-${round}`, false);
  }
  await take(client, 'kept');
  for (let round = 0; round < KILLS; round++) {
    const pid = brokerPid(address.projects[0]);
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    const refused = await client.ask({ type: 'acquire', lease: `r${round}`, timeoutMs: 0, ...wish(1) });
    times.broker.push(performance.now() - killedAt);
    if (refused.is !== 'refused') throw new Error('the held lease was given to another');
  }
  client.close();
  return [
    killed('killed holder: member leased again', times.holder, 50),
    killed(`killed broker: back, the lease kept in ${KILLS} of ${KILLS}`, times.broker, 500),
  ];
}

function killed(what, times, limit) {
  const ours = `${median(times).toFixed(0)} ms (${range(times, 0)})`;
  return row({ what, ours, value: median(times), limit, target: `≤ ${limit} ms` });
}

/** Holds the only member until it is killed. */
async function hold(address) {
  await take(new BrokerClient({ address, pools: [exclusivePool(1)] }), `held-${process.pid}`);
  process.send('held');
  setInterval(() => {}, 1000);
}

async function take(client, lease) {
  const answer = await client.ask({ type: 'acquire', lease, timeoutMs: 20_000, ...wish(1) });
  if (answer.is !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
}

function addressIn(folder, name) {
  return { projects: [path.join(folder, name)], cacheFile: path.join(folder, `${name}.json`) };
}
