import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/reporter/report/model.ts';
import { type FakeResult, type FakeTest, leased, record, reportOf } from './synthetic.ts';

const failed = (...records: FakeResult['records'] & object): FakeResult => ({ status: 'failed', records });
const passed = (...records: FakeResult['records'] & object): FakeResult => ({ status: 'passed', records });

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
      [failed(), failed(leased('api/us/k', [[9, 'rate-limit', 429]])), passed()],
      ['environment', 'unknown', 'environment', null],
    ],
    [
      'the worker’s own where no member was given to the test',
      [failed(record({ verdict: { verdict: 'environment', evidence: ['api: every key is quarantined'] } }))],
      ['environment', 'environment'],
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

  it('is null for an expected failure, and product for an unexpected pass', () => {
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

describe('a server error that every endpoint returns', () => {
  const at = (endpoint: string, after: number, status: number): FakeResult =>
    failed(leased(`api/${endpoint}/k`, [[after, 'server', status]]));
  const fine = (endpoint: string, after: number): FakeResult =>
    passed(leased(`api/${endpoint}/k`, [[after, 'ok']]));

  it.each<[string, FakeResult[][], string]>([
    ['product: both endpoints gave it to one test', [[at('eu', 0, 500), at('us', 4000, 500)]], 'product'],
    ['product: each gave it to another test', [[at('eu', 0, 500)], [at('us', 50_000, 500)]], 'product'],
    ['environment: only one endpoint was asked', [[at('eu', 0, 500), at('eu', 100, 500)]], 'environment'],
    [
      'environment: the others gave another status',
      [[at('eu', 0, 500)], [at('us', 100, 503)]],
      'environment',
    ],
    [
      'environment: another endpoint was well',
      [[at('eu', 0, 500)], [at('us', 100, 500)], [fine('ap', 50)]],
      'environment',
    ],
    [
      'environment: the others gave it minutes later',
      [[at('eu', 0, 500)], [fine('us', 900)], [at('us', 300_000, 500)]],
      'environment',
    ],
    [
      'environment: this test got past it elsewhere',
      [[at('eu', 0, 500), fine('us', 100)], [at('us', 200, 500)]],
      'environment',
    ],
    [
      'environment: another pool’s is no evidence',
      [[at('eu', 0, 500)], [failed(leased('b2b/us/k', [[9, 'server', 500]]))]],
      'environment',
    ],
  ])('%s', (_, groups, expected) => {
    const report = reportOf(groups.map((results, index) => ({ title: `t${index}`, results })));
    expect(report.tests[0]!.verdict).toBe(expected);
  });

  it('is named in the evidence', () => {
    const report = reportOf([{ title: 't', results: [at('eu', 0, 500), at('us', 4000, 500)] }]);
    expect(report.tests[0]!.results[0]!.evidence).toMatchInlineSnapshot(`
      [
        "api/eu/k: server 500, 1×, 02:00:00–02:00:00",
        "the same answer at every endpoint that was asked: the product gives it",
      ]
    `);
  });
});
