import { expect, it } from 'vitest';
import { aggregate } from '../../../src/reporter/report/aggregate.ts';
import { collectResult, collectTests } from '../../../src/reporter/collect/collect.ts';
import {
  attachment,
  collect,
  holding,
  leased,
  ORIGIN,
  record,
  reportOf,
  RUN,
  testCase,
} from './synthetic.ts';

const MERGED = { ...ORIGIN, shard: null, merging: true };

it('describes a test by its titles, file and line', () => {
  const { runState } = collect([
    { title: 'lists', describe: 'orders', file: 'shop/orders.spec.ts', line: 12, results: [{}] },
  ]);
  expect([...runState.tests.values()][0]).toMatchObject({
    title: 'orders › lists',
    file: 'shop/orders.spec.ts',
    line: 12,
    project: 'api',
    status: 'expected',
  });
});

it.each([
  ['no JSON', '{"v":1,'],
  ['another version', { ...record(), v: 2 }],
  ['a field of another type', { ...record(), calls: 'three' }],
  ['an attempt that is too short', { ...record(), requests: [[0, 0, 0]] }],
  ['null', 'null'],
])('skips a record that is %s, and counts it', (_, content) => {
  const { runState, cases } = collect([]);
  const test = testCase({
    title: 't',
    results: [{ status: 'failed', records: [leased('api/eu/k', [[0, 'ok']])] }],
  });
  test.results[0]!.attachments.push(attachment(content), {
    name: 'shot',
    contentType: 'image/png',
    path: '/no/such',
  });
  const before = structuredClone(test.results[0]!.attachments.length);
  const seen = reportFrom(runState, test);
  expect(runState.foreign).toEqual({
    count: 1,
    list: [{ testId: test.id, retry: 0, why: expect.stringMatching(/./) as unknown }],
  });
  expect(seen.totals.requests).toBe(1);
  expect(test.results[0]!.attachments).toHaveLength(before);
  expect(cases).toEqual([]);
});

it('takes shard and worker from the records, since merging numbers workers anew', () => {
  const merged = reportOf(
    [
      {
        title: 'a',
        results: [{ worker: 7, records: [leased('api/eu/k', [], { shard: '2/3', worker: 1 })] }],
      },
      { title: 'b', results: [{ worker: 8 }] },
    ],
    {},
    MERGED,
  );
  expect(merged.tests.map(({ results }) => [results[0]!.shard, results[0]!.worker])).toEqual([
    [2, 1],
    [null, null],
  ]);
  expect(merged.run.shards).toEqual({ total: 3, present: [2] });
  const direct = reportOf([{ title: 'b', results: [{ worker: 8 }] }]);
  expect(direct.tests[0]!.results[0]).toMatchObject({ shard: 1, worker: 8 });
  expect(direct.run.shards).toEqual({ total: 1, present: [1] });
});

it('adds each member that a lease moved to', () => {
  const first = holding('api/eu/k1', { waitedMs: 5, heldMs: 2500 });
  const moved = record({
    leases: [first, holding('api/us/k1', { id: first.id })],
    requests: [
      [0, 0, 4, 503, 40, 0, 0],
      [60, 1, 0, 200, 30, 0, 5],
      [90, 0, 0, 200, 30, 1, 0],
    ],
    calls: 2,
    degraded: true,
    pinned: { pool: 'api', to: 'eu', by: 'baseURL' },
  });
  const { totals, tests } = reportOf([{ title: 't', results: [{ records: [moved] }] }]);
  expect(totals).toMatchObject({
    leases: 1,
    calls: 2,
    requests: 3,
    requestRetries: 1,
    waitedMs: 10,
    degraded: 1,
    pinned: 1,
  });
  expect(tests[0]!.results[0]!.leases).toEqual([
    {
      pool: 'api',
      endpoint: 'eu',
      key: 'k1',
      waitedMs: 5,
      heldMs: 2500,
      requests: 2,
      failures: 1,
      rerouted: false,
    },
    {
      pool: 'api',
      endpoint: 'us',
      key: 'k1',
      waitedMs: 0,
      heldMs: 1000,
      requests: 1,
      failures: 0,
      rerouted: false,
    },
  ]);
});

it('lists tests in the order of the suite, including those that did not run', () => {
  const { runState, cases } = collect([
    { title: 'first', results: [{}] },
    { title: 'second', results: [{}] },
  ]);
  const never = testCase({ title: 'never', results: [] });
  const tests = collectTests(runState, [never, cases[1]!], ORIGIN);
  expect(tests.map(({ title, status }) => [title, status])).toEqual([
    ['never', 'skipped'],
    ['second', 'expected'],
    ['first', 'expected'],
  ]);
});

function reportFrom(
  runState: Parameters<typeof collectTests>[0],
  test: ReturnType<typeof testCase>,
): ReturnType<typeof reportOf> {
  for (const result of test.results) collectResult(runState, test, result, ORIGIN);
  return aggregate(runState, collectTests(runState, [test], ORIGIN), RUN);
}
