import { describe, expect, it } from 'vitest';
import { markdown } from '../../../src/reporter/announce/markdown.ts';
import { summaryLine, summaryText } from '../../../src/reporter/terminal/summary.ts';
import { type FakeTest, leased, record, reportOf, START } from './synthetic.ts';

const outage: FakeTest[] = [
  ...Array.from({ length: 3 }, (_, index): FakeTest => ({
    title: `lists orders ${index}`,
    results: [
      {
        status: 'failed',
        records: [
          leased('api/eu/k1', [[index * 60_000, 'network']], {
            errors: [{ at: START, lease: 0, kind: 'network', status: null, message: 'connect ECONNREFUSED' }],
            transitions: [
              {
                seq: 1,
                broker: 'b',
                at: START + 5,
                pool: 'api',
                endpoint: 'eu',
                key: null,
                from: 'healthy',
                to: 'ejected',
                why: 'connection refused',
                until: START + 900_000,
              },
              {
                seq: 2,
                broker: 'b',
                at: START + 6,
                pool: 'api',
                endpoint: null,
                key: 'k2',
                from: 'healthy',
                to: 'exhausted',
                why: '402',
                until: START + 90_000_000,
              },
            ],
          }),
        ],
      },
      ...(index === 0
        ? [{ records: [leased('api/us/k1', [[9000, 'ok', 200, 40]], { degraded: true })] }]
        : []),
    ],
  })),
  { title: 'adds', results: [{ records: [leased('api/us/k1', [[9000, 'ok', 200, 42]])] }] },
  { title: 'is out', results: [{ status: 'skipped' }] },
];

describe('the summary', () => {
  it('has the answer in one line, and details below', () => {
    expect(summaryText(reportOf(outage, { status: 'failed' }), 'gemba-report/index.html'))
      .toMatchInlineSnapshot(`
        "Gemba: 1 of 5 passed, 1 flaky, 1 skipped · 5 calls, 40 % ok, avg 41 ms, p95 42 ms · environment 3 · 1 degraded
          environment: endpoint api/eu refused connections (3 tests, 02:00–02:02, 1 passed on a retry)
          endpoint api/eu is ejected: connection refused, until 02:15:00
          key api/k2 is exhausted: 402, until 2026-11-24 03:00
          repair in the environment: endpoint api/eu refused connections (2 tests); then: npx playwright test --last-failed
          Report: gemba-report/index.html"
      `);
  });

  it('shows that nothing was measured', () => {
    expect(summaryLine(reportOf([{ title: 'a', results: [{}] }]))).toBe(
      'Gemba: 1 of 1 passed · not measured',
    );
    expect(summaryLine(reportOf([]))).toBe('Gemba: 0 of 0 passed · not measured');
  });

  it('lists pinned tests, a refused edit and missing shards', () => {
    const pinned = record({
      pinned: { pool: 'api', to: 'eu', by: 'baseURL' },
      configErrors: ['/p/gemba.config.json:2:5  pools.api: too few', '/p/gemba.config.json:3:5  x: y'],
      shard: '2/3',
    });
    const outside = record({ pinned: { pool: 'api', to: 'http://localhost:3000', by: 'outside' } });
    const report = reportOf([
      { title: 'a', results: [{ records: [pinned] }] },
      { title: 'b', results: [{ records: [pinned] }] },
      { title: 'c', results: [{ records: [outside] }] },
    ]);
    expect(summaryText(report, null)).toMatchInlineSnapshot(`
      "Gemba: 3 of 3 passed · not measured · 3 pinned
        Shards 1, 3 of 3 are missing: not merged, not run, or without a test of gemba-agent.
        2 tests pinned to eu by baseURL; remove use.baseURL to use every endpoint
        1 test pinned to http://localhost:3000 by baseURL, outside pool "api": they get no key of it
        the last edit of the config is not in force (/p/gemba.config.json:2:5 and 1 more problem); revision r1 is"
    `);
  });

  it('ends a red run with what to do next: the product by error and place, then the environment, then the report', () => {
    const failing = (title: string, message: string, line: number): FakeTest => ({
      title,
      results: [
        {
          status: 'failed',
          errors: [{ message, location: { file: '/repo/tests/orders.spec.ts', line, column: 1 } }],
          records: [leased('api/us/k1', [[0, 'ok', 200, 5]])],
        },
      ],
    });
    const product = [
      failing('a', 'Error: expected 2\n  and more', 7),
      failing('b', 'Error: expected 2', 7),
      ...[1, 2, 3, 4].map((line) => failing(`c${line}`, 'Error: other', 20 + line)),
    ];
    const lines = summaryText(
      reportOf([...outage, ...product], { status: 'failed' }),
      'x.html',
      'a hint',
    ).split('\n');
    expect(lines.slice(-4).map((line) => line.trim())).toEqual([
      'fix in the product: orders.spec.ts:7 Error: expected 2 (2 tests); orders.spec.ts:21 Error: other (1 test); orders.spec.ts:22 Error: other (1 test); and 2 more places',
      'repair in the environment: endpoint api/eu refused connections (2 tests); then: npx playwright test --last-failed',
      'Report: x.html',
      'a hint',
    ]);
  });

  it('has exactly one line that begins with Gemba:', () => {
    const lines = summaryText(reportOf(outage), 'x').split('\n');
    expect(lines.filter((line) => line.startsWith('Gemba:'))).toHaveLength(1);
  });
});

describe('the Markdown summary', () => {
  it('has the answer, totals, causes and failures as Markdown', () => {
    expect(markdown(reportOf(outage, { status: 'failed' }), 'Gemba report')).toMatchInlineSnapshot(`
      "### Gemba report

      **2 of 5 tests failed: 2 environment failures.**

      | Tests | Passed | Flaky | Failed | Calls | Success rate | Average | p95 | Waited |
      | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | 5 | 1 | 1 | 2 | 5 | 40 % | 41 ms | 42 ms | 0 ms |

      - **environment**: endpoint api/eu refused connections (3 tests, 02:00–02:02, 1 passed on a retry)

      | Not healthy at the end | State | Why |
      | --- | --- | --- |
      | endpoint api/eu | ejected | connection refused, until 02:15:00 |
      | key api/k2 | exhausted | 402, until 2026-11-24 03:00 |

      | Outcome | Verdict | Test | Place | Error | Evidence |
      | --- | --- | --- | --- | --- | --- |
      | failed | environment | lists orders 1 | orders.spec.ts:3 |  | api/eu/k1: network, 1×, 02:01:00–02:01:00 |
      | failed | environment | lists orders 2 | orders.spec.ts:3 |  | api/eu/k1: network, 1×, 02:02:00–02:02:00 |
      | flaky | environment | lists orders 0 | orders.spec.ts:3 |  | api/eu/k1: network, 1×, 02:00:00–02:00:00 |
      "
    `);
  });

  it('escapes titles', () => {
    const title = 'a | b <img src=x onerror=alert(1)> [c](http://d) `e` **f** @team #1\nnew line';
    const text = markdown(reportOf([{ title, results: [{ status: 'failed' }] }]), 'T');
    const row = text.split('\n').find((line) => line.includes('new line'))!;
    expect(row).toMatchInlineSnapshot(
      `"| failed | unknown | a &#124; b &lt;img src=x onerror=alert(1)&gt; &#91;c&#93;(http&#58;//d) &#96;e&#96; &#42;&#42;f&#42;&#42; &#64;team &#35;1 new line | orders.spec.ts:3 |  | nothing was measured |"`,
    );
    expect(row.split('|')).toHaveLength(8);
  });

  it("stays far below GitHub's limit with ten thousand failures", () => {
    const tests = Array.from({ length: 10_000 }, (_, index): FakeTest => ({
      title: `${'long title '.repeat(80)}${index}`,
      results: [{ status: 'failed', records: [leased(`api/eu-${index}/k`, [[0, 'network']])] }],
    }));
    expect(Buffer.byteLength(markdown(reportOf(tests), 'T'))).toBeLessThan(65_536);
  }, 30_000);
});
