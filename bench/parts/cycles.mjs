// What a process repeats under load. Each makes ready and gives the cycle: one lease's life, or its like, which returns how
// long its answer was waited for, in milliseconds.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { BrokerClient } from '../../dist/client.cjs';
import { exclusivePool, leaseCycle } from '../pool.mjs';
import { connectEcho } from './echo.mjs';

const ACQUIRE = `for i = 1, #KEYS do if redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', 30000) then return i end end return 0`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export const CYCLES = { broker, echo, lock, lua };

/** Acquire, hold, report, release. */
function broker({ address, keys = 50, holdMs = 0 }) {
  return leaseCycle(new BrokerClient({ address, pools: [exclusivePool(keys)] }), keys, holdMs);
}

/** The same bytes to and fro, and nothing decided in between. */
async function echo({ socketPath, holdMs = 0 }) {
  const { cycle } = await connectEcho(socketPath, holdMs);
  return cycle;
}

/** What people do without a broker: a lock file around a JSON file. */
async function lock({ folder, keys = 50 }) {
  const [lockFolder, state] = [`${folder}/lock`, `${folder}/state.json`];
  const locked = async (change) => {
    for (;;) {
      try {
        mkdirSync(lockFolder);
        break;
      } catch {
        await sleep(1 + Math.random() * 4);
      }
    }
    const read = readKeys(state, keys);
    change(read);
    writeFileSync(state, JSON.stringify(read));
    rmSync(lockFolder, { recursive: true });
  };
  return async () => {
    const began = performance.now();
    let mine;
    await locked((read) => {
      mine = read.findIndex((key) => key.free);
      read[mine].free = false;
    });
    const waited = performance.now() - began;
    await locked((read) => {
      read[mine].free = true;
    });
    return waited;
  };
}

function readKeys(file, keys) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return Array.from({ length: keys }, (_, index) => ({ name: `key-${index}`, free: true }));
  }
}

/** What people write by hand: one Lua script a step. */
async function lua({ url, keys = 50 }) {
  const client = await createClient({ url }).connect();
  const [acquire, release] = [await client.scriptLoad(ACQUIRE), await client.scriptLoad(RELEASE)];
  const names = Array.from({ length: keys }, (_, index) => `bare:${index}`);
  return async (count) => {
    const lease = `${process.pid}-${count}`;
    const began = performance.now();
    const index = await client.evalSha(acquire, { keys: names, arguments: [lease] });
    const waited = performance.now() - began;
    await client.evalSha(release, { keys: [names[index - 1]], arguments: [lease] });
    return waited;
  };
}
