import { describe, expect, it } from 'vitest';
import {
  endedBy,
  noteFailure,
  type ProductFailure,
  type Reruns,
  type RunningTest,
} from '../../../src/core/blame/test-retries.ts';

const attempt = (test: string, retry: number, parts: Partial<RunningTest> = {}): RunningTest => {
  return { run: 1, test, group: null, retry, ...parts };
};
const product = (title: string, retry: number): ProductFailure => ({
  title,
  retry,
  evidence: ['all went well'],
});

describe('reruns', () => {
  it('are pointless after a product failure, however much later', () => {
    const reruns: Reruns = new Map();
    noteFailure(reruns, attempt('a', 0), null);
    expect(endedBy(reruns, attempt('a', 1))).toBeNull();
    noteFailure(reruns, attempt('a', 1), product('a', 1));
    noteFailure(reruns, attempt('a', 2), null);
    expect(endedBy(reruns, attempt('a', 2))).toEqual(product('a', 1));
    expect(endedBy(reruns, attempt('a', 3))).toEqual(product('a', 1));
    expect(endedBy(reruns, attempt('b', 1))).toBeNull();
  });

  it('are pointless for a serial group as a whole, and for no other', () => {
    const reruns: Reruns = new Map();
    noteFailure(reruns, attempt('b', 0, { group: 'g' }), product('b', 0));
    expect(endedBy(reruns, attempt('a', 1, { group: 'g' }))).toEqual(product('b', 0));
    expect(endedBy(reruns, attempt('a', 1, { group: 'h' }))).toBeNull();
    expect(endedBy(reruns, attempt('a', 1))).toBeNull();
  });

  it('know runs apart, and begin anew with a first attempt', () => {
    const reruns: Reruns = new Map();
    noteFailure(reruns, attempt('a', 0), product('a', 0));
    expect(endedBy(reruns, attempt('a', 1, { run: 2 }))).toBeNull();
    noteFailure(reruns, attempt('a', 0), null);
    expect(endedBy(reruns, attempt('a', 1))).toBeNull();
    expect(reruns.size).toBe(0);
  });

  it('never end by a failure of the same or a later attempt', () => {
    const reruns: Reruns = new Map();
    noteFailure(reruns, attempt('a', 1), product('a', 1));
    expect(endedBy(reruns, attempt('a', 0))).toBeNull();
    expect(endedBy(reruns, attempt('a', 1))).toBeNull();
  });
});
