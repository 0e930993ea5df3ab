import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { type Health, HEALTHY, nextHealth, remainingEjections, untilOf } from '../core/health.ts';
import type { Belief, HealthState, OutcomeKind } from '../core/types.ts';
import { believe, learn, newBelief } from './belief.ts';
import { choose } from './rotations.ts';

export interface RouterOptions {
  /** Milliseconds since the epoch. @default Date.now */
  now?: Clock;
  /** A number in [0, 1). @default Math.random */
  random?: Random;
  /** Faults in a row after which a candidate is put aside. @default 5 */
  maxFailures?: number;
  /** How long it is put aside, in milliseconds: `base`, doubled with each further time, at most `max`. */
  ejection?: { base?: number; max?: number };
}

export interface PickOptions {
  /** Which attempt of its request this is, from 1. @default 1 */
  attempt?: number;
}

export interface RouterOutcome {
  ok: boolean;
  /** Time of the attempt in milliseconds. */
  durationMs: number;
  kind?: OutcomeKind;
  /** What the server asked to wait, in milliseconds. */
  retryAfterMs?: number;
}

export interface CandidateSnapshot {
  id: string;
  state: HealthState;
  /** Believed success rate, 0 to 1; null before the first outcome. */
  successRate: number | null;
  /** Believed time of an attempt in milliseconds; null before the first outcome. */
  avgMs: number | null;
  inFlight: number;
  /** When its state ends, ms since the epoch. */
  until: number | null;
}

export interface Router {
  /** One of `candidates`, the least bad where all are out. One `record` must follow per pick. */
  pick(candidates: readonly string[], options?: PickOptions): string;
  record(id: string, outcome: RouterOutcome): void;
  snapshot(): CandidateSnapshot[];
}

interface Arm {
  readonly id: string;
  inUse: number;
  pass: number;
  health: Health;
  belief: Belief;
  faults: number;
  ejections: number;
  ejectedAt: number;
  seen: boolean;
}

/** A success-rate router: learns which candidate works best now. Deterministic for given `now` and `random`. */
export function createRouter(options: RouterOptions = {}): Router {
  const now = options.now ?? systemClock;
  const random = options.random ?? systemRandom;
  const maxFailures = options.maxFailures ?? 5;
  const ejection = { baseMs: options.ejection?.base ?? 15_000, maxMs: options.ejection?.max ?? 600_000 };
  const arms = new Map<string, Arm>();

  const armOf = (id: string): Arm => {
    const known = arms.get(id);
    if (known) return known;
    const pass = Math.min(...[...arms.values()].map((arm) => arm.pass), Infinity);
    const arm = newArm(id, Number.isFinite(pass) ? pass : 0, now());
    arms.set(id, arm);
    return arm;
  };

  return {
    pick(candidates) {
      if (candidates.length === 0) throw new RangeError('pick() needs at least one candidate');
      const at = now();
      const offered = [...new Set(candidates)].map(armOf);
      for (const arm of offered)
        arm.health = nextHealth(arm.health, { type: 'tick' }, at, arm.ejections, ejection);
      const chosen = chooseArm(offered, at, random);
      chosen.inUse++;
      chosen.pass += 1;
      if (chosen.health.state === 'half-open') chosen.health = { ...chosen.health, probe: 'pick' };
      return chosen.id;
    },
    record(id, outcome) {
      const durationMs = checkedDuration(outcome.durationMs);
      const at = now();
      const arm = armOf(id);
      arm.inUse = Math.max(0, arm.inUse - 1);
      arm.seen = true;
      learn(arm.belief, outcome.ok, durationMs, at);
      settle(arm, outcome, at, maxFailures, ejection);
    },
    snapshot: () => [...arms.values()].map((arm) => snapshotOf(arm, now())),
  };
}

function newArm(id: string, pass: number, now: number): Arm {
  return {
    id,
    inUse: 0,
    pass,
    health: HEALTHY,
    belief: newBelief(now),
    faults: 0,
    ejections: 0,
    ejectedAt: 0,
    seen: false,
  };
}

/** A candidate on trial comes first, once; then the healthy; where all are out, the one that is back soonest. */
function chooseArm(offered: readonly Arm[], now: number, random: Random): Arm {
  const onTrial = offered.find((arm) => arm.health.state === 'half-open' && arm.health.probe === null);
  if (onTrial) return onTrial;
  const healthy = offered.filter((arm) => arm.health.state === 'healthy');
  const candidates = healthy.map((subject) => ({ weight: 1, priority: 0, subject }));
  const best = choose('success-rate', candidates, now, random);
  if (best) return best.subject;
  return offered.reduce((best, arm) => (backAt(arm, now) < backAt(best, now) ? arm : best));
}

function backAt(arm: Arm, now: number): number {
  if (arm.health.state === 'quarantined') return Infinity;
  return untilOf(arm.health) ?? now;
}

function settle(
  arm: Arm,
  outcome: RouterOutcome,
  now: number,
  maxFailures: number,
  ejection: { baseMs: number; maxMs: number },
): void {
  const change = (event: Parameters<typeof nextHealth>[1]): void => {
    arm.health = nextHealth(arm.health, event, now, arm.ejections, ejection);
  };
  if (outcome.ok) {
    arm.faults = 0;
    return change({ type: 'success' });
  }
  if (outcome.kind === 'rate-limit' || outcome.kind === 'exhausted') {
    const until = now + checkedDuration(outcome.retryAfterMs ?? 1_000);
    return change({ type: outcome.kind === 'rate-limit' ? 'cool' : 'exhaust', until, why: outcome.kind });
  }
  arm.faults++;
  if (arm.health.state !== 'half-open' && arm.faults < maxFailures) return;
  arm.ejections = remainingEjections(arm.ejections, now - arm.ejectedAt, ejection);
  change({ type: 'fault', why: outcome.kind ?? 'failed' });
  arm.ejections++;
  arm.ejectedAt = untilOf(arm.health) ?? now;
}

function snapshotOf(arm: Arm, now: number): CandidateSnapshot {
  const { alpha, beta, timeMs } = believe(arm.belief, now);
  return {
    id: arm.id,
    state: arm.health.state,
    successRate: arm.seen ? alpha / (alpha + beta) : null,
    avgMs: arm.seen ? timeMs : null,
    inFlight: arm.inUse,
    until: untilOf(arm.health),
  };
}

function checkedDuration(durationMs: number): number {
  if (Number.isFinite(durationMs) && durationMs >= 0) return durationMs;
  throw new RangeError(`a duration must be a finite number of milliseconds, 0 or more; got ${durationMs}`);
}
