import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { markdown } from '../../../src/reporter/announce/markdown.ts';
import { packPageData } from '../../../src/reporter/page/page-data.ts';
import { dashboardView } from '../../../src/reporter/page/view.ts';
import { orderTests } from '../../../src/reporter/page/view-tests.ts';
import { holding, leased, record, reportOf } from './synthetic.ts';

describe('waits', () => {
  const waiting = leased('api/eu/k1', [[0, 'ok']], {
    leases: [holding('api/eu/k1', { waitedMs: 2000 })],
    requests: [[0, 0, 0, 200, 40, 0, 3500, -1]],
    retryWaitsMs: 500,
  });
  const report = reportOf([
    { title: 'waits', results: [{ records: [waiting] }] },
    { title: 'does not', results: [{ records: [record()] }] },
  ]);
  const view = dashboardView(report, '');

  it('are split by reason, and their sum is the same in all places', () => {
    expect(report.totals).toMatchObject({
      waitedMs: 5500,
      waited: { leasesMs: 2000, rateLimitsMs: 3000, retriesMs: 500 },
    });
    const split = 'leases 2 s, rate limits 3 s, request retries 500 ms';
    const tile = view.tiles.find(({ label }) => label === 'Waited')!;
    expect(tile).toMatchObject({ parts: [{ number: '5.5', unit: 's' }], note: split });
    expect(markdown(report, '')).toContain(`5.5 s (${split})`);
    expect(view.tests.rows.map(({ waited }) => waited)).toEqual(['5.5 s', '–']);
    expect(view.extremes!.lists[1]!.rows).toMatchObject([{ title: 'waits', first: '5.5 s' }]);
    const packed = packPageData(report, orderTests(report.tests));
    const data: unknown = JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString());
    expect(data).toMatchObject({ waits: [5500, 0] });
  });
});

describe('a run that was killed', () => {
  const report = reportOf(
    [
      { title: 'passed', results: [{ records: [leased('api/eu/k1', [[0, 'ok']])] }] },
      { title: 'was running', results: [{ status: 'interrupted' }] },
      { title: 'never began', results: [] },
    ],
    { status: 'interrupted', cutOff: { planned: 3, ended: 1 } },
  );
  const view = dashboardView(report, '');

  it('counts tests that were running as interrupted, everywhere', () => {
    expect(report.totals).toMatchObject({ passed: 1, skipped: 1, interrupted: 1 });
    expect(view.tiles[0]!.note).toBe('1 passed, 1 skipped, 1 interrupted');
    expect(view.answer.headline).toBe('The one test that ended passed.');
    expect(view.answer.notes).toContain('1 test was running when the run ended: interrupted.');
    expect(view.tests.rows.map(({ label }) => label)).toEqual(['Passed', 'Interrupted', 'Skipped']);
    expect(view.tests.outcomes.at(-1)).toEqual({
      value: 'skipped',
      label: 'Skipped, interrupted',
      count: '2',
    });
  });
});

it('says first which shards are missing', () => {
  const report = reportOf([{ title: 'a', results: [{}] }], { shard: null, status: 'failed' });
  const two = { ...report, run: { ...report.run, shards: { total: 3, present: [1, 3] } } };
  expect(dashboardView(two, '').answer.notices[0]).toMatchObject({
    tone: 'bad',
    text: expect.stringMatching(/^Shard 2 of 3 is missing/) as unknown,
  });
});
