import type { HealthState } from '../core/types.ts';
import type { Arm } from './arm.ts';
import { nextProbeAt, OUT } from './choose.ts';
import { ageOf } from './down.ts';
import { type Estimate, estimate, shortestOutage } from './estimate.ts';
import { type Memory, priorIn } from './memory.ts';
import { turnAt } from './pace.ts';
import type { Tuning } from './tuning.ts';

export interface CandidateSnapshot {
  id: string;
  state: HealthState;
  /** Believed success rate now, 0 to 1; null before the first outcome. */
  successRate: number | null;
  /** Where the success rate while it is up lies with 95 % chance. */
  successRange: [low: number, high: number] | null;
  /** Believed time of an attempt in milliseconds; null before the first outcome. */
  avgMs: number | null;
  /** Where the mean time lies with 95 % chance. */
  avgRange: [low: number, high: number] | null;
  inFlight: number;
  /** When its state ends or its next probe is due, ms since the epoch; null where that is not known. */
  until: number | null;
  picks: number;
  /** Picks that were to find out whether it is back. */
  probes: number;
  /** Times that its speed was found to have changed. */
  changes: number;
}

/** 95 % of a normal lie within so many standard deviations. */
const WITHIN = 1.96;

export function snapshotOf(memory: Memory, arm: Arm, now: number, tuning: Tuning): CandidateSnapshot {
  const inFlight = arm.startedAt.length;
  const known = estimate({ arm, inFlight: 0 }, priorIn(memory), now, tuning);
  const isKnown = arm.outcomes > 0;
  const { state, until } = standing(known, now, tuning);
  return {
    id: arm.id,
    state,
    successRate: isKnown ? known.rate * (1 - known.down) : null,
    successRange: isKnown ? rateRange(known) : null,
    avgMs: isKnown ? known.okMs : null,
    avgRange: isKnown ? timeRange(known) : null,
    inFlight,
    until,
    picks: arm.picks,
    probes: arm.probes,
    changes: arm.time.changes,
  };
}

function standing(
  { arm, down, okMs }: Estimate,
  now: number,
  tuning: Tuning,
): { state: HealthState; until: number | null } {
  if (arm.down.since !== null && arm.down.chance > OUT) {
    const until = nextProbeAt(arm.down.at, ageOf(arm.down, shortestOutage(okMs)), tuning);
    return until > now ? { state: arm.trouble, until } : { state: 'half-open', until: null };
  }
  // Nothing has failed yet, but what is in flight is silent for too long.
  if (down > OUT) return { state: 'ejected', until: null };
  const turn = turnAt(arm.pace);
  return turn > now ? { state: 'cooling', until: turn } : { state: 'healthy', until: null };
}

function rateRange({ rate, rateDeviation }: Estimate): [number, number] {
  return [Math.max(0, rate - WITHIN * rateDeviation), Math.min(1, rate + WITHIN * rateDeviation)];
}

function timeRange({ okMs, timeDeviation }: Estimate): [number, number] {
  const factor = (1 - Math.min(0.99, timeDeviation)) ** WITHIN;
  return [okMs * factor, okMs / factor];
}
