import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import type { OutcomeKind } from '../core/types.ts';
import { choose } from './choose.ts';
import type { Arm } from './arm.ts';
import { estimate } from './estimate.ts';
import { ageOut, begin, end } from './learn.ts';
import { armIn, countRequest, priorIn } from './memory.ts';
import { type CandidateSnapshot, snapshotOf } from './snapshot.ts';
import { restoreMemory, type RouterState, saveMemory } from './state.ts';
import { DEFAULT_TUNING, type Tuning } from './tuning.ts';

export interface RouterOptions {
  /** Milliseconds since the epoch. @default Date.now */
  now?: Clock;
  /** A number in [0, 1). @default Math.random */
  random?: Random;
  /** Other numbers for the decisions than the defaults. */
  tuning?: Partial<Tuning>;
  /** What an earlier router's `state()` gave: it is aged by the time between. Damaged parts of it are left out. */
  state?: unknown;
}

export interface PickOptions {
  /** Which attempt of its request this is, from 1. @default 1 */
  attempt?: number;
}

export interface RouterOutcome {
  ok: boolean;
  /** Time of the attempt in milliseconds. */
  durationMs: number;
  /** What a failure was: `rate-limit` teaches a pace, `auth` and `exhausted` take the candidate out for long. */
  kind?: OutcomeKind;
  /** What the server asked to wait, in milliseconds. */
  retryAfterMs?: number;
}

export interface Router {
  /**
   * One of `candidates`, the least bad where all are out. One `record` must follow per pick; without one the attempt counts
   * as in flight for ten times the candidate's mean time, at least a minute.
   */
  pick(candidates: readonly string[], options?: PickOptions): string;
  /** The end of an attempt. Refuses durations that are negative or not finite with a RangeError, and learns nothing then. */
  record(id: string, outcome: RouterOutcome): void;
  snapshot(): CandidateSnapshot[];
  /** What was learned, as plain JSON, for the next router's `state`. */
  state(): RouterState;
}

/** A success-rate router: learns which candidate works best now. Deterministic for given `now` and `random`. */
export function createRouter(options: RouterOptions = {}): Router {
  const clock = steady(options.now ?? systemClock);
  const now = (): number => clock.now();
  const random = options.random ?? systemRandom;
  const tuning: Tuning = { ...DEFAULT_TUNING, ...options.tuning };
  const memory = restoreMemory(options.state, now());
  /** Its recorder is gone, or its call was cancelled. */
  const forgetLost = (arm: Arm, at: number): void => {
    const [oldest = Infinity] = arm.startedAt;
    if (at - oldest < SHORTEST_LIFE_MS) return;
    const { okMs } = estimate({ arm, inFlight: 0 }, priorIn(memory), at, tuning);
    ageOut(arm, at - Math.max(SHORTEST_LIFE_MS, LIFE_IN_MEANS * okMs));
  };

  return {
    pick(candidates, { attempt = 1 } = {}) {
      if (candidates.length === 0) throw new RangeError('pick() needs at least one candidate');
      const at = now();
      if (attempt === 1) countRequest(memory, tuning);
      const offered = candidates.map((id) => {
        const arm = armIn(memory, id, random);
        forgetLost(arm, at);
        return { arm, inFlight: arm.startedAt.length, pass: arm.pass };
      });
      const { candidate, isProbe } = choose(memory, offered, attempt, at, tuning);
      const { arm } = candidate;
      arm.pass++;
      arm.picks++;
      if (isProbe) arm.probes++;
      begin(arm, at);
      return arm.id;
    },
    record(id, { ok, kind, durationMs, retryAfterMs }) {
      const ended = {
        ok,
        kind,
        durationMs: checkedDuration(durationMs),
        waitMs: retryAfterMs === undefined ? null : checkedDuration(retryAfterMs),
      };
      end(memory, armIn(memory, id, random), ended, now(), tuning);
    },
    snapshot() {
      const at = now();
      return [...memory.arms.values()].map((arm) => {
        forgetLost(arm, at);
        const shown = snapshotOf(memory, arm, at, tuning);
        return shown.until === null ? shown : { ...shown, until: clock.shown(shown.until) };
      });
    },
    state: () => saveMemory(memory, now()),
  };
}

/** An attempt that is not recorded counts as in flight for this long at least, and for so many times the usual. */
const SHORTEST_LIFE_MS = 60_000;
const LIFE_IN_MEANS = 10;

/** A clock that is set back goes on from where it was, so that what is due stays due. */
function steady(now: Clock): { now: () => number; shown: (at: number) => number } {
  let latest = -Infinity;
  let ahead = 0;
  return {
    now: () => {
      const at = now();
      if (at + ahead < latest) ahead = latest - at;
      return (latest = at + ahead);
    },
    shown: (at) => at - ahead,
  };
}

/** Three years: what is longer adds nothing, and sums of it stay finite. */
const LONGEST_MS = 1e11;

function checkedDuration(durationMs: number): number {
  if (Number.isFinite(durationMs) && durationMs >= 0) return Math.min(durationMs, LONGEST_MS);
  throw new RangeError(`a duration must be a finite number of milliseconds, 0 or more; got ${durationMs}`);
}
