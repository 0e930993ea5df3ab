// Leases through the broker: throughput beside a bare echo of the same messages and beside a lock file, contention,
// and what a killed holder and a killed broker cost. Prints ratios within this run; absolute figures vary by machine.
//
//   npm run build && node bench/leases.mjs [seconds per measurement, default 2]
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Link } from '../dist/link/link.js';
import { exclusivePool, leaseCycle, SUCCESS, wish } from './pool.mjs';

const self = fileURLToPath(import.meta.url);
const seconds = Number(process.argv[2] ?? 2);

if (process.send && !process.argv[2].includes('"serve"')) await worker(JSON.parse(process.argv[2]));
else if (!process.send) await main();

async function main() {
  const folder = mkdtempSync(path.join(tmpdir(), 'gb-'));
  const rows = [];
  for (const processes of [1, 2, 4, 8]) {
    const echo = await measure('echo', processes, folder);
    const leases = await measure('broker', processes, folder);
    const lock = await measure('lock', processes, folder);
    rows.push({
      processes,
      'leases/s': Math.round(leases.rate),
      'of an echo': ratio(leases.rate / echo.rate),
      'of a lock file': ratio(leases.rate / lock.rate),
      'p50 ms': leases.p50.toFixed(2),
      'p99 ms': leases.p99.toFixed(1),
    });
  }
  console.log('Uncontended: 50 exclusive keys, acquire, report, release');
  console.table(rows);
  await contended(folder);
  await kills(folder);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * 8 processes, 4 exclusive keys, each held 5 ms. The ideal is what 4 processes reach that wait for nobody, with an echo
 * in place of each lease: the same machine's timers and wake-ups.
 */
async function contended(folder) {
  const ideal = await measure('paced', 4, folder);
  const { rate, mean, max } = await measure('contended', 8, folder);
  console.log(
    `Contended: ${Math.round(rate)} leases/s, ${Math.round((100 * rate) / ideal.rate)} % of the ideal (${Math.round(ideal.rate)}); longest wait ${ratio(max / mean)} × the mean`,
  );
}

async function kills(folder) {
  const address = addressIn(folder, 'kills');
  const link = new Link({ address, pools: [exclusivePool(1)] });
  const times = { holder: [], broker: [] };
  for (let round = 0; round < 10; round++) {
    const child = start({ mode: 'hold', address });
    await said(child, 'held');
    const next = take(link, `next-${round}`, 1);
    await sleep(50);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    await next;
    times.holder.push(performance.now() - killedAt);
    link.release(`next-${round}`, false);
  }
  await take(link, 'kept', 1);
  for (let round = 0; round < 10; round++) {
    const pid = brokerPid(address.socketPath);
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    const refused = await link.ask({ type: 'acquire', lease: `r${round}`, timeoutMs: 0, ...wish(1) });
    times.broker.push(performance.now() - killedAt);
    if (refused.is !== 'refused') throw new Error('the held lease was given to another');
  }
  link.close();
  console.log(`Killed holder: its member leased again after ${spread(times.holder)} ms`);
  console.log(
    `Killed broker: it answers again after ${spread(times.broker)} ms, the held lease kept in 10 of 10`,
  );
}

async function measure(mode, processes, folder) {
  const address = addressIn(folder, `${mode}-${processes}`);
  mkdirSync(`${address.socketPath}.d`, { recursive: true });
  const server = mode === 'echo' || mode === 'paced' ? await echoServer(address.socketPath) : undefined;
  const children = Array.from({ length: processes }, () => start({ mode, address, seconds }));
  await Promise.all(children.map((child) => said(child, 'ready')));
  for (const child of children) child.send('go');
  const results = await Promise.all(
    children.map((child) => new Promise((resolve) => child.once('message', resolve))),
  );
  for (const child of children) child.kill();
  server?.close();
  const waits = results.flatMap(({ waits }) => waits).sort((a, b) => a - b);
  const sum = waits.reduce((total, wait) => total + wait, 0);
  return {
    rate: waits.length / seconds,
    p50: waits[Math.floor(waits.length / 2)],
    p99: waits[Math.floor(waits.length * 0.99)],
    mean: sum / waits.length,
    max: waits.at(-1),
  };
}

async function worker({ mode, address, seconds: duration }) {
  if (mode === 'hold') {
    const link = new Link({ address, pools: [exclusivePool(1)] });
    await take(link, `held-${process.pid}`, 1);
    process.send('held');
    return setInterval(() => {}, 1000);
  }
  const cycle = await {
    echo: echoCycle,
    paced: pacedCycle,
    broker: brokerCycle,
    lock: lockCycle,
    contended: contendedCycle,
  }[mode](address);
  process.send('ready');
  await new Promise((resolve) => process.once('message', resolve));
  const waits = [];
  const end = performance.now() + duration * 1000;
  while (performance.now() < end) waits.push(await cycle(waits.length));
  process.send({ waits });
}

function brokerCycle(address, keys = 50, holdMs = 0) {
  return leaseCycle(new Link({ address, pools: [exclusivePool(keys)] }), keys, holdMs);
}

function pacedCycle(address) {
  return echoCycle(address, 5);
}

function contendedCycle(address) {
  return brokerCycle(address, 4, 5);
}

/** The same bytes to and fro, and nothing decided in between. */
async function echoCycle(address, holdMs = 0) {
  const socket = connect(address.socketPath);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.setEncoding('utf8');
  const message = { type: 'acquire', ask: 1, lease: 'x'.repeat(10), timeoutMs: 60_000, ...wish(50) };
  const report = { type: 'attempt', ...SUCCESS };
  return async () => {
    const began = performance.now();
    socket.write(`${JSON.stringify(message)}\n`);
    await new Promise((resolve) => socket.once('data', (text) => resolve(JSON.parse(text))));
    const waited = performance.now() - began;
    if (holdMs > 0) await sleep(holdMs);
    socket.write(`${JSON.stringify(report)}\n`);
    socket.write(`${JSON.stringify({ type: 'release', lease: 'x'.repeat(10), failed: false })}\n`);
    return waited;
  };
}

function echoServer(socketPath) {
  const server = fork(self, [JSON.stringify({ mode: 'serve', socketPath })], { stdio: 'ignore' });
  return new Promise((resolve) => {
    server.once('message', () => resolve({ close: () => server.kill() }));
  });
}

if (process.argv[2]?.includes('"serve"')) {
  const server = createServer((socket) => {
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      rest += chunk;
      for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
        const message = JSON.parse(rest.slice(0, end));
        rest = rest.slice(end + 1);
        if (message.type === 'acquire') socket.write(`${JSON.stringify(message)}\n`);
      }
    });
  });
  server.listen(JSON.parse(process.argv[2]).socketPath, () => process.send('serving'));
}

/** What people do without a broker: a lock file around a JSON file. */
async function lockCycle(address) {
  const lock = `${address.socketPath}.d/lock`;
  const state = `${address.socketPath}.d/state.json`;
  const locked = async (change) => {
    for (;;) {
      try {
        mkdirSync(lock);
        break;
      } catch {
        await sleep(1 + Math.random() * 4);
      }
    }
    const keys = readKeys(state);
    change(keys);
    writeFileSync(state, JSON.stringify(keys));
    rmSync(lock, { recursive: true });
  };
  return async () => {
    const began = performance.now();
    let mine;
    await locked((keys) => {
      mine = keys.findIndex((key) => key.free);
      keys[mine].free = false;
    });
    const waited = performance.now() - began;
    await locked((keys) => {
      keys[mine].free = true;
    });
    return waited;
  };
}

function readKeys(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return Array.from({ length: 50 }, (_, index) => ({ name: `key-${index}`, free: true }));
  }
}

async function take(link, lease, keys) {
  const answer = await link.ask({ type: 'acquire', lease, timeoutMs: 20_000, ...wish(keys) });
  if (answer.is !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
  link.keep({ lease, pool: `p${keys}`, need: {}, holder: 'bench', testId: null });
}

function start(order) {
  return fork(self, [JSON.stringify(order)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function said(child, word) {
  return new Promise((resolve) => child.on('message', (message) => message === word && resolve()));
}

function addressIn(folder, name) {
  return { socketPath: path.join(folder, name), cacheFile: path.join(folder, `${name}.json`) };
}

function brokerPid(socketPath) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (args.includes(socketPath) && args.some((arg) => arg.endsWith('broker/main.js'))) return Number(pid);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error('no broker runs');
}

function spread(times) {
  const sorted = times.sort((a, b) => a - b);
  return `${sorted[0].toFixed(0)}–${sorted.at(-1).toFixed(0)} (median ${sorted[Math.floor(sorted.length / 2)].toFixed(0)})`;
}

function ratio(value) {
  return `${value.toFixed(2)}`;
}
