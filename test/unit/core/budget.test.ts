import { describe, expect, it } from 'vitest';
import {
  beginDay,
  type Budget,
  leaveFor,
  newBudget,
  settle,
  settleAll,
  spend,
  usedUp,
} from '../../../src/core/pace/budget.ts';
import { seededRandom } from '../../../src/core/clock.ts';
import { isTimeOfDay, nextTimeOfDay } from '../../../src/core/pace/day.ts';

const MINUTE = 60_000;
const call = (id: string, tokens = 0, lease = 'lease') => ({ id, tokens, lease });
const waitOf = (budget: Budget, tpm: number, tokens: number, now: number): number | string => {
  const leave = leaveFor(budget, { tpm }, call('next', tokens), now);
  return 'usedUp' in leave ? leave.usedUp : leave.waitMs;
};

describe('tokens of a minute', () => {
  it('are reserved as expected, and settled by what the answer used', () => {
    const budget = newBudget();
    spend(budget, call('one', 600), 0);
    expect(waitOf(budget, 1_000, 500, 100)).toBe(Infinity);
    settle(budget, { id: 'one', tokens: 400 }, 200);
    expect(waitOf(budget, 1_000, 500, 300)).toBe(0);
    spend(budget, call('two', 500), 300);
    settle(budget, { id: 'two', tokens: null }, 400);
    expect(waitOf(budget, 1_000, 200, 400)).toBe(200 + MINUTE - 400 + 1);
    expect(waitOf(budget, 1_000, 200, 201 + MINUTE)).toBe(0);
  });

  it('let a call that is larger than all of them go alone', () => {
    expect(waitOf(newBudget(), 1_000, 5_000, 0)).toBe(0);
  });

  it('learn from answers that use more than expected', () => {
    const budget = newBudget();
    spend(budget, call('one', 100), 0);
    settle(budget, { id: 'one', tokens: 300 }, 1);
    expect(waitOf(budget, 1_000, 200, MINUTE)).toBe(0);
    expect(waitOf(budget, 1_000, 300, MINUTE)).toBe(1 + MINUTE - MINUTE + 1);
  });

  it('count a call once, however often it asks, and as expected where its lease ends before its answer', () => {
    const budget = newBudget();
    for (let turn = 0; turn < 3; turn++) spend(budget, call('one', 600, 'a'), 0);
    expect([budget.day.calls, budget.day.tokens]).toEqual([1, 600]);
    settleAll(budget, 'a', 10);
    expect(waitOf(budget, 1_000, 600, 10)).toBe(MINUTE + 1);
  });

  it('never exceed the limit in any minute of the server, and waste little, with eight callers', () => {
    const random = seededRandom('tokens');
    const tpm = 60_000;
    const budget = newBudget();
    const used: { at: number; tokens: number }[] = [];
    const busy: { ends: number; id: string; tokens: number }[] = [];
    let now = 0;
    let waiting = 0;
    const calls = 400;
    for (let index = 0; index < calls;) {
      for (const over of busy.filter(({ ends }) => ends <= now)) {
        busy.splice(busy.indexOf(over), 1);
        settle(budget, { id: over.id, tokens: over.tokens }, now);
        used.push({ at: over.ends, tokens: over.tokens });
      }
      const tokens = 500 + Math.floor(random() * 2_500);
      const next = call(`call ${index}`, tokens * (1 + random() * 0.3));
      const leave = busy.length < 8 ? leaveFor(budget, { tpm }, next, now) : { waitMs: Infinity };
      if ('waitMs' in leave && leave.waitMs === 0) {
        spend(budget, next, now);
        busy.push({ ends: now + 200 + random() * 800, id: next.id, tokens });
        index++;
        continue;
      }
      const ends = Math.min(...busy.map((each) => each.ends), Infinity);
      const after = 'waitMs' in leave ? now + leave.waitMs : Infinity;
      waiting++;
      now = Math.min(ends, after);
    }
    expect(waiting).toBeGreaterThan(10);
    for (const { at } of used) {
      const inMinute = used.filter((each) => each.at > at - MINUTE && each.at <= at);
      expect(inMinute.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(tpm);
    }
    const sum = used.reduce((total, { tokens }) => total + tokens, 0);
    const possibleMs = (sum / tpm) * MINUTE;
    expect(possibleMs / now).toBeGreaterThan(0.9);
  });
});

describe('the budget of a day', () => {
  const daily = { calls: 2, tokens: 1_000, resetsAt: '00:00 UTC' };

  it('ends with its requests, or with its tokens, and begins anew', () => {
    const budget = newBudget();
    beginDay(budget, 0, () => 500);
    spend(budget, call('one', 300), 1);
    expect(usedUp(budget, { daily })).toBeNull();
    spend(budget, call('two', 300), 2);
    expect(usedUp(budget, { daily })).toBe('2 requests');
    settle(budget, { id: 'one', tokens: 800 }, 3);
    expect(usedUp(budget, { daily: { ...daily, calls: 9 } })).toBe('1000 tokens');
    beginDay(budget, 500, () => 900);
    expect(usedUp(budget, { daily })).toBeNull();
  });

  it('lets a call wait for others that may use less than expected, and else says that it is used up', () => {
    const budget = newBudget();
    const spec = { daily: { ...daily, calls: 9 } };
    spend(budget, call('one', 700), 0);
    expect(leaveFor(budget, spec, call('two', 400), 1)).toEqual({ waitMs: Infinity });
    settle(budget, { id: 'one', tokens: 700 }, 2);
    expect(leaveFor(budget, spec, call('two', 400), 3)).toEqual({ usedUp: '1000 tokens' });
    expect(leaveFor(budget, spec, call('two', 300), 3)).toEqual({ waitMs: 0 });
  });
});

describe('the time that a day begins', () => {
  const next = (text: string, from: string): string =>
    new Date(nextTimeOfDay(text, Date.parse(from))).toISOString();

  it.each([
    ['00:00 UTC', '2026-03-01T10:00:00.123Z', '2026-03-02T00:00:00.000Z'],
    ['10:00 UTC', '2026-03-01T10:00:00Z', '2026-03-02T10:00:00.000Z'],
    ['10:00 UTC', '2026-03-01T09:59:59.999Z', '2026-03-01T10:00:00.000Z'],
    ['00:00 America/Los_Angeles', '2026-07-01T10:00:00Z', '2026-07-02T07:00:00.000Z'],
    ['09:30 Asia/Kolkata', '2026-07-01T00:00:00Z', '2026-07-01T04:00:00.000Z'],
    // The clocks change on these nights.
    ['12:00 Europe/Berlin', '2026-03-28T20:00:00Z', '2026-03-29T10:00:00.000Z'],
    ['12:00 Europe/Berlin', '2026-10-24T20:00:00Z', '2026-10-25T11:00:00.000Z'],
  ])('%s after %s is %s', (text, from, expected) => {
    expect(next(text, from)).toBe(expected);
  });

  it.each(['24:00 UTC', '00:00', '00:00 Nowhere/City', '0:00 UTC', 'midnight'])('is not "%s"', (text) => {
    expect(isTimeOfDay(text)).toBe(false);
  });
});
