// What a worker spends on telling the reporter of one test: noting a lease and a call, and the record as an attachment.
import { AttemptRecord } from '../../.cache/internals/index.js';

/** Milliseconds per record, by the clock given. */
export async function recordMs(clock, records = 20_000) {
  await many(records / 10);
  const began = clock();
  await many(records);
  return (clock() - began) / records;
}

async function many(count) {
  for (let index = 0; index < count; index++) await one(index);
}

async function one(index) {
  const testInfo = {
    testId: `test-${index}`,
    titlePath: ['a.spec.ts', 'a test'],
    attachments: [],
    errors: [],
    annotations: [],
    config: { shard: null, version: '' },
    workerIndex: 0,
    retry: 0,
  };
  const record = new AttemptRecord(SESSION, testInfo);
  const lease = { ...LEASE, id: `lease-${index}` };
  const at = Date.now();
  const holding = record.recorder.hold(lease, at);
  record.recorder.request(holding, { ...REQUEST, at, call: record.recorder.nextCall() });
  record.recorder.leave(lease, at + 12);
  await record.attach(null);
  if (testInfo.attachments[0]?.body.length < 200) throw new Error('the record is not what it should be');
}

const NEWS = { revision: '0123456789abcdef', configErrors: [], revisions: [], transitions: [] };
const GATE = { product: 'warn', environment: 'warn', unknown: 'warn', degraded: 'warn', shards: 'warn' };
const SESSION = {
  isNewToShard: () => false,
  workerContext: () => ({ ...NEWS, gate: GATE }),
  redact: (text) => text,
};
const LEASE = {
  acquiredAt: 0,
  waitedMs: 0.4,
  names: { endpoint: 'eu', key: 'ci-1' },
  init: { poolName: 'api', scope: 'test', pool: { protocol: 'http' } },
};
const REQUEST = {
  kind: 'ok',
  status: 200,
  durationMs: 12.3,
  elapsedMs: 12.3,
  waitedMs: 0,
  message: null,
  unsent: false,
  afterError: false,
  target: { method: 'GET', path: '/orders/1' },
  payload: 0,
  route: 1,
  identity: 1,
};
