// Starts three replicas of the orders service on free ports and runs a command against them:
//   node server/with-replicas.mjs playwright test
// Their addresses are in REPLICA_EU, REPLICA_US and REPLICA_AP, three API keys in ORDERS_KEY_1 to ORDERS_KEY_3.
// As in real life, something is always wrong: the second key was revoked, the third may make a few requests a
// second only, and the replica ap is down when the tests begin and comes back a few seconds later.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createOrders } from './orders.mjs';
import { startReplica } from './replica.mjs';

const AP_IS_DOWN_MS = 3000;
const LATENCY_MS = { eu: 100, us: 150, ap: 220 };

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('usage: node server/with-replicas.mjs COMMAND [ARGUMENT …]');
  process.exitCode = 2;
} else {
  await main();
}

async function main() {
  const values = [1, 2, 3].map((number) => `orders-${number}-${randomBytes(12).toString('hex')}`);
  const keys = {
    [values[0]]: { owner: 'ci-1' },
    [values[1]]: { owner: 'ci-2', revoked: true },
    [values[2]]: { owner: 'ci-3', readsPerSecond: 4 },
  };
  const orders = createOrders();
  const begin = once(() => setTimeout(() => void ap.comeBack(), AP_IS_DOWN_MS).unref());
  const start = (name) => startReplica({ name, orders, keys, latencyMs: LATENCY_MS[name], onRequest: begin });
  const [eu, us, ap] = await Promise.all(['eu', 'us', 'ap'].map(start));
  await ap.goDown();
  process.exitCode = await run({
    REPLICA_EU: eu.url,
    REPLICA_US: us.url,
    REPLICA_AP: ap.url,
    ...Object.fromEntries(values.map((value, index) => [`ORDERS_KEY_${index + 1}`, value])),
  });
  await Promise.all([eu, us, ap].map((replica) => replica.goDown()));
}

function run(variables) {
  const windows = process.platform === 'win32';
  const child = spawn(command, args, {
    env: { ...process.env, ...variables },
    stdio: 'inherit',
    shell: windows,
  });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${command} did not start: ${error.message}. Is it run by npm, as "npm test"?`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function once(action) {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
