import { describe, expect, it } from 'vitest';
import type { HistoryRun, RunHistory } from '../../../src/reporter/history/history-run.ts';
import { memberTimeline } from '../../../src/reporter/page/member-timeline.ts';
import { stateIntervalsOf } from '../../../src/reporter/report/state-intervals.ts';
import { boxes, stepArea } from '../../../src/reporter/page/shapes.ts';
import { ActivityCounts } from '../../../src/reporter/collect/activity-counts.ts';
import { extremesView } from '../../../src/reporter/page/view-extremes.ts';
import { configView } from '../../../src/reporter/page/view-changes.ts';
import { trendsView } from '../../../src/reporter/page/view-trends.ts';
import { workerTimeline } from '../../../src/reporter/page/worker-timeline.ts';
import { type FakeTest, holding, leased, record, reportOf, START } from './synthetic.ts';

const SPAN = { from: START, to: START + 60_000 };

describe('a member over time', () => {
  it('counts every request at its time, however long the run is', () => {
    const spark = new ActivityCounts();
    const hours = 50 * 3_600_000;
    for (let at = 0; at < 10_000; at++) spark.add(START + (at * hours) / 10_000, at >= 5000);
    const { requests, failures } = spark.parts(START, START + hours, 10)!;
    expect(requests.reduce((a, b) => a + b)).toBe(10_000);
    for (const part of requests) expect(Math.abs(part - 1000)).toBeLessThan(60);
    expect(failures.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(failures.reduce((a, b) => a + b)).toBe(5000);
    expect(new ActivityCounts().parts(0, 1, 10)).toBeNull();
  });

  it('is drawn with equal parts joined and small values visible', () => {
    expect(stepArea([0, 0, 0], 5, 20)).toBe('');
    expect(stepArea([0, 10, 10, 0], 10, 20)).toBe('M0 20h1V0h2V20h1z');
    expect(stepArea([10, 1], 1000, 20)).toBe('M0 20V19.2h1V19.2h1V20z');
    expect(boxes([{ from: START, to: START + 1 }], SPAN, 1000, 5)).toBe('M0 0h2v5H0z');
  });
});

describe('the rows of the timeline', () => {
  const change = { pool: 'api', endpoint: 'eu', key: null, broker: 'b' };
  const report = reportOf([
    {
      title: 'a',
      results: [
        {
          records: [
            leased('api/eu/k', [[0, 'ok']], {
              transitions: [
                {
                  ...change,
                  seq: 1,
                  at: START + 10_000,
                  from: 'healthy',
                  to: 'ejected',
                  why: 'w',
                  until: null,
                },
                {
                  ...change,
                  seq: 2,
                  at: START + 25_000,
                  from: 'ejected',
                  to: 'healthy',
                  why: 'w',
                  until: null,
                },
              ],
            }),
          ],
        },
      ],
    },
    { title: 'b', results: [{ records: [leased('api/us/k', [[1, 'ok']])] }] },
  ]);

  it('list unhealthy members first, with the time they were unhealthy', () => {
    const lanes = memberTimeline(report, stateIntervalsOf(report.transitions, SPAN), SPAN);
    expect(lanes.shown.map(({ name }) => name)).toEqual(['api/eu', 'api/k', 'api/us']);
    expect(lanes.shown[0]!.note).toBe('1 request, 0 failed, not healthy for 15 s');
    expect(lanes.shown[0]!.states).toEqual([{ state: 'ejected', path: 'M166.67 0h250v10H166.67z' }]);
    expect(lanes.states).toEqual(['ejected']);
  });

  it('keep a slot for the successors of a dead worker, and keep shards apart', () => {
    const at = (
      seconds: number,
      worker: number,
      shard: string,
      status: 'failed' | 'passed' = 'passed',
    ): FakeTest => {
      const startedAt = START + seconds * 1000;
      return {
        title: `${shard} ${seconds}`,
        results: [{ status, worker, durationMs: 9000, records: [record({ startedAt, worker, shard })] }],
      };
    };
    const tests = [at(0, 0, '1/2', 'failed'), at(10, 1, '1/2'), at(0, 0, '2/2'), at(5, 1, '2/2')];
    const lanes = workerTimeline(reportOf(tests), SPAN);
    expect(lanes.shown.map(({ name, short }) => [name, short])).toEqual([
      ['Shard 1, slot 1', '1 of 2 failed'],
      ['Shard 2, slot 1', '1 result'],
      ['Shard 2, slot 2', '1 result'],
    ]);
    expect(lanes.shown[0]!.bars.map(({ mark }) => mark)).toEqual(['ok', 'unknown']);
    expect(lanes.shown[0]!.note).toMatch(/^2 results, 1 failed, 2 workers, busy /);
  });
});

describe('where the time went', () => {
  it('lists the slowest tests and the longest waits, or a sentence where there are none', () => {
    const waited = record({ leases: [holding('api/eu/k', { waitedMs: 700 })] });
    const tests = [
      { title: 'slow', results: [{ status: 'failed' as const, durationMs: 4000 }, { durationMs: 5000 }] },
      { title: 'waits', results: [{ records: [waited] }] },
      { title: 'never ran', results: [] },
    ];
    const [slowest, waits] = extremesView(reportOf(tests).tests)!.lists;
    expect(slowest!.rows.map(({ title, first, second }) => [title, first, second])).toEqual([
      ['slow', '9 s', '2'],
      ['waits', '1 s', '1'],
    ]);
    expect(waits!.rows.map(({ title, first }) => [title, first])).toEqual([['waits', '700 ms']]);
    expect(extremesView(reportOf([]).tests)).toBeNull();
    const none = extremesView(reportOf([{ title: 'a', results: [{}] }]).tests)!.lists[1]!;
    expect([none.rows, none.empty]).toEqual([[], 'No test waited.']);
  });
});

describe('trends', () => {
  const run = (parts: Partial<HistoryRun> = {}): HistoryRun => ({
    startedAt: '2026-11-23T02:00:00.000Z',
    durationMs: 60_000,
    status: 'passed',
    totals: { tests: 10, passed: 10, failed: 0, flaky: 0, skipped: 0 },
    verdicts: { product: 0, environment: 0, unknown: 0 },
    requests: 100,
    successRate: 1,
    p95Ms: 100,
    waitedMs: 0,
    branch: 'main',
    commit: null,
    members: [],
    ...parts,
  });
  const historyOf = (...runs: HistoryRun[]): RunHistory => {
    return { runs: runs.slice(0, -1), own: runs.at(-1)!, outcomes: new Map(), comparedWith: 'main' };
  };

  it('need two runs', () => {
    expect(trendsView(null)).toBeNull();
    expect(trendsView(historyOf(run()))).toBeNull();
    expect(trendsView({ ...historyOf(run(), run()), own: null })).toBeNull();
  });

  it('show this run beside the median before it, with gaps where nothing was measured', () => {
    const verdicts = { product: 1, environment: 3, unknown: 0 };
    const view = trendsView(
      historyOf(run(), run({ p95Ms: null }), run({ p95Ms: 300 }), run({ verdicts, successRate: null })),
    )!;
    expect(view.note).toBe('This run, at the right, and the 3 runs before it on main.');
    expect(view.charts.map(({ now, before }) => [now, before])).toEqual([
      ['4', 'median before 0'],
      ['not measured', 'median before 100 %'],
      ['100 ms', 'median before 200 ms'],
      ['1 min', 'median before 1 min'],
    ]);
    expect(view.charts[0]!.paths.map(({ mark }) => mark)).toEqual(['product', 'environment']);
    expect(view.charts[2]!.paths[0]!.path.match(/M/g)).toHaveLength(2);
    expect(view.rows[0]!.cells).toContain('not measured');
  });
});

describe('the configuration over the run', () => {
  it('is shown where it changed or an edit was refused', () => {
    const plain = reportOf([{ title: 'a', results: [{ records: [record({ revision: 'r1' })] }] }]);
    expect(configView(plain)).toBeNull();
    const state = { seq: 1, at: START, revision: 'r1', errors: [], changes: [] };
    const shards = ['one', 'two'].map((broker) => record({ revisions: [{ ...state, broker }] }));
    const merged = reportOf([{ title: 'a', results: shards.map((one) => ({ records: [one] })) }]);
    expect(merged.run.revisions).toHaveLength(2);
    expect(configView(merged)).toBeNull();
    const changed = reportOf([
      { title: 'a', results: [{ records: [record({ revision: 'r1' })] }] },
      {
        title: 'b',
        results: [
          { records: [record({ revision: 'r2', startedAt: START + 9000, configErrors: ['pools: wrong'] })] },
        ],
      },
    ]);
    expect(configView(changed)).toMatchObject({
      note: '1 edit took effect while tests ran; 1 problem prevented an edit, or a part of it.',
      revisions: [
        { revision: 'r1', at: '02:00:00', now: false },
        { revision: 'r2', at: '02:00:09', now: true },
      ],
      errors: ['pools: wrong'],
    });
  });
});
