import { describe, expect, it } from 'vitest';
import { OUTCOME_KINDS, type Transition } from '../../../src/core/types.ts';
import { estimateText } from '../../../src/reporter/page/member-rows.ts';
import { type FakeTest, holding, leased, record, reportOf, START } from './synthetic.ts';

const ROSTER = [
  {
    name: 'api',
    endpoints: [
      { name: 'eu', url: 'https://user:secret@eu.example.test/v2?key=secret' },
      { name: 'us', url: 'https://us.example.test' },
    ],
    keys: [
      { name: 'k1', fingerprint: '0a1b2c3d' },
      { name: 'k2', fingerprint: '4e5f6a7b' },
    ],
  },
];

describe('the requests of an attempt', () => {
  const targets = [
    { method: 'GET', path: '/orders/1' },
    { method: 'POST', path: '/orders' },
  ];

  it('are told in their order, with what became of each fault', () => {
    const one = record({
      leases: [holding('api/eu/k1'), holding('api/us/k1')],
      requests: [
        [0, 0, OUTCOME_KINDS.indexOf('server'), 503, 30, 0, 0, 0],
        [40, 1, OUTCOME_KINDS.indexOf('ok'), 200, 10, 0, 0, 0],
        [60, 1, OUTCOME_KINDS.indexOf('network'), 0, -7, 1, 0, 1],
      ],
      calls: 2,
      targets,
    });
    const fakes = [{ title: 'a', results: [{ status: 'failed' as const, records: [one] }] }];
    const [result] = reportOf(fakes).tests[0]!.results;
    const common = { pool: 'api', key: 'k1', waitedMs: 0 };
    const get = { ...common, method: 'GET', path: '/orders/1' };
    expect(result).toMatchObject({
      requestsOmitted: 0,
      requests: [
        { ...get, endpoint: 'eu', kind: 'server', status: 503, durationMs: 30, recovered: true },
        { ...get, endpoint: 'us', kind: 'ok', status: 200, durationMs: 10, recovered: null },
        { ...common, method: 'POST', path: '/orders', kind: 'network', durationMs: null, recovered: false },
      ],
    });
    expect(result?.requests[1]?.at).toBe(new Date(START + 40).toISOString());
  });

  it('are kept of failed attempts and retries always, of others up to 20,000 a run', () => {
    const many = leased(
      'api/eu/k1',
      Array.from({ length: 500 }, (_, index) => [index, 'ok'] as const),
    );
    const passed = Array.from({ length: 41 }, (_, index): FakeTest => {
      return { title: `passed ${index}`, results: [{ records: [many] }] };
    });
    const flaky = {
      title: 'flaky',
      results: [{ status: 'failed' as const, records: [many] }, { records: [many] }],
    };
    const { tests, totals } = reportOf([...passed, flaky]);
    const kept = tests.map(({ results }) =>
      results.map(({ requests, requestsOmitted }) => [requests.length, requestsOmitted]),
    );
    expect(kept[39]).toEqual([[500, 0]]);
    expect(kept[40]).toEqual([[0, 500]]);
    expect(kept[41]).toEqual([
      [500, 0],
      [500, 0],
    ]);
    expect(totals.requests).toBe(43 * 500);
  });
});

describe('totals', () => {
  it('count calls, requests and outcomes', () => {
    const report = reportOf([
      {
        title: 'a',
        results: [
          {
            records: [
              leased('api/eu/k1', [
                [0, 'server', 503, 30, 0],
                [40, 'ok', 200, 10, 0],
                [60, 'caller', 404, 20, 1],
                [90, 'network', 0, -1, 2],
              ]),
            ],
          },
        ],
      },
    ]);
    expect(report.totals).toMatchObject({
      tests: 1,
      passed: 1,
      leases: 1,
      calls: 3,
      requests: 4,
      successes: 2,
      failures: 2,
      requestRetries: 1,
      successRate: 0.5,
      avgResponseMs: 20,
      p50Ms: 20,
      p95Ms: 30,
      p99Ms: 30,
    });
  });

  it('are null where nothing was measured, never 100 %', () => {
    const { totals, pools, timeline } = reportOf([{ title: 'a', results: [{}] }]);
    expect(totals).toMatchObject({
      requests: 0,
      successRate: null,
      avgResponseMs: null,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
    });
    expect([pools, timeline]).toEqual([[], []]);
  });

  it('include omitted requests in requests and retries, not in the success rate', () => {
    const { totals } = reportOf([
      { title: 'a', results: [{ records: [leased('api/eu/k1', [[0, 'ok']], { requestsOmitted: 9 })] }] },
    ]);
    expect(totals).toMatchObject({
      requests: 10,
      requestRetries: 9,
      successes: 1,
      failures: 0,
      successRate: 1,
    });
  });

  it('never have a negative number of request retries', () => {
    const { totals } = reportOf([
      { title: 'a', results: [{ records: [leased('api/eu/k1', [], { calls: 3 })] }] },
    ]);
    expect(totals.requestRetries).toBe(0);
  });

  it('count tests by outcome', () => {
    const tests: FakeTest[] = [
      { title: 'passes', results: [{}] },
      { title: 'fails', results: [{ status: 'failed' }, { status: 'timedOut' }] },
      { title: 'is flaky', results: [{ status: 'failed' }, {}] },
      { title: 'is skipped', results: [{ status: 'skipped' }] },
      { title: 'fails as expected', expectedStatus: 'failed', results: [{ status: 'failed' }] },
    ];
    const { totals } = reportOf(tests);
    expect(totals).toMatchObject({ tests: 5, passed: 2, failed: 1, flaky: 1, skipped: 1 });
  });
});

describe('leases', () => {
  it('of a worker count once for all its tests', () => {
    const lease = holding('api/eu/k1', { scope: 'worker', waitedMs: 40 });
    const used = (title: string): FakeTest => ({
      title,
      results: [{ records: [record({ leases: [lease] })] }],
    });
    const { totals, pools } = reportOf([used('a'), used('b'), used('c')]);
    expect([totals.leases, totals.waitedMs, pools[0]!.endpoints[0]!.leases]).toEqual([1, 40, 1]);
  });

  it('that moved count once in all, and once for each member', () => {
    const first = holding('api/eu/k1');
    const leases = [first, holding('api/us/k1', { id: first.id })];
    const { totals, pools } = reportOf([{ title: 'a', results: [{ records: [record({ leases })] }] }]);
    expect(totals.leases).toBe(1);
    expect(pools[0]!.endpoints.map(({ name, leases: held }) => [name, held])).toEqual([
      ['eu', 1],
      ['us', 1],
    ]);
    expect(pools[0]!.keys[0]!.leases).toBe(2);
  });
});

describe('members', () => {
  it('are listed, used or not, without secrets in their URLs', () => {
    const report = reportOf([
      {
        title: 'a',
        results: [{ records: [leased('api/us/k2', [[0, 'rate-limit', 429, 12]], { memberList: ROSTER })] }],
      },
    ]);
    expect(report.pools).toHaveLength(1);
    const [eu, us] = report.pools[0]!.endpoints;
    expect(eu).toEqual({
      name: 'eu',
      url: 'https://eu.example.test/v2',
      state: 'healthy',
      until: null,
      why: null,
      leases: 0,
      requests: 0,
      successes: 0,
      failures: 0,
      successRate: null,
      avgMs: null,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
      share: 0,
      parts: null,
      kinds: {},
    });
    expect(us!.parts!.requests).toEqual([1, ...Array.from({ length: 59 }, () => 0)]);
    expect(us!.parts!.failures).toEqual(us!.parts!.requests);
    expect(us).toMatchObject({
      share: 1,
      p50Ms: 12,
      p99Ms: 12,
      leases: 1,
      requests: 1,
      failures: 1,
      successRate: 0,
      avgMs: 12,
      kinds: { 'rate-limit': 1 },
    });
    expect(report.pools[0]!.keys.map(({ name, fingerprint }) => [name, fingerprint])).toEqual([
      ['k1', '0a1b2c3d'],
      ['k2', '4e5f6a7b'],
    ]);
  });

  const change = (
    seq: number,
    after: number,
    to: Transition['to'],
    until: number | null,
    from: Transition['from'] = 'healthy',
  ): Transition => ({
    seq,
    broker: 'b1',
    at: START + after,
    pool: 'api',
    endpoint: 'eu',
    key: null,
    from,
    to,
    why: `${to} for a reason`,
    until: until === null ? null : START + until,
  });

  it.each<[string, Transition[], string, string | null, string | null]>([
    ['healthy without a word', [], 'healthy', null, null],
    [
      'as the last change left it',
      [change(2, 900, 'healthy', null, 'half-open'), change(1, 100, 'ejected', 500)],
      'healthy',
      null,
      null,
    ],
    [
      'ejected until later',
      [change(1, 100, 'ejected', 90_000)],
      'ejected',
      '2026-11-23T02:01:30.000Z',
      'ejected for a reason',
    ],
    [
      'ejected and due for its trial',
      [change(1, 100, 'ejected', 500)],
      'ejected',
      null,
      'ejected for a reason',
    ],
    [
      'quarantined without end',
      [change(1, 100, 'quarantined', null)],
      'quarantined',
      null,
      'quarantined for a reason',
    ],
    [
      'healthy after a cooldown, which time alone ends',
      [change(1, 100, 'cooling', 500)],
      'healthy',
      null,
      null,
    ],
    [
      'cooling beyond the end',
      [change(1, 100, 'cooling', 61_000)],
      'cooling',
      '2026-11-23T02:01:01.000Z',
      'cooling for a reason',
    ],
  ])('are %s', (_, transitions, state, until, why) => {
    const report = reportOf([
      {
        title: 'a',
        results: [{ records: [record({ memberList: ROSTER, healthSnapshots: [], transitions })] }],
      },
    ]);
    expect(report.pools[0]!.endpoints[0]).toMatchObject({ state, until, why });
  });

  it("have the router's last estimate with its intervals", () => {
    const estimate = {
      pool: 'api',
      endpoint: null,
      key: 'k1',
      successRate: 0.9,
      successLow: 0.8,
      successHigh: 0.97,
      avgMs: 120,
      avgLowMs: 100,
      avgHighMs: 150,
      probes: 2,
      changes: 1,
    };
    const late = record({
      memberList: ROSTER,
      healthSnapshots: [],
      routerEstimates: [{ ...estimate, at: START + 9 }],
    });
    const early = record({ routerEstimates: [{ ...estimate, at: START + 5, successRate: 0.1 }] });
    const report = reportOf([
      { title: 'a', results: [{ records: [late] }] },
      { title: 'b', results: [{ records: [early] }] },
    ]);
    const [first, second] = report.pools[0]!.keys;
    expect(first!.estimate).toEqual({
      successRate: 0.9,
      successRange: [0.8, 0.97],
      avgMs: 120,
      avgRangeMs: [100, 150],
      probes: 2,
      changes: 1,
    });
    expect(second).not.toHaveProperty('estimate');
    expect(estimateText(first!.estimate)).toBe(
      'estimated 90 % (80 % to 97 %), 120 ms, 2 probes, 1 change of speed',
    );
  });

  it('have the latest reported health of each shard where no transition follows', () => {
    const standing = {
      pool: 'api',
      endpoint: null,
      key: 'k1',
      state: 'disabled' as const,
      why: 'by hand',
      until: null,
    };
    const early = record({ memberList: ROSTER, healthSnapshots: [{ ...standing, key: 'k2' }], shard: '1/2' });
    const later = record({ memberList: ROSTER, healthSnapshots: [], shard: '1/2', startedAt: START + 5 });
    const other = record({ memberList: ROSTER, healthSnapshots: [standing], shard: '2/2' });
    const report = reportOf([{ title: 'a', results: [{ records: [later, early, other] }] }]);
    expect(report.pools[0]!.keys.map(({ name, state, why }) => [name, state, why])).toEqual([
      ['k1', 'disabled', 'by hand'],
      ['k2', 'healthy', null],
    ]);
  });

  it('have each transition once, in order of time, however many workers report it', () => {
    const [first, second] = [change(1, 100, 'ejected', 500), change(2, 600, 'half-open', null, 'ejected')];
    const told = (title: string, transitions: Transition[]): FakeTest => ({
      title,
      results: [{ records: [record({ transitions })] }],
    });
    const other = { ...change(1, 300, 'cooling', 400), broker: 'b2' };
    const report = reportOf([told('a', [second, first]), told('b', [first, other])]);
    expect(
      report.transitions.map(({ at, to, until }) => [at.slice(17, 23), to, until?.slice(17, 23) ?? null]),
    ).toEqual([
      ['00.100', 'ejected', '00.500'],
      ['00.300', 'cooling', '00.400'],
      ['00.600', 'half-open', null],
    ]);
  });
});

describe('the run', () => {
  it('keeps the last revision and every refused edit', () => {
    const at = (after: number, revision: string, configErrors: string[] = []): FakeTest => ({
      title: revision,
      results: [{ records: [record({ startedAt: START + after, revision, configErrors })] }],
    });
    const { run } = reportOf([
      at(900, 'r2'),
      at(100, 'r1', ['pools: too few']),
      at(200, 'r1', ['pools: too few']),
    ]);
    expect([run.configRevision, run.configErrors]).toEqual(['r2', ['pools: too few']]);
  });

  it('keeps the first 500 errors and counts the others', () => {
    const errors = Array.from({ length: 700 }, (_, index) => ({
      at: START + 700 - index,
      lease: 0,
      kind: 'server' as const,
      status: 503,
      message: 'x'.repeat(5000),
    }));
    const report = reportOf([{ title: 'a', results: [{ records: [leased('api/eu/k1', [], { errors })] }] }]);
    expect([report.errors.length, report.totals.errorsCut]).toEqual([500, 200]);
    expect(report.errors[0]!.at < report.errors[1]!.at).toBe(true);
    expect(report.errors[0]!.message).toHaveLength(1000);
  });

  it('counts strategies by task and name', () => {
    const strategies = [
      { task: 'login', name: 'api', ok: false, durationMs: 100, fallback: false },
      { task: 'login', name: 'form', ok: true, durationMs: 300, fallback: true },
      { task: 'login', name: 'form', ok: true, durationMs: 100, fallback: false },
    ];
    const report = reportOf([{ title: 'a', results: [{ records: [record({ strategies })] }] }]);
    expect(report.strategies).toMatchObject([
      {
        task: 'login',
        name: 'api',
        runs: 1,
        successes: 0,
        failures: 1,
        successRate: 0,
        avgMs: 100,
        chosen: 1,
        fallbacks: 0,
      },
      {
        task: 'login',
        name: 'form',
        runs: 2,
        successes: 2,
        failures: 0,
        successRate: 1,
        avgMs: 200,
        chosen: 1,
        fallbacks: 1,
      },
    ]);
  });
});
