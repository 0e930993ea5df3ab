import type { Random } from '../core/clock.ts';
import {
  type RouterHandle,
  type Observation,
  type Rotation,
  type Routing,
  type MemberKind,
} from '../core/types.ts';
import { alike } from './alike.ts';
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

interface RoutedMember extends Rotated {
  readonly member: Rotated['member'] & { readonly routerHandle: RouterHandle };
}

/** What is believed of a member, with its uncertainty: why it is picked or not. */
export interface MemberEstimate {
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
  readonly #homes = new WeakMap<RouterHandle, { memory: Memory; arm: Arm }>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** The place to lease by this rotation or routing; null where there is none. `attempt` as in `Router.pick`. */
  choose<P extends RoutedMember>(
    how: Rotation | Routing,
    candidates: readonly P[],
    now: number,
    random: Random,
    attempt = 1,
  ): P | null {
    if (how !== 'success-rate') return rotate(how, candidates, random);
    const [first] = candidates;
    if (!first || candidates.length === 1) return first ?? null;
    const { memory } = this.#home(first.member.routerHandle);
    const arms = candidates.map((candidate) => {
      const { routerHandle, inUse: inFlight, pass } = candidate.member;
      return { routed: candidate, arm: this.#home(routerHandle).arm, inFlight, pass };
    });
    return choose(memory, arms, attempt, now, DEFAULT_TUNING, alike).candidate.routed;
  }

  newHandle(pool: string, kind: MemberKind, id: string): RouterHandle {
    const name = `${kind}\n${pool}`;
    const memory = this.#memories.get(name) ?? newMemory();
    this.#memories.set(name, memory);
    const routerHandle = { id };
    this.#homes.set(routerHandle, { memory, arm: armIn(memory, id, this.#random) });
    return routerHandle;
  }

  observe(routerHandle: RouterHandle, learned: Observation, now: number): void {
    const { memory, arm } = this.#home(routerHandle);
    if (learned.request === 1) countRequest(memory, DEFAULT_TUNING);
    if (isProbe(memory, arm, now)) arm.probes++;
    const { ok, kind, durationMs, retryAfterMs: waitMs, inFlight } = learned;
    begin(arm, durationMs === null ? now : now - durationMs, inFlight);
    end(memory, arm, { ok, kind, durationMs, waitMs }, now, DEFAULT_TUNING);
  }

  /** Mended by hand: it counts as up. */
  renew(routerHandle: RouterHandle): void {
    const { memory, arm } = this.#home(routerHandle);
    Object.assign(arm.down, newDown());
    memory.prior = null;
  }

  save(routerHandle: RouterHandle): SavedArm {
    return saveArm(this.#home(routerHandle).arm);
  }

  restore(routerHandle: RouterHandle, saved: unknown, savedAt: number, now: number): void {
    const { memory, arm } = this.#home(routerHandle);
    restoreArm(arm, saved, savedAt, now);
    memory.prior = null;
  }

  /** Null while nothing is known of it. */
  estimateOf(routerHandle: RouterHandle, now: number): MemberEstimate | null {
    const { memory, arm } = this.#home(routerHandle);
    const { successRate, successRange, avgMs, avgRange, probes, changes } = snapshotOf(
      memory,
      arm,
      now,
      DEFAULT_TUNING,
    );
    if (successRate === null || successRange === null || avgMs === null || avgRange === null) return null;
    return { successRate, successRange, avgMs, avgRange, probes, changes };
  }

  #home(routerHandle: RouterHandle): { memory: Memory; arm: Arm } {
    const home = this.#homes.get(routerHandle);
    if (!home) throw new TypeError(`the belief about ${routerHandle.id} is of another router`);
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
