// What the lease benchmarks share: a pool of exclusive keys, and the messages of one lease's life.

import { setTimeout as sleep } from 'node:timers/promises';

/** A pool of so many exclusive keys, as a link announces it. */
export function exclusivePool(keys) {
  return {
    name: `p${keys}`,
    endpoints: [],
    keys: Array.from({ length: keys }, (_, index) => exclusiveKey(`key-${index}`)),
    protocol: 'http',
    rotation: 'round-robin',
    routing: 'success-rate',
    maxFailures: 5,
    maxRetries: 3,
    timeoutMs: 5_000,
    acquireTimeoutMs: 60_000,
    ejection: { baseMs: 15_000, maxMs: 600_000 },
    retryBudget: 0.2,
  };
}

function exclusiveKey(name) {
  const identity = { name, id: `${name}#00000000`, fingerprint: '00000000', quotaGroup: name };
  return { ...identity, weight: 1, maxConcurrent: 1, enabled: true, labels: {} };
}

/** What an acquire of that pool asks for. */
export function wish(keys) {
  return { pool: `p${keys}`, need: {}, holder: 'bench › a test', testId: null, exclude: [] };
}

/** A successful request, as a client reports it. */
export const SUCCESS = {
  call: 'c',
  request: 1,
  signature: null,
  endpoint: null,
  outcome: { kind: 'ok', status: 200, durationMs: 5, retryAfterMs: null, unsent: false, auth: 'leased' },
};

/** One lease after the other: acquire, hold, report, release; tells how long each was waited for, in milliseconds. */
export async function leaseCycle(client, keys, holdMs = 0) {
  const cycle = async (count) => {
    const lease = `${process.pid}-${count}`;
    const began = performance.now();
    const answer = await client.ask({ type: 'acquire', lease, timeoutMs: 60_000, ...wish(keys) });
    const waited = performance.now() - began;
    if (holdMs > 0) await sleep(holdMs);
    client.report({ lease, ...SUCCESS, key: answer.grant.key.id });
    client.release(lease, false);
    return waited;
  };
  await cycle('first');
  return cycle;
}
