import { type Down, newDown } from './down.ts';
import { newLearnedLimit, type LearnedLimit } from './pace.ts';
import { newTimeBelief, type TimeBelief } from './time.ts';

export type Trouble = 'ejected' | 'quarantined' | 'exhausted';

/** What the router knows of one candidate. */
export interface Arm {
  readonly id: string;
  /** Faded counts of attempts that succeeded and failed while it was up. */
  good: number;
  bad: number;
  readonly time: TimeBelief;
  /** Faded mean of the failures' log ms. */
  failWeight: number;
  failLogMs: number;
  readonly down: Down;
  /** How its last trouble shows: an outage, a refused key, a used-up quota. */
  trouble: Trouble;
  readonly pace: LearnedLimit;
  /** When the attempts in flight began, with the requests in flight that each found there. */
  startedAt: number[];
  foundInFlight: number[];
  /** Its place in the round of near equals. */
  pass: number;
  picks: number;
  probes: number;
  outcomes: number;
  /** It has succeeded once. */
  worked: boolean;
}

export function newArm(id: string, pass: number): Arm {
  return {
    id,
    good: 0,
    bad: 0,
    time: newTimeBelief(),
    failWeight: 0,
    failLogMs: 0,
    down: newDown(),
    trouble: 'ejected',
    pace: newLearnedLimit(),
    startedAt: [],
    foundInFlight: [],
    pass,
    picks: 0,
    probes: 0,
    outcomes: 0,
    worked: false,
  };
}
