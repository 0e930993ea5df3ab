import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/reporter/report/model.ts';
import type { GembaRecord } from '../../../src/shared/record.ts';
import { type FakeResult, type FakeTest, leased, record, reportOf, START } from './synthetic.ts';

const failed = (...records: FakeResult['records'] & object): FakeResult => ({ status: 'failed', records });
const passed = (...records: FakeResult['records'] & object): FakeResult => ({ status: 'passed', records });

const targets = [
  { method: 'GET', path: '/orders' },
  { method: 'GET', path: '/customers' },
];
const out = (key: string): GembaRecord['atEnd'] => ({
  outOfService: [{ pool: 'api', endpoint: null, key }],
  extendedMs: 0,
  unextendedMs: 0,
});
const refusal = (
  parts: Partial<NonNullable<GembaRecord['refusals']>[number]>,
): NonNullable<GembaRecord['refusals']>[number] => {
  return {
    pool: 'api',
    fallbackPool: null,
    isMistake: false,
    isEvidence: true,
    why: 'all are out',
    ...parts,
  };
};
const foreign = {
  origin: 'https://idp.test',
  method: 'GET',
  path: '/login',
  kind: 'server' as const,
  status: 502,
  at: START,
  unsent: false,
  afterError: false,
};

function verdictsOf(report: Report): unknown[] {
  return report.tests.map((test) => [test.verdict, ...test.results.map(({ verdict }) => verdict)]);
}

const judged = (...results: FakeResult[]): unknown[] =>
  verdictsOf(reportOf([{ title: 't', results }]))[0] as unknown[];

describe('the verdict of a test', () => {
  it.each<[string, FakeResult[], unknown[]]>([
    [
      'none where it passed, whatever its attempts met',
      [passed(leased('api/eu/k', [[0, 'server', 503]]))],
      [null, null],
    ],
    ['product with clean traffic', [failed(leased('api/eu/k', [[0, 'ok']]))], ['product', 'product']],
    [
      'product where only the caller was wrong',
      [failed(leased('api/eu/k', [[0, 'caller', 404]]))],
      ['product', 'product'],
    ],
    [
      'environment with a fault',
      [failed(leased('api/eu/k', [[0, 'network']]))],
      ['environment', 'environment'],
    ],
    ['unknown without a record', [failed()], ['unknown', 'unknown']],
    ['unknown with a record but no attempt', [failed(leased('api/eu/k', []))], ['unknown', 'unknown']],
    [
      'product when any attempt was, whatever later ones met',
      [failed(leased('api/eu/k', [[0, 'ok']])), failed(leased('api/us/k', [[9, 'timeout']]))],
      ['product', 'product', 'environment'],
    ],
    [
      'environment rather than unknown',
      [failed(), failed(leased('api/us/k', [[9, 'rate-limit', 429]], { atEnd: out('k') })), passed()],
      ['environment', 'unknown', 'environment', null],
    ],
    [
      'environment where a lease was refused',
      [failed(record({ refusals: [refusal({})] }))],
      ['environment', 'environment'],
    ],
    [
      'unknown where that was a mistake in test or configuration',
      [failed(record({ refusals: [refusal({ isMistake: true })] }))],
      ['unknown', 'unknown'],
    ],
    [
      'product where another pool stood in for the one that refused',
      [failed(leased('spare/eu/k', [[0, 'ok']], { refusals: [refusal({ fallbackPool: 'spare' })] }))],
      ['product', 'product'],
    ],
    [
      'product where the key that refused it was back in service at its end',
      [failed(leased('api/us/k', [[9, 'rate-limit', 429]], { atEnd: out('other') }))],
      ['product', 'product'],
    ],
    [
      'unknown where another origin ended a call',
      [failed(leased('api/eu/k', [[0, 'ok']], { foreign: [foreign] }))],
      ['unknown', 'unknown'],
    ],
    [
      'unknown where the worker died, also after a fault',
      [
        {
          status: 'failed',
          error: 'Error: worker process exited unexpectedly (code=1, signal=null)',
          records: [leased('api/eu/k', [[0, 'network']])],
        },
      ],
      ['unknown', 'unknown'],
    ],
    [
      'none where the test was skipped or interrupted',
      [{ status: 'interrupted' }, { status: 'skipped' }],
      [null, null, null],
    ],
  ])('is %s', (_, results, expected) => {
    expect(judged(...results)).toEqual(expected);
  });

  it('is product for a fault that a passed attempt of the run ended with as well', () => {
    const attempt = leased('api/eu/k', [[0, 'server', 503, 9, 0, 0]], { targets });
    const report = reportOf([
      { title: 'failed', results: [failed(attempt)] },
      { title: 'passed', results: [passed(attempt)] },
    ]);
    expect(report.tests[0]!.verdict).toBe('product');
  });

  it('is environment where faults that recovered took a quarter of a timeout, waits of ours apart', () => {
    const slow = (extendedMs: number): FakeResult => ({
      status: 'timedOut',
      durationMs: 30_000,
      records: [
        leased(
          'api/eu/k',
          [
            [0, 'timeout', 0, -5_000, 0],
            [5_000, 'ok', 200, 9, 0],
          ],
          { atEnd: { outOfService: [], extendedMs, unextendedMs: 0 } },
        ),
      ],
    });
    expect(judged(slow(0))).toEqual(['product', 'product']);
    expect(judged(slow(10_000))).toEqual(['environment', 'environment']);
  });

  it('is none for a failure that the test expects, and product for a pass that it does not', () => {
    const tests: FakeTest[] = [
      {
        title: 'fails as told',
        expectedStatus: 'failed',
        results: [failed(leased('api/eu/k', [[0, 'ok']]))],
      },
      {
        title: 'passes against it',
        expectedStatus: 'failed',
        results: [passed(leased('api/eu/k', [[0, 'ok']]))],
      },
    ];
    const report = reportOf(tests);
    expect(verdictsOf(report)).toEqual([
      [null, null],
      ['product', 'product'],
    ]);
    expect(report.tests.map(({ status }) => status)).toEqual(['expected', 'unexpected']);
  });
});

describe('a 5xx over the whole run', () => {
  const at = (endpoint: string, after: number, status: number, target = 0): FakeResult =>
    failed(leased(`api/${endpoint}/k`, [[after, 'server', status, 9, 0, target]], { targets }));
  const fine = (endpoint: string, after: number, target = 0): FakeResult =>
    passed(leased(`api/${endpoint}/k`, [[after, 'ok', 200, 9, 0, target]], { targets }));
  const others = [[fine('eu', 10, 1)], [fine('us', 20, 1)]];

  it.each<[string, FakeResult[][], string]>([
    [
      'product: two endpoints gave it to one test',
      [[at('eu', 0, 500), at('us', 4000, 500)], ...others],
      'product',
    ],
    [
      'product: each gave it to another test',
      [[at('eu', 0, 503)], [at('us', 50_000, 503)], ...others],
      'product',
    ],
    ['unknown: a 500, and nothing else was seen', [[at('eu', 0, 500), at('eu', 100, 500)]], 'unknown'],
    [
      'environment: the same call succeeded elsewhere',
      [[at('eu', 0, 500)], [fine('us', 900)]],
      'environment',
    ],
    [
      'product: the same call succeeded elsewhere too long before',
      [[at('eu', 900_000, 500)], [fine('us', 900)], [fine('eu', 900_000, 1)]],
      'product',
    ],
    [
      'environment: what was asked once more for the evidence succeeded',
      [
        [
          failed(
            leased('api/eu/k', [[0, 'server', 500, 9, 0, 0]], {
              targets,
              evidence: [
                {
                  ...targets[0]!,
                  pool: 'api',
                  endpoint: 'us',
                  key: 'k',
                  payload: 0,
                  at: START,
                  kind: 'ok',
                  status: 200,
                  unsent: false,
                },
              ],
            }),
          ),
        ],
        ...others,
      ],
      'environment',
    ],
    [
      'product: another pool’s is no evidence',
      [
        [at('eu', 0, 500)],
        [fine('eu', 10, 1)],
        [passed(leased('b2b/us/k', [[9, 'ok', 200, 9, 0, 0]], { targets }))],
      ],
      'product',
    ],
  ])('%s', (_, groups, expected) => {
    const tests = groups.map((results, index) => ({ title: `t${index}`, results }));
    expect(reportOf(tests).tests[0]!.verdict).toBe(expected);
    const shuffled = reportOf(tests.toReversed()).tests.find(({ title }) => title === 't0');
    expect(shuffled?.verdict).toBe(expected);
  });

  it('has its comparison in the evidence, and what was asked once more in no total', () => {
    const evidence = { ...targets[0]!, pool: 'api', endpoint: 'us', key: 'k', payload: 0, at: START };
    const came = { kind: 'ok' as const, status: 200, unsent: false };
    const attempt = leased('api/eu/k', [[0, 'server', 500, 9, 0, 0]], {
      targets,
      evidence: [{ ...evidence, ...came }],
    });
    const report = reportOf([{ title: 't', results: [failed(attempt)] }]);
    expect(report.tests[0]!.results[0]!.evidence).toEqual([
      'api/eu/k: GET /orders: server 500, 1×, 02:00:00–02:00:00',
      'the same call succeeded at us',
      'GET /orders was asked once more at us, for the evidence alone: 200',
    ]);
    expect(report.totals).toMatchObject({ requests: 1, successes: 0 });
    expect(report.pools[0]?.endpoints.map(({ name }) => name)).toEqual(['eu']);
  });
});
