import type { Random } from '../core/clock.ts';
import type { Belief, Learned, Rotation, Routing } from '../core/types.ts';
import type { Arm } from './arm.ts';
import { choose, nextProbeAt, OUT } from './choose.ts';
import { ageOf, newDown } from './down.ts';
import { chanceOfOutage, estimate, shortestOutage } from './estimate.ts';
import { begin, end } from './learn.ts';
import { armIn, countRequest, type Memory, newMemory, priorIn } from './memory.ts';
import { rotate, type Rotated } from './rotations.ts';
import { snapshotOf } from './snapshot.ts';
import { restoreArm, saveArm, type SavedArm } from './state.ts';
import { DEFAULT_TUNING } from './tuning.ts';

interface Place extends Rotated {
  readonly subject: Rotated['subject'] & { readonly belief: Belief };
}

/** What is believed of a member, with its uncertainty: why it is picked or not. */
export interface Insight {
  readonly successRate: number;
  readonly successRange: readonly [low: number, high: number];
  readonly avgMs: number;
  readonly avgRange: readonly [low: number, high: number];
  readonly probes: number;
  readonly changes: number;
}

/**
 * The router behind the pools: one memory for the endpoints and one for the keys of each. A lease is no attempt, so
 * what is in flight are the leases, and an attempt is told at its end only.
 */
export class PoolRouting {
  readonly #random: Random;
  readonly #memories = new Map<string, Memory>();
  readonly #homes = new WeakMap<Belief, { memory: Memory; arm: Arm }>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** The place to lease by this rotation or routing; null where there is none. `attempt` as in `Router.pick`. */
  choose<P extends Place>(
    how: Rotation | Routing,
    places: readonly P[],
    now: number,
    random: Random,
    attempt = 1,
  ): P | null {
    if (how !== 'success-rate') return rotate(how, places, random);
    const [first] = places;
    if (!first || places.length === 1) return first ?? null;
    const { memory } = this.#home(first.subject.belief);
    const candidates = places.map((place) => {
      const { belief, inUse: inFlight, pass } = place.subject;
      return { place, arm: this.#home(belief).arm, inFlight, pass };
    });
    return choose(memory, candidates, attempt, now, DEFAULT_TUNING).candidate.place;
  }

  newBelief(pool: string, kind: 'endpoint' | 'key', id: string): Belief {
    const name = `${kind}\n${pool}`;
    const memory = this.#memories.get(name) ?? newMemory();
    this.#memories.set(name, memory);
    const belief = { id };
    this.#homes.set(belief, { memory, arm: armIn(memory, id, this.#random) });
    return belief;
  }

  learn(belief: Belief, learned: Learned, now: number): void {
    const { memory, arm } = this.#home(belief);
    if (learned.attempt === 1) countRequest(memory, DEFAULT_TUNING);
    if (isProbe(memory, arm, now)) arm.probes++;
    const { ok, kind, durationMs, retryAfterMs: waitMs, inFlight } = learned;
    begin(arm, durationMs === null ? now : now - durationMs, inFlight);
    end(memory, arm, { ok, kind, durationMs, waitMs }, now, DEFAULT_TUNING);
  }

  /** Mended by hand: it counts as up. */
  renew(belief: Belief): void {
    const { memory, arm } = this.#home(belief);
    Object.assign(arm.down, newDown());
    memory.prior = null;
  }

  save(belief: Belief): SavedArm {
    return saveArm(this.#home(belief).arm);
  }

  restore(belief: Belief, saved: unknown, savedAt: number, now: number): void {
    const { memory, arm } = this.#home(belief);
    restoreArm(arm, saved, savedAt, now);
    memory.prior = null;
  }

  /** Null while nothing is known of it. */
  insight(belief: Belief, now: number): Insight | null {
    const { memory, arm } = this.#home(belief);
    const { successRate, successRange, avgMs, avgRange, probes, changes } = snapshotOf(
      memory,
      arm,
      now,
      DEFAULT_TUNING,
    );
    if (successRate === null || successRange === null || avgMs === null || avgRange === null) return null;
    return { successRate, successRange, avgMs, avgRange, probes, changes };
  }

  #home(belief: Belief): { memory: Memory; arm: Arm } {
    const home = this.#homes.get(belief);
    if (!home) throw new TypeError(`the belief about ${belief.id} is of another router`);
    return home;
  }
}

function isProbe(memory: Memory, arm: Arm, now: number): boolean {
  if (arm.outcomes === 0 || arm.down.chance <= OUT) return false;
  const prior = priorIn(memory);
  const { okMs } = estimate({ arm, inFlight: 0 }, prior, now, DEFAULT_TUNING);
  if (chanceOfOutage(arm, prior, arm.down.at, okMs) <= OUT) return false;
  return now >= nextProbeAt(arm.down.at, ageOf(arm.down, shortestOutage(okMs)), DEFAULT_TUNING);
}
