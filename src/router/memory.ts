import type { Random } from '../core/clock.ts';
import { type Arm, newArm } from './arm.ts';
import { fadeTime } from './time.ts';
import { type Prior, priorOf } from './prior.ts';
import type { Tuning } from './tuning.ts';

/** What is known of all candidates for one thing: the endpoints of a pool, its keys, or the strategies of a task. */
export interface Memory {
  readonly arms: Map<string, Arm>;
  /** Requests so far. */
  requests: number;
  /** Derived from the arms; null where it is to be derived anew. */
  prior: Prior | null;
  /** Outcomes since then. */
  outcomesSince: number;
}

/** Requests after which every record fades a little. */
const FADE_EVERY = 20;
/** One outcome among many arms changes what they have in common by little: so many may come before it is derived anew. */
const ARMS_AN_OUTCOME = 8;

export function newMemory(): Memory {
  return { arms: new Map(), requests: 0, prior: null, outcomesSince: 0 };
}

/** The arm of that name; one never seen joins the round level with the others, in an order that chance decides. */
export function armIn(memory: Memory, id: string, random: Random): Arm {
  const known = memory.arms.get(id);
  if (known) return known;
  let pass = Infinity;
  for (const arm of memory.arms.values()) pass = Math.min(pass, Math.floor(arm.pass));
  const arm = newArm(id, (Number.isFinite(pass) ? pass : 0) + random() / 2);
  memory.arms.set(id, arm);
  return arm;
}

export function priorIn(memory: Memory): Prior {
  memory.prior ??= priorOf([...memory.arms.values()]);
  return memory.prior;
}

/** An arm learned an outcome. */
export function outcomeLearned(memory: Memory): void {
  if (++memory.outcomesSince * ARMS_AN_OUTCOME <= memory.arms.size) return;
  memory.prior = null;
  memory.outcomesSince = 0;
}

/** A request begins. What was learned long ago, counted in requests, weighs less: regimes change unseen. */
export function countRequest(memory: Memory, { regimeMemory }: Tuning): void {
  if (++memory.requests % FADE_EVERY !== 0) return;
  const kept = Math.exp(-FADE_EVERY / regimeMemory);
  for (const arm of memory.arms.values()) fade(arm, kept);
  memory.prior = null;
}

export function fade(arm: Arm, kept: number): void {
  arm.good *= kept;
  arm.bad *= kept;
  fadeTime(arm.time, kept);
}
