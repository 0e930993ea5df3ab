import { describe, expect, it } from 'vitest';
import { reportText } from '../../../src/reporter/report/text.ts';
import { leased, reportOf, START } from './synthetic.ts';

const who = { pool: 'api', endpoint: 'us', key: 'ci-1' };
const report = reportOf([
  {
    title: 'a',
    results: [
      {
        status: 'failed',
        records: [
          leased('api/us/ci-1', [[0, 'server', 503]], {
            memberList: [
              {
                name: 'api',
                endpoints: [{ name: 'us', url: 'https://us.test' }],
                keys: [{ name: 'ci-1', fingerprint: 'f' }],
              },
            ],
            errors: [{ at: START, lease: 0, kind: 'server', status: 503, message: 'm' }],
            strategies: [{ task: 'login', name: 'api', ok: true, durationMs: 5, fallback: false }],
            transitions: [
              {
                ...who,
                key: null,
                seq: 1,
                broker: 'b',
                at: START,
                from: 'healthy',
                to: 'ejected',
                why: 'w',
                until: START,
              },
            ],
            gate: { product: 'warn', environment: 'warn', unknown: 'warn', degraded: 'warn', shards: 'warn' },
          }),
        ],
      },
    ],
  },
]);

const MEMBER = 'state until leases requests successes failures successRate avgMs p95Ms kinds';
const TOTALS =
  'tests passed failed flaky skipped leases calls requests successes failures requestRetries ' +
  'tokens successRate avgResponseMs p50Ms p95Ms p99Ms waitedMs waited degraded pinned';
const [pool] = report.pools;
const [test] = report.tests;

/** The names of CONTRACT.md, section 4. */
const CONTRACT: [string, object | undefined, string][] = [
  [
    'report',
    report,
    'schema generator run totals verdicts pools strategies errors transitions tests timeline',
  ],
  ['generator', report.generator, 'name version'],
  ['run', report.run, 'status startedAt durationMs playwright configRevision configErrors ci shards'],
  ['shards', report.run.shards, 'total present'],
  ['totals', report.totals, TOTALS],
  ['verdicts', report.verdicts, 'product environment unknown'],
  ['pool', pool, 'name endpoints keys'],
  ['endpoint', pool?.endpoints[0], `name url ${MEMBER}`],
  ['key', pool?.keys[0], `name fingerprint tokens tokensByModel tokensEstimated ${MEMBER}`],
  ['strategy', report.strategies[0], 'task name runs successes failures successRate avgMs chosen fallbacks'],
  ['error', report.errors[0], 'at pool endpoint key kind status message testId'],
  ['transition', report.transitions[0], 'at pool endpoint key from to why until'],
  ['test', test, 'id title file line project status verdict degraded pinned results'],
  [
    'result',
    test?.results[0],
    'retry status durationMs verdict evidence errors shard worker requests requestsOmitted leases',
  ],
  [
    'request',
    test?.results[0]?.requests[0],
    'at method path pool endpoint key kind status durationMs waitedMs recovered',
  ],
  ['lease', test?.results[0]?.leases[0], 'pool endpoint key waitedMs heldMs requests failures rerouted'],
  ['bucket', report.timeline[0], 'at requests failures avgMs'],
];
/** Added beyond the contract, which allows additions. */
const ADDED: Record<string, string[]> = {
  report: ['causes', 'fallbacks', 'foreignRecords'],
  run: ['revisions', 'brokerErrors', 'gate', 'pins', 'cutOff', 'git', 'links'],
  totals: ['unmeasured', 'errorsCut', 'interrupted'],
  endpoint: ['why', 'p50Ms', 'p99Ms', 'share', 'parts'],
  key: ['why', 'p50Ms', 'p99Ms', 'share', 'parts'],
  result: ['startedAt', 'refused', 'trace', 'waited'],
  test: ['tags', 'pin'],
  strategy: ['estimate', 'periods'],
};

describe('report.json', () => {
  it.each(CONTRACT)('has the fields of a %s that the contract names', (name, part, names) => {
    expect(Object.keys(part!).sort()).toEqual([...names.split(' '), ...(ADDED[name] ?? [])].sort());
  });

  it('is JSON with one line for each test, equal to the model', () => {
    const text = [...reportText(report)].join('');
    expect(JSON.parse(text)).toEqual(report);
    expect(text.split('\n').filter((line) => line.startsWith('    {"id":'))).toHaveLength(1);
  });

  it('holds finite numbers only', () => {
    expect([...reportText(report)].join('')).not.toMatch(/NaN|Infinity/);
    expect(numbersOf(report).every(Number.isFinite)).toBe(true);
  });
});

function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}
