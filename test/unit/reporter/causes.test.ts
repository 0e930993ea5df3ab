import { expect, it } from 'vitest';
import type { OutcomeKind } from '../../../src/core/types.ts';
import { type FakeTest, leased, reportOf } from './synthetic.ts';

const targets = [
  { method: 'GET', path: '/orders/1' },
  { method: 'GET', path: '/customers' },
];

function failing(
  title: string,
  kind: OutcomeKind,
  status: number,
  options: { after?: number; message?: string; flaky?: boolean; member?: string } = {},
): FakeTest {
  const { after = 0, message, flaky = false, member = 'api/eu/k1' } = options;
  const errors =
    message === undefined ? [] : [{ at: after, lease: 0, kind, status: status || null, message }];
  const [pool = '', , key = ''] = member.split('/');
  const atEnd = { outOfService: [{ pool, endpoint: null, key }], extendedMs: 0, unextendedMs: 0 };
  const records = [leased(member, [[after, kind, status, -1, 0, 0]], { errors, atEnd, targets })];
  const first = { status: 'failed' as const, records };
  return { title, results: flaky ? [first, { records: [leased(member, [[after + 900, 'ok']])] }] : [first] };
}

it('groups failures by cause: product first, then the most frequent', () => {
  const minute = 60_000;
  const report = reportOf([
    failing('a', 'network', 0, { after: 10 * minute, message: 'connect ECONNREFUSED 10.0.0.1:443' }),
    failing('b', 'network', 0, { after: 27 * minute, flaky: true }),
    failing('c', 'network', 0, { after: 12 * minute }),
    failing('d', 'rate-limit', 429, { member: 'api/us/k2' }),
    { title: 'e', results: [{ status: 'failed', records: [leased('api/us/k1', [[0, 'ok']])] }] },
    { title: 'f', results: [{ status: 'failed' }] },
    {
      title: 'g',
      results: [
        { status: 'failed', error: 'Error: worker process exited unexpectedly (code=1, signal=null)' },
      ],
    },
    { title: 'h', results: [{}] },
  ]);
  expect(report.verdicts).toEqual({ product: 1, environment: 4, unknown: 2 });
  const said = report.causes.map(({ verdict, text, tests, failed, from, to }) => {
    return [verdict, text, tests.length, failed, from?.slice(11, 16), to?.slice(11, 16)].join(' | ');
  });
  expect(said).toMatchInlineSnapshot(`
    [
      "product | the tests failed, and no call of theirs ended in a fault | 1 | 1 |  | ",
      "environment | endpoint api/eu refused connections | 3 | 2 | 02:10 | 02:27",
      "environment | key api/k2 was rate limited (429) | 1 | 1 | 02:00 | 02:00",
      "unknown | not judged, made no leased request | 1 | 1 |  | ",
      "unknown | the worker crashed during the test | 1 | 1 |  | ",
    ]
  `);
});

it.each<[OutcomeKind, number, string | undefined, string]>([
  ['network', 0, 'getaddrinfo ENOTFOUND eu.example.test', 'endpoint api/eu was not found (DNS)'],
  [
    'network',
    0,
    'net::ERR_CONNECTION_REFUSED at https://eu.example.test/',
    'endpoint api/eu refused connections',
  ],
  ['network', 0, 'read ECONNRESET', 'endpoint api/eu reset connections'],
  ['network', 0, undefined, 'endpoint api/eu had network errors'],
  ['timeout', 0, undefined, 'endpoint api/eu did not answer in time'],
  ['server', 503, undefined, 'endpoint api/eu answered 503'],
  ['auth', 401, undefined, 'key api/k1 was refused (401)'],
  ['exhausted', 402, undefined, 'key api/k1 has used up its quota (402)'],
])('describes a %s fault (%d, %s)', (kind, status, message, text) => {
  const report = reportOf([failing('a', kind, status, message === undefined ? {} : { message })]);
  expect(report.causes[0]?.text).toBe(text);
});

it('names the route of a bug, and no endpoint', () => {
  const report = reportOf([
    failing('a', 'server', 500),
    failing('b', 'server', 500, { member: 'api/us/k1' }),
    ...['eu', 'us'].map((endpoint) => {
      const records = [leased(`api/${endpoint}/k1`, [[0, 'ok', 200, 9, 0, 1]], { targets })];
      return { title: endpoint, results: [{ records }] };
    }),
  ]);
  expect(report.causes).toHaveLength(1);
  expect(report.causes[0]).toMatchObject({
    verdict: 'product',
    text: 'GET /orders/# answered 500 at 2 of 2 endpoints of api',
    endpoint: null,
    failed: 2,
    answers: {
      routes: ['GET /orders/#'],
      endpoints: [
        {
          name: 'eu',
          answers: [{ successes: 0, failures: { 500: 1 } }],
          others: { successes: 1, failures: {} },
        },
        {
          name: 'us',
          answers: [{ successes: 0, failures: { 500: 1 } }],
          others: { successes: 1, failures: {} },
        },
      ],
    },
  });
});

const ok = (records = [leased('api/eu/k1', [[0, 'ok']])]) => records;
const failedAt = (title: string, line: number, code: string, message: string): FakeTest => ({
  title,
  results: [
    {
      status: 'failed',
      records: ok(),
      errors: [
        {
          message,
          snippet: `  ${line - 1} | {\n> ${line} |   ${code};\n     |   ^`,
          location: { file: '/repo/tests/checkout.spec.ts', line, column: 3 },
        },
      ],
    },
  ],
});

it('groups product failures by error and place, without the numbers in their messages', () => {
  const { causes } = reportOf([
    failedAt('a', 85, 'expect(total).toBe(43)', 'Error: of order 17'),
    failedAt('b', 85, 'expect(total).toBe(43)', 'Error: of order 18'),
    failedAt('c', 85, 'expect(total).toBe(43)', 'Error: expect(received).toBe(expected)\n\nExpected: 43'),
    failedAt('d', 90, 'await total.toFixed()', 'TypeError: total is not a number'),
    { title: 'e', results: [{ status: 'failed', records: ok(), error: 'Error: from elsewhere\nmore' }] },
  ]);
  expect(causes.map(({ verdict, text, tests }) => [verdict, text, tests.length])).toEqual([
    ['product', '`expect(total).toBe(43)` at checkout.spec.ts:85: Error: of order 17', 2],
    ['product', '`expect(total).toBe(43)` at checkout.spec.ts:85', 1],
    ['product', '`total.toFixed()` at checkout.spec.ts:90: TypeError: total is not a number', 1],
    ['product', 'Error: from elsewhere', 1],
  ]);
  expect(causes[0]!.error).toMatchObject({
    message: 'Error: of order 17',
    file: 'checkout.spec.ts',
    line: 85,
  });
});

it('does not judge tests without a leased request, and says where they failed', () => {
  const [first] = [failedAt('a', 85, 'expect(1).toBe(2)', 'Error: no')];
  const plain = { ...first!, results: first!.results.map((result) => ({ ...result, records: [] })) };
  const { causes, verdicts } = reportOf([plain]);
  expect(verdicts.unknown).toBe(1);
  expect(causes[0]!.text).toBe(
    'not judged, made no leased request: `expect(1).toBe(2)` at checkout.spec.ts:85: Error: no',
  );
});

it('makes one cause of members that fail alike: at one route, or many of them', () => {
  const serves = ['eu', 'us', 'ap'].map((name): FakeTest => {
    return {
      title: `serves ${name}`,
      results: [{ records: [leased(`api/${name}/k1`, [[0, 'ok', 200, 9, 0, 0]], { targets })] }],
    };
  });
  const busy = ['eu', 'us'].map((name) => failing(name, 'server', 503, { member: `api/${name}/k1` }));
  expect(reportOf([...busy, ...serves]).causes).toMatchObject([
    {
      verdict: 'environment',
      text: 'GET /orders/# answered 503 at 2 of 3 endpoints of api',
      endpoint: null,
      failed: 2,
    },
  ]);
  const keys = ['k1', 'k2', 'k3'].map((key) => failing(key, 'auth', 401, { member: `api/eu/${key}` }));
  expect(reportOf(keys).causes).toMatchObject([
    { verdict: 'environment', text: '3 of 3 keys of api were refused (401)', key: null, failed: 3 },
  ]);
  expect(reportOf(keys.slice(0, 2)).causes.map(({ key }) => key)).toEqual(['k1', 'k2']);
});

it('finds no cause where no attempt failed', () => {
  expect(reportOf([{ title: 'a', results: [{}] }]).causes).toEqual([]);
});
