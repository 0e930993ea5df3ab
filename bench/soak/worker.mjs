// One process of the soak: leases, holds and releases until it is stopped or killed, and logs what it holds. A holding
// is logged after it was granted and until before it is given back: what overlaps in the logs overlapped in truth.
import { openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { SUCCESS } from '../pool.mjs';
import { POOLS } from './pools.mjs';
import { seededRandom } from '../../.cache/internals/index.js';

const order = JSON.parse(process.argv[2]);
const { BrokerClient } = await import(pathToFileURL(path.join(order.dist, 'client.js')));

const random = seededRandom(order.seed);
const file = openSync(order.log, 'a');
/** What is held now, by lease. */
const held = new Map();
let count = 0;
let stopped = false;
process.once('message', () => (stopped = true));
process.once('disconnect', () => process.exit(0));

// A test waits for one lease at a time, so each loop is a worker of its own to the broker.
await Promise.all([work('even', evenWish, () => random() * 2), work('mixed', mixedWish, mixedTime)]);
process.send(count, () => process.disconnect());

async function work(pool, wish, holdMs) {
  const client = new BrokerClient({ address: order.address, pools: POOLS, onLost: drop });
  while (!stopped) await one(client, pool, wish(), holdMs());
  client.close();
}

async function one(client, pool, need, holdMs) {
  const lease = `${process.pid}-${++count}`;
  const identity = { lease, pool, need, holder: 'soak', testId: null };
  log('A', lease, pool);
  const answer = await client.ask({ type: 'acquire', ...identity, timeoutMs: 60_000, exclude: [] });
  if (answer.is !== 'granted') log('R', lease, JSON.stringify(answer));
  else {
    take(lease, pool, answer.grant);
    if (holdMs > 1) await sleep(holdMs);
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
  await sleep(random() * 20);
}

function take(lease, pool, grant) {
  const subjects = Object.entries(idsOf(grant)).filter(([, id]) => id !== null);
  held.set(
    lease,
    subjects.map(([kind, id]) => `${pool}/${kind}:${id}`),
  );
  for (const subject of held.get(lease)) log('S', lease, subject);
}

/** Stops using it: given back soon, or lost. False where it was lost before. */
function drop(lease) {
  for (const subject of held.get(lease) ?? []) log('E', lease, subject);
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
