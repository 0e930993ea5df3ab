import type { OutcomeKind } from '../core/types.ts';
import type { Arm, Trouble } from './arm.ts';
import { failedAt, outFor, succeededAt } from './down.ts';
import { chanceOfOutage, estimate } from './estimate.ts';
import { type Memory, outcomeLearned, priorIn } from './memory.ts';
import { askedToWait, refusedAt, servedAt, takeTurn } from './pace.ts';
import { learnTime } from './time.ts';
import type { Tuning } from './tuning.ts';

/** The end of one attempt. */
export interface Ended {
  readonly ok: boolean;
  /** Null where it is not known. */
  readonly durationMs: number | null;
  readonly kind?: OutcomeKind | undefined;
  /** What the server asked to wait. */
  readonly waitMs: number | null;
}

/** Failures over which their time is remembered. */
const FAIL_MEMORY = 10;
/** A refused key, a used-up quota: nobody mends it within a run. */
const FOR_LONG_MS = 3_600_000;

/** An attempt begins at the arm, which has `inFlight` others. */
export function begin(arm: Arm, now: number, inFlight: number = arm.startedAt.length): void {
  takeTurn(arm.pace, now);
  arm.foundInFlight.push(inFlight);
  arm.startedAt.push(now);
}

/** Learns the end of an attempt that `begin` announced. */
export function end(memory: Memory, arm: Arm, ended: Ended, now: number, tuning: Tuning): void {
  const prior = priorIn(memory);
  const { from, found } = takeOut(arm, ended.durationMs === null ? now : now - ended.durationMs);
  const { rate, okMs } = estimate({ arm, inFlight: 0 }, prior, now, tuning);
  const before = Math.max(tuning.outageHazard, chanceOfOutage(arm, prior, now, okMs));
  outcomeLearned(memory);
  arm.outcomes++;
  const passed = ended.ok || ended.kind === 'caller';
  if (!passed && ended.kind === 'rate-limit') return refusedAt(arm.pace, from, now, ended.waitMs);
  if (!passed && ended.waitMs !== null) askedToWait(arm.pace, now + ended.waitMs);
  if (!passed && ended.kind === 'auth') return lose(arm, now, 'quarantined');
  if (!passed && ended.kind === 'exhausted')
    return ended.waitMs === null ? lose(arm, now, 'exhausted') : undefined;

  servedAt(arm.pace, from);
  const kept = 1 - 1 / tuning.successMemory;
  arm.good *= kept;
  arm.bad *= kept;
  if (passed) {
    arm.worked = true;
    arm.bad += succeededAt(arm.down, { from, now, before, worksWhenUp: rate });
    arm.good++;
    if (ended.ok && ended.durationMs !== null)
      learnTime(arm.time, ended.durationMs, found, prior.time, tuning.timeMemory);
    return;
  }
  arm.trouble = 'ejected';
  arm.bad += failedAt(arm.down, { from, now, before, failsWhenUp: 1 - rate });
  if (ended.durationMs === null) return;
  arm.failWeight = arm.failWeight * (1 - 1 / FAIL_MEMORY) + 1;
  arm.failLogMs += (Math.log(Math.max(1, ended.durationMs)) - arm.failLogMs) / arm.failWeight;
}

function lose(arm: Arm, now: number, trouble: Trouble): void {
  arm.trouble = trouble;
  outFor(arm.down, now, FOR_LONG_MS);
}

/** Forgets attempts that began before then and were never recorded. */
export function ageOut(arm: Arm, before: number): void {
  while (arm.startedAt.length > 0 && arm.startedAt[0]! < before) {
    arm.startedAt.shift();
    arm.foundInFlight.shift();
  }
}

/** Takes the attempt out that began nearest to `from`; one that was never announced began then. */
function takeOut(arm: Arm, from: number): { from: number; found: number } {
  let nearest = -1;
  let least = Infinity;
  for (let index = 0; index < arm.startedAt.length; index++) {
    const distance = Math.abs(arm.startedAt[index]! - from);
    if (distance < least) [nearest, least] = [index, distance];
  }
  if (nearest < 0) return { from, found: 0 };
  const [started] = arm.startedAt.splice(nearest, 1);
  const [found] = arm.foundInFlight.splice(nearest, 1);
  return { from: started!, found: found! };
}
