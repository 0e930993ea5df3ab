import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SlotNotifier } from '../../../src/redis/slot-notifier.ts';

describe('wake-ups', () => {
  let woken: string[];
  let passed: string[];
  let notifier: SlotNotifier;

  beforeEach(() => {
    vi.useFakeTimers();
    woken = [];
    passed = [];
    notifier = new SlotNotifier({
      broker: 'me',
      onWake: (members) => woken.push(...members),
      pass: (member) => passed.push(member),
    });
  });

  afterEach(() => {
    notifier.close();
    vi.useRealTimers();
  });

  const freed = (broker: string): void => {
    notifier.hear(JSON.stringify({ member: 'key', broker, forMs: 300 }));
    vi.advanceTimersByTime(0);
  };

  test('a place kept for this broker wakes it at once, and is its own when it asks', () => {
    freed('me');
    expect(woken).toEqual(['key']);
    notifier.asked(['key']);
    vi.advanceTimersByTime(1_000);
    expect(passed).toEqual([]);
  });

  test('a place that nobody here wants any more is passed on within a moment', () => {
    freed('me');
    vi.advanceTimersByTime(50);
    expect(passed).toEqual(['key']);
  });

  test('a place kept for another broker wakes this one only when its time is over, and if it was refused', () => {
    freed('other');
    vi.advanceTimersByTime(1_000);
    expect(woken).toEqual([]);
    notifier.refused(['key']);
    freed('other');
    vi.advanceTimersByTime(300);
    expect(woken).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(woken).toEqual(['key']);
  });

  test('a message that came with the refusal is heard after it', () => {
    notifier.hear(JSON.stringify({ member: 'key', broker: 'other', forMs: 300 }));
    notifier.refused(['key']);
    vi.advanceTimersByTime(400);
    expect(woken).toEqual(['key']);
  });

  test('nothing is woken after the end', () => {
    freed('me');
    notifier.hear(JSON.stringify({ member: 'other', broker: 'me', forMs: 300 }));
    notifier.close();
    vi.advanceTimersByTime(1_000);
    expect([woken, passed]).toEqual([['key'], []]);
  });

  test('what is not understood wakes nobody', () => {
    for (const message of ['', 'null', '[]', '{"subject":1}', '{"subject":"key","broker":"me"}'])
      notifier.hear(message);
    vi.advanceTimersByTime(1_000);
    expect(woken).toEqual([]);
  });
});
