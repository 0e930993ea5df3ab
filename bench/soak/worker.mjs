// One process of the soak: leases, holds and releases until it is stopped or killed, and logs what it holds. A holding
// is logged after it was granted and until before it is given back: what overlaps in the logs overlapped in truth. While it
// holds, it calls the server whose members it leases, as fixtures do: after a look whether the lease is proved its own.
import { openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { SUCCESS } from '../pool.mjs';
import { POOLS } from './pools.mjs';
import { seededRandom } from '../../.cache/internals/index.js';

const order = JSON.parse(process.argv[2]);
// Brokers are started by the same program.
if (order.exec) process.execPath = order.exec;
const { BrokerClient } = await import(pathToFileURL(path.join(order.dist, 'client.cjs')));

const random = seededRandom(order.seed);
const file = openSync(order.log, 'a');
/** What is held now, by lease. */
const held = new Map();
/** The session of each lease at the server. */
const sessions = new Map();
/** Acquire questions have this limit; a wait ends 10 s later at the latest. */
const TIMEOUT_MS = 60_000;
const LATE_MS = 10_000;
const CALL_EVERY_MS = 20;
const server = connect(order.sessions, '127.0.0.1').setNoDelay(true);
const answers = [];
server.on('data', (dots) => {
  for (let index = 0; index < dots.length; index++) answers.shift()();
});
server.on('error', () => process.exit(0));
let count = 0;
let taken = 0;
let stopped = false;
process.once('message', () => (stopped = true));
process.once('disconnect', () => process.exit(0));

// A test waits for one lease at a time, so each loop is a worker of its own to the broker.
await Promise.all([work('even', evenWish, () => random() * 2), work('mixed', mixedWish, mixedTime)]);
server.destroy();
process.send(count, () => process.disconnect());

async function work(pool, wish, holdMs) {
  const client = new BrokerClient({ address: order.address, pools: POOLS, onLost: drop });
  while (!stopped) await one(client, pool, wish(), holdMs());
  client.close();
}

async function one(client, pool, need, holdMs) {
  const lease = `${process.pid}-${++count}`;
  const identity = { lease, pool, need, holder: 'soak', testId: null };
  if (random() < 0.01) await odd(client, identity);
  log('A', lease, pool);
  const began = performance.now();
  const answer = await client.ask({ type: 'acquire', ...identity, timeoutMs: TIMEOUT_MS, exclude: [] });
  const waitedMs = performance.now() - began;
  if (waitedMs > TIMEOUT_MS + LATE_MS) log('P', lease, `waited ${waitedMs} ms`);
  if (answer.is !== 'granted') log('R', lease, JSON.stringify(answer));
  else {
    take(lease, pool, answer.grant);
    await use(client, lease, holdMs);
    if (pool === 'mixed' && random() < 0.1) await move(client, lease, pool, answer.grant);
    if (held.has(lease)) client.report({ lease, ...SUCCESS, ...idsOf(answer.grant) });
    drop(lease);
  }
  client.release(lease, random() < 0.1);
  if (count % 20 === 1) process.send?.(count);
}

/** Asks for another member: while it asks it may hold none. */
async function move(client, lease, pool, grant) {
  const wasHeld = drop(lease);
  const from = idsOf(grant);
  const answer = await client.ask({
    type: 'move',
    lease,
    from,
    exclude: [from.key],
    kind: 'network',
    unsent: true,
  });
  if (!wasHeld || answer.is !== 'granted') return;
  take(lease, pool, answer.grant);
  await use(client, lease, random() * 20);
}

/** Calls the server as long as the lease is held, for so long; each call is answered before the next one. */
async function use(client, lease, ms) {
  const ends = performance.now() + ms;
  do {
    await proved(client, lease);
    const members = held.get(lease);
    if (!members) return;
    await new Promise((resolve) => {
      answers.push(resolve);
      server.write(`${sessions.get(lease)} ${members.join(' ')}\n`);
    });
    const leftMs = ends - performance.now();
    if (leftMs > 1) await sleep(Math.min(leftMs, CALL_EVERY_MS));
  } while (performance.now() < ends);
}

async function proved(client, lease) {
  while (held.has(lease) && !client.isProved(lease)) await client.ask({ type: 'prove', lease });
}

/** Arguments that no schema accepts: refused where they are given, and no harm to what is held. */
async function odd(client, identity) {
  const asked = { type: 'acquire', ...identity, timeoutMs: TIMEOUT_MS, exclude: [] };
  const wrong = [
    { timeoutMs: NaN },
    { timeoutMs: -1 },
    { holder: 7 },
    { need: { role: {} } },
    { lease: 'x'.repeat(10_000) },
    { pool: null },
  ];
  const change = wrong[Math.floor(random() * wrong.length)];
  const outcome = await client.ask({ ...asked, ...change }).then(
    ({ is }) => is,
    (error) => error.code,
  );
  if (!`${outcome}`.startsWith('GEMBA_')) log('P', identity.lease, `${JSON.stringify(change)}: ${outcome}`);
  client.report({ lease: identity.lease, ...SUCCESS, endpoint: null, key: null, durationMs: NaN });
}

function take(lease, pool, grant) {
  const subjects = Object.entries(idsOf(grant)).filter(([, id]) => id !== null);
  const members = subjects.map(([kind, id]) => `${pool}/${kind}:${id}`);
  held.set(lease, members);
  // What it has after a move is another session.
  sessions.set(lease, `${lease}.${++taken}`);
  for (const subject of members) log('S', lease, subject);
}

/** Stops using it: given back soon, or lost. False where it was lost before. */
function drop(lease) {
  for (const subject of held.get(lease) ?? []) log('E', lease, subject);
  sessions.delete(lease);
  return held.delete(lease);
}

function log(what, lease, about) {
  writeSync(file, `${what} ${process.hrtime.bigint()} ${lease} ${about}\n`);
}

function idsOf({ endpoint, key }) {
  return { endpoint: endpoint?.id ?? null, key: key?.id ?? null };
}

function evenWish() {
  return {};
}

function mixedWish() {
  return [{}, { role: 'admin' }, { role: 'user' }][Math.floor(random() * 3)];
}

function mixedTime() {
  return random() < 0.05 ? 100 + random() * 900 : random() * 40;
}
