import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/clock.ts';
import { newArm } from '../../../src/router/arm.ts';
import { detect, newCusum } from '../../../src/router/change.ts';
import { chanceOfDown, failedAt, newDown, outFor, succeededAt } from '../../../src/router/down.ts';
import type { Estimate } from '../../../src/router/estimate.ts';
import { worthOfTrying } from '../../../src/router/explore.ts';
import {
  askedToWait,
  chanceOfTurn,
  newLearnedLimit,
  refusedAt,
  servedAt,
  takeTurn,
  turnAt,
} from '../../../src/router/pace.ts';
import { priorOf } from '../../../src/router/prior.ts';
import { silenceRatio } from '../../../src/router/silence.ts';
import { learnTime, meanLogMs, newTimeBelief, slopeOf } from '../../../src/router/time.ts';
import { DEFAULT_TUNING } from '../../../src/router/tuning.ts';
import { costAt, pricesOf } from '../../../src/router/value.ts';

const PRIOR = { logMs: Math.log(300), within: 0.1, between: 0.5, slope: 0 };

function estimateOf(more: Partial<Estimate>): Estimate {
  return {
    arm: newArm('a', 0),
    inFlight: 0,
    works: 0.9,
    miss: 0.1,
    base: 100,
    down: 0,
    turn: 1,
    rate: 0.9,
    rateDeviation: 0.1,
    rateWeight: 5,
    okMs: 100,
    failMs: 100,
    timeDeviation: 0.2,
    timeWeight: 5,
    ...more,
  };
}

describe('change detection', () => {
  it('tells of a shift within few values, with the data since it began, and not of noise', () => {
    const cusum = newCusum();
    const random = seededRandom('noise');
    for (let turn = 0; turn < 2_000; turn++) expect(detect(cusum, 0, (random() - 0.5) * 3)).toBeNull();
    let found = null;
    let turns = 0;
    while (!found && turns < 20) {
      turns++;
      found = detect(cusum, 7, 2.5);
    }
    expect(turns).toBeLessThan(8);
    expect(found!.mean).toBeCloseTo(7, 0);
  });

  it('bears one wild value', () => {
    expect(detect(newCusum(), 9, 1e9)).toBeNull();
  });
});

describe('the belief about time', () => {
  it('learns the median, and how it grows with load', () => {
    const belief = newTimeBelief();
    for (let turn = 0; turn < 200; turn++) {
      const load = turn % 5;
      learnTime(belief, 100 * (1 + load), load, PRIOR, 200);
    }
    expect(slopeOf(belief, PRIOR)).toBeGreaterThan(0.8);
    expect(Math.exp(meanLogMs(belief, PRIOR))).toBeCloseTo(105, -1);
    expect(belief.changes).toBe(0);
  });

  it('is the pool’s where nothing was seen', () => {
    expect(Math.exp(meanLogMs(newTimeBelief(), PRIOR))).toBeCloseTo(300);
  });

  it('forgets at once what a change has ended', () => {
    const belief = newTimeBelief();
    for (let turn = 0; turn < 100; turn++) learnTime(belief, 100, 0, PRIOR, 200);
    for (let turn = 0; turn < 6; turn++) learnTime(belief, 1_000, 0, PRIOR, 200);
    expect(belief.changes).toBe(1);
    expect(Math.exp(meanLogMs(belief, PRIOR))).toBeGreaterThan(800);
  });
});

describe('the chance of being down', () => {
  const fail = (down = newDown(), now = 1_000): number =>
    failedAt(down, {
      from: now,
      now,
      before: Math.max(0.003, chanceOfDown(down, now, 200)),
      failsWhenUp: 0.05,
    });

  it('grows with each failure and ends with a success', () => {
    const down = newDown();
    const chances = [1, 2, 3].map(() => (fail(down), down.chance));
    expect(chances[0]!).toBeLessThan(chances[1]!);
    expect(chances[2]!).toBeGreaterThan(0.9);
    succeededAt(down, { from: 1_001, now: 1_001, before: chances[2]!, worksWhenUp: 0.95 });
    expect(down.chance).toBeLessThan(0.5);
  });

  it('falls by half within another age of the outage', () => {
    const down = { ...newDown(), chance: 0.9, since: 1_000, at: 5_000 };
    expect(chanceOfDown(down, 5_000, 200)).toBeCloseTo(0.9);
    expect(chanceOfDown(down, 9_000, 200)).toBeCloseTo(0.45);
  });

  it('does not fall to speak of where a key was refused', () => {
    const down = newDown();
    outFor(down, 1_000, 3_600_000);
    expect(chanceOfDown(down, 61_000, 200)).toBeGreaterThan(0.95);
  });

  it('hears nothing in answers to what was sent before', () => {
    const down = { ...newDown(), okFrom: 2_000 };
    failedAt(down, { from: 1_500, now: 2_500, before: 0.003, failsWhenUp: 0.05 });
    expect(down.chance).toBe(0);
    const out = { ...newDown(), chance: 0.9, since: 2_000, at: 2_100 };
    expect(succeededAt(out, { from: 1_900, now: 2_200, before: 0.9, worksWhenUp: 0.95 })).toBe(0);
    expect(out.chance).toBe(0.9);
  });
});

describe('silence', () => {
  const ratio = (...startedAt: number[]): number => silenceRatio(startedAt, 10_000, Math.log(100), 0.3, 0.3);

  it('says nothing within the usual time, and more with each silent request', () => {
    expect(ratio(9_900)).toBe(1);
    expect(ratio(9_000)).toBeGreaterThan(10);
    expect(ratio(9_000, 9_000)).toBeCloseTo(ratio(9_000) ** 2);
    expect(ratio(...Array.from({ length: 50 }, () => 0))).toBe(1e6);
  });
});

describe('the learned pace', () => {
  it('finds the rate of a bucket from refusals, and waits for the next token', () => {
    const pace = newLearnedLimit();
    let [now, tokens, filledAt, refused, served] = [0, 3, 0, 0, 0];
    const from = 60_000;
    for (; now < 120_000; now += 25) {
      if (chanceOfTurn(pace, now) < 0.5) continue;
      takeTurn(pace, now);
      tokens = Math.min(3, tokens + (now - filledAt) / 500);
      filledAt = now;
      if (tokens >= 1) {
        tokens--;
        if (now > from) served++;
        servedAt(pace, now);
      } else {
        if (now > from) refused++;
        refusedAt(pace, now, now, null);
      }
    }
    expect(served).toBeGreaterThan(100);
    expect(refused).toBeLessThan(served / 3);
  });

  it('waits as long as it was asked to', () => {
    const pace = newLearnedLimit();
    askedToWait(pace, 5_000);
    expect(chanceOfTurn(pace, 4_999)).toBeLessThan(0.05);
    expect(chanceOfTurn(pace, 5_000)).toBe(1);
    expect(turnAt(pace)).toBe(5_000);
  });
});

describe('the pool as a prior', () => {
  it('lets what was seen of some speak for the others', () => {
    const good = Object.assign(newArm('a', 0), { good: 40, bad: 0, outcomes: 40, worked: true });
    const dead = Object.assign(newArm('b', 0), { outcomes: 2, down: { ...newDown(), chance: 1 } });
    const prior = priorOf([good, dead, newArm('c', 0)]);
    expect(prior.rate).toBeGreaterThan(priorOf([]).rate);
    expect(prior.deadShare).toBeGreaterThan(priorOf([good]).deadShare);
  });
});

describe('the value of an attempt', () => {
  it('prices a failure by the best of the others, and the last one by the lost request', () => {
    const [sound, flaky] = [estimateOf({}), estimateOf({ miss: 0.5, works: 0.5, base: 60 })];
    const tuning = { ...DEFAULT_TUNING, failurePriceMs: 0 };
    expect(pricesOf([sound], 1, tuning)).toEqual([10_000]);
    const last = [sound, flaky].map((one) => costAt(one, 10_000));
    expect(pricesOf([sound, flaky], 1, tuning)).toEqual([100 + last[1]!, 100 + last[0]!]);
    expect(pricesOf([sound, flaky], 3, tuning)).toEqual([10_000, 10_000]);
  });
});

describe('exploration', () => {
  it('is worth more the less is known and the more is to come, and nothing at the end', () => {
    const unknown = estimateOf({ rateWeight: 3, timeWeight: 1, timeDeviation: 0.5 });
    const known = estimateOf({ rateWeight: 100, rateDeviation: 0.03, timeWeight: 100, timeDeviation: 0.03 });
    expect(worthOfTrying(unknown, 500, 50, 100)).toBeGreaterThan(worthOfTrying(known, 500, 50, 100));
    expect(worthOfTrying(unknown, 500, 50, 200)).toBeGreaterThan(worthOfTrying(unknown, 500, 50, 100));
    expect(worthOfTrying(unknown, 500, 50, 1)).toBe(0);
    expect(worthOfTrying(known, 500, 5_000, 300)).toBe(0);
  });
});
