import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/clock.ts';
import { Samples } from '../../../src/reporter/collect/samples.ts';

describe('Samples', () => {
  it('has no mean and no percentile before the first value', () => {
    const samples = new Samples();
    expect([samples.mean(), samples.percentile(0.5)]).toEqual([null, null]);
  });

  it.each([
    [[5], 5, 5],
    [[4, 1, 3, 2], 2, 4],
    [Array.from({ length: 100 }, (_, index) => 100 - index), 50, 95],
  ])('gives exact percentiles by nearest rank: %j', (values, p50, p95) => {
    const samples = new Samples();
    for (const value of values) samples.add(value);
    expect([samples.percentile(0.5), samples.percentile(0.95)]).toEqual([p50, p95]);
  });

  it('accepts values after a percentile was read', () => {
    const samples = new Samples();
    for (const value of [3, 1]) samples.add(value);
    expect(samples.percentile(1)).toBe(3);
    samples.add(2);
    expect([samples.percentile(0.5), samples.mean()]).toEqual([2, 2]);
  });

  it('stays within half a percent, with an exact mean, beyond the values that it keeps singly', () => {
    const random = seededRandom('samples');
    const samples = new Samples();
    const values = Array.from({ length: 150_000 }, () => Math.exp(random() * 8));
    for (const value of values) samples.add(value);
    const sorted = values.toSorted((a, b) => a - b);
    for (const rate of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = sorted[Math.ceil(rate * values.length) - 1]!;
      expect(Math.abs(samples.percentile(rate)! / exact - 1)).toBeLessThan(0.005);
    }
    expect(samples.mean()).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 6);
  });

  it('keeps zeros beside large values in coarse steps', () => {
    const samples = new Samples();
    for (let index = 0; index < 100_001; index++) samples.add(index % 2 === 0 ? 0 : 1000);
    expect(samples.percentile(0.25)).toBeLessThan(0.02);
  });
});
