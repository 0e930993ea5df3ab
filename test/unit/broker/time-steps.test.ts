import { describe, expect, it } from 'vitest';
import { REMEMBERED_STEPS, TimeSteps } from '../../../src/broker/time-steps.ts';

const DAY_MS = 24 * 3_600_000;

describe('time steps of one-time codes', () => {
  it('are given once each, the next free one to whoever asks next', () => {
    let kept = 0;
    const steps = new TimeSteps(
      () => 0,
      () => kept++,
    );
    const take = (secret: string): number | null => steps.take(secret, { first: 100, last: 102 });
    expect([take('a'), take('b'), take('a'), take('a'), take('a')]).toEqual([100, 100, 101, 102, null]);
    expect(kept).toBe(4);
  });

  it('stay given where the clock is set back, and over a restart of the broker', () => {
    const before = new TimeSteps(
      () => 0,
      () => {},
    );
    expect(before.take('a', { first: 200, last: 300 })).toBe(200);
    expect(before.take('a', { first: 198, last: 300 })).toBe(198);
    const after = new TimeSteps(
      () => DAY_MS - 1,
      () => {},
    );
    after.restore(before.saved);
    expect([1, 2].map(() => after.take('a', { first: 198, last: 300 }))).toEqual([199, 201]);
  });

  it('are forgotten when no server takes their codes any more', () => {
    let now = 0;
    const steps = new TimeSteps(
      () => now,
      () => {},
    );
    steps.take('a', { first: 1, last: 1 });
    steps.take('a', { first: 2 + REMEMBERED_STEPS, last: 2 + REMEMBERED_STEPS });
    expect(steps.saved[0]!.steps).toEqual([2 + REMEMBERED_STEPS]);
    now = 2 * DAY_MS;
    const later = new TimeSteps(
      () => now,
      () => {},
    );
    later.restore(steps.saved);
    expect(later.saved).toEqual([]);
  });
});
