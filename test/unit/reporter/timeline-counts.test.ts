import { describe, expect, it } from 'vitest';
import { bucketSize, TimelineCounts } from '../../../src/reporter/collect/timeline-counts.ts';
import { START } from './synthetic.ts';

const MINUTE = 60_000;

describe('bucketSize', () => {
  it.each([
    [MINUTE, 1000],
    [3 * MINUTE, 1000],
    [3 * MINUTE + 1, 10_000],
    [30 * MINUTE, 10_000],
    [31 * MINUTE, MINUTE],
    [200 * MINUTE, MINUTE],
    [201 * MINUTE, 5 * MINUTE],
    [60 * 24 * 60 * MINUTE, 24 * 60 * MINUTE],
  ])('for a run of %d ms is %d ms', (span, size) => {
    expect(bucketSize(span)).toBe(size);
  });

  it('never gives many more than 200 buckets', () => {
    for (let span = 1; span < 1e14; span *= 3) expect(span / bucketSize(span)).toBeLessThanOrEqual(200);
  });
});

describe('timeline', () => {
  it('is empty where nothing was measured', () => {
    expect(new TimelineCounts().buckets(START, START + MINUTE)).toEqual([]);
  });

  it('has a bucket for each second, also without a request', () => {
    const counts = new TimelineCounts();
    counts.add(START + 100, false, 10);
    counts.add(START + 900, true, -1);
    counts.add(START + 2100, false, 20);
    counts.add(START + 2200, true, 40);
    expect(counts.buckets(START, START + 3500)).toEqual([
      { at: '2026-11-23T02:00:00.000Z', requests: 2, failures: 1, avgMs: 10 },
      { at: '2026-11-23T02:00:01.000Z', requests: 0, failures: 0, avgMs: null },
      { at: '2026-11-23T02:00:02.000Z', requests: 2, failures: 1, avgMs: 30 },
      { at: '2026-11-23T02:00:03.000Z', requests: 0, failures: 0, avgMs: null },
    ]);
  });

  it('loses no request to a larger bucket or a wrong clock', () => {
    const counts = new TimelineCounts();
    for (let second = 0; second < 7200; second++) counts.add(START + second * 1000, second % 3 === 0, 5);
    counts.add(START - 30 * MINUTE, false, 5);
    const timeline = counts.buckets(START, START + 7200_000);
    expect(timeline.length).toBeLessThanOrEqual(201);
    expect(timeline.reduce((sum, { requests }) => sum + requests, 0)).toBe(7201);
    expect(timeline.reduce((sum, { failures }) => sum + failures, 0)).toBe(2400);
  });
});
