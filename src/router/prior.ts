import type { Arm } from './arm.ts';
import type { TimePrior } from './time.ts';

/** What the whole pool says about an arm of which little is known: the means that beliefs are shrunk towards. */
export interface Prior {
  readonly rate: number;
  readonly time: TimePrior;
  readonly failLogMs: number;
  /** The share of arms that never worked. */
  readonly deadShare: number;
}

const RATE = { mean: 0.93, weight: 2 };
const LOG_MS = { mean: Math.log(300), between: 0.5, within: 0.15, weight: 2, withinWeight: 8 };
/** Times that never vary would make one attempt of long ago speak for ever. */
const MIN_WITHIN = 0.05;
const SLOPE_WEIGHT = 2;
const DEAD = { share: 0.05, weight: 2 };

export function priorOf(arms: Iterable<Arm>): Prior {
  let [rates, rateWeight] = [RATE.mean * RATE.weight, RATE.weight];
  let [times, timeWeight, slopeUp, slopeDown] = [0, 0, 0, SLOPE_WEIGHT];
  let [within, withinWeight] = [LOG_MS.within * LOG_MS.withinWeight, LOG_MS.withinWeight];
  let [fails, failWeight] = [0, 0];
  let [dead, tried] = [DEAD.share * DEAD.weight, DEAD.weight];
  for (const { good, bad, time, failWeight: failed, failLogMs, outcomes, worked, down } of arms) {
    const counted = good + bad;
    if (counted > 0) {
      const weight = counted / (counted + 2);
      rates += (weight * good) / counted;
      rateWeight += weight;
    }
    if (outcomes > 0) {
      tried++;
      if (!worked) dead += down.chance;
    }
    fails += failed * failLogMs;
    failWeight += failed;
    slopeUp += time.loadMs;
    slopeDown += time.loadLoad;
  }
  const slope = Math.max(0, Math.min(2, slopeUp / slopeDown));
  for (const { time } of arms) {
    if (time.weight === 0) continue;
    const weight = time.weight / (time.weight + 1);
    times += weight * (time.logMs - slope * time.logLoad);
    timeWeight += weight;
    within += Math.max(0, time.msMs - slope * time.loadMs);
    withinWeight += time.weight;
  }
  const logMs = timeWeight > 0 ? times / timeWeight : LOG_MS.mean;
  let [between, betweenWeight] = [LOG_MS.between * LOG_MS.weight, LOG_MS.weight];
  for (const { time } of arms) {
    if (time.weight === 0) continue;
    const weight = time.weight / (time.weight + 1);
    between += weight * (time.logMs - slope * time.logLoad - logMs) ** 2;
    betweenWeight += weight;
  }
  return {
    rate: rates / rateWeight,
    time: {
      logMs,
      within: Math.max(MIN_WITHIN, within / withinWeight),
      between: Math.max(0.02, between / betweenWeight),
      slope,
    },
    failLogMs: failWeight > 0.5 ? fails / failWeight : logMs,
    deadShare: dead / tried,
  };
}
