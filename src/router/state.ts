import { type Arm, newArm } from './arm.ts';
import { fade, type Memory, newMemory } from './memory.ts';

/** What a router learned, as plain JSON. Its shape belongs to the router. */
export interface RouterState {
  readonly v: 1;
  /** When it was saved, ms since the epoch. */
  readonly at: number;
  readonly arms: readonly SavedArm[];
}

/** One candidate's record, as plain JSON. */
export interface SavedArm {
  readonly id: string;
  readonly good: number;
  readonly bad: number;
  /** Weight, and mean log ms without load with its sum of squares. */
  readonly time: readonly [weight: number, logMs: number, squares: number];
  readonly fail: readonly [weight: number, logMs: number];
  /** Chance of being down, since when, as of when. */
  readonly down: readonly [chance: number, since: number | null, at: number];
  /** Tokens in so many ms, and the last refusal: an arm without a limit has none. */
  readonly pace: readonly [tokens: number, timeMs: number, emptyAt: number] | null;
  readonly worked: boolean;
}

/** A record counts for half after a day: servers are mended and moved overnight. */
const HALF_LIFE_MS = 86_400_000;
const ENOUGH = 0.01;

export function saveMemory({ arms }: Memory, now: number): RouterState {
  return { v: 1, at: now, arms: [...arms.values()].filter(({ outcomes }) => outcomes > 0).map(saveArm) };
}

export function saveArm({ id, good, bad, time, failWeight, failLogMs, down, pace, worked }: Arm): SavedArm {
  return {
    id,
    good,
    bad,
    time: [time.weight, time.logMs, time.msMs],
    fail: [failWeight, failLogMs],
    down: [down.chance, down.since, down.at],
    pace: pace.timeMs > 0 ? [pace.tokens, pace.timeMs, pace.emptyAt] : null,
    worked,
  };
}

/** A memory of what was saved. What is not of that shape is left out: it comes from a file that anything may have written. */
export function restoreMemory(state: unknown, now: number): Memory {
  const memory = newMemory();
  if (!isRecord(state) || state['v'] !== 1 || !isCount(state['at'])) return memory;
  for (const saved of Array.isArray(state['arms']) ? (state['arms'] as unknown[]) : []) {
    const arm = isRecord(saved) && typeof saved['id'] === 'string' ? newArm(saved['id'], 0) : null;
    if (arm && restoreArm(arm, saved, state['at'], now)) memory.arms.set(arm.id, arm);
  }
  return memory;
}

/** Gives the arm what was saved at `savedAt`, aged until now. False where that is not a saved arm: nothing is changed. */
export function restoreArm(arm: Arm, saved: unknown, savedAt: number, now: number): boolean {
  if (!isSavedArm(saved)) return false;
  const [weight, logMs, squares] = saved.time;
  const [failWeight, failLogMs] = saved.fail;
  const [chance, since, at] = saved.down;
  Object.assign(arm, { good: saved.good, bad: saved.bad, failWeight, failLogMs, worked: saved.worked });
  Object.assign(arm.time, { weight, logMs, msMs: squares });
  Object.assign(arm.down, { chance: Math.min(0.999, chance), since, at: Math.min(at, now) });
  if (saved.pace) {
    const [tokens, timeMs, emptyAt] = saved.pace;
    Object.assign(arm.pace, { tokens, timeMs, emptyAt: Math.min(emptyAt, now) });
  }
  arm.outcomes = 1;
  const kept = 0.5 ** (Math.max(0, now - savedAt) / HALF_LIFE_MS);
  fade(arm, kept);
  arm.failWeight *= kept;
  if (kept < ENOUGH) Object.assign(arm, newArm(arm.id, arm.pass));
  return true;
}

function isSavedArm(saved: unknown): saved is SavedArm {
  if (!isRecord(saved)) return false;
  const { id, good, bad, time, fail, down, pace, worked } = saved;
  return (
    typeof id === 'string' &&
    typeof worked === 'boolean' &&
    [good, bad].every(isCount) &&
    isNumbers(time, 3) &&
    isNumbers(fail, 2) &&
    isNumbers(Array.isArray(down) && down[1] === null ? [down[0], 0, down[2]] : down, 3) &&
    (pace === null || isNumbers(pace, 3))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isNumbers(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite) && isCount(value[0]);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
