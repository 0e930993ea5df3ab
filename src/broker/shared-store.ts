import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { budgetGone } from '../core/pace/permits.ts';
import { applyRemoteDirtiness } from '../core/health/accounts.ts';
import { nextProbeAt } from '../core/health/probe-state.ts';
import {
  applyRemoteHealth,
  claimFailed,
  claimGranted,
  claimRefused,
  freedElsewhere,
} from '../core/leases/claims.ts';
import { healthOf } from '../core/health/states.ts';
import {
  type Effect,
  type Slot,
  type Context,
  type Dirty,
  type HealthChange,
  type LeaseState,
  type PoolState,
  type Probe,
  type SharedDraw,
} from '../core/state.ts';
import { RESET_REASONS } from '../core/types.ts';
import { addressOf, slotsOf } from '../core/leases/slots.ts';
import { StoreDownError } from '../redis/failures.ts';
import type { HealthFact, SharedStore } from '../redis/types.ts';
import { REMEMBERED_STEPS } from './time-steps.ts';

/** A budget that has too little left is asked again after so long at the latest. */
const LOOK_AGAIN_MS = 500;
const MINUTE_MS = 60_000;

/** What sharing needs of its broker. */
export interface SharedStoreHost {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly context: () => Context;
  readonly apply: (effects: readonly Effect[]) => void;
  /** Tells the links of a change that another machine found out. */
  readonly tellChange: (change: HealthChange) => void;
}

/** The broker's dealings with the store that several machines share: decisions stay in the core. */
export class SharedStoreAdapter {
  /** Makes the names of its probes unique over all machines. */
  readonly #id = randomUUID();
  readonly #store: SharedStore;
  readonly #host: SharedStoreHost;
  /** Calls that drew on shared budgets and are not settled yet. */
  readonly #drawn = new Map<string, { readonly budget: string; readonly untilDate: number }>();

  constructor(store: SharedStore, host: SharedStoreHost) {
    this.#store = store;
    this.#host = host;
  }

  /** What is to be put right about the store. */
  get notices(): readonly string[] {
    return this.#store.notices;
  }

  async claim(pool: PoolState, lease: LeaseState, slots: readonly Slot[]): Promise<void> {
    this.#host.apply(await this.#claim(pool, lease, slots));
  }

  async #claim(pool: PoolState, lease: LeaseState, slots: readonly Slot[]): Promise<Effect[]> {
    try {
      const answer = await this.#store.claim(lease.id, slots);
      lease.provedUntil = this.#store.provedUntil(lease.id);
      return answer.granted
        ? claimGranted(pool, lease.id, this.#host.context())
        : claimRefused(pool, lease.id, answer.full, answer.retryAtMs, this.#host.context());
    } catch (error) {
      return claimFailed(pool, lease.id, whyOf(error), this.#host.context());
    }
  }

  release(lease: string): void {
    void this.#store.release(lease);
  }

  /** A lease that a link holds since before this broker: its claim is taken over, or made again. */
  async takeOver(pool: PoolState, lease: LeaseState): Promise<void> {
    const slots = slotsOf(pool, lease.resolved, lease, lease.forCall);
    if (slots.length === 0) return;
    lease.claim = 'held';
    // Where it fails the store reports the lease as lost, once that is sure.
    await this.#store.claim(lease.id, slots, { alreadyHeld: true }).catch(() => null);
  }

  /** Until when no other machine can have the lease, on the machine's monotonic clock; null where none shares it. */
  async prove(lease: string): Promise<number | null> {
    return this.#store.prove(lease);
  }

  /** A turn whose pace all machines share. Without an answer of the store, this machine's own wait has to do. */
  async pace(effect: Extract<Effect, { type: 'permit' }>): Promise<void> {
    const { draw } = effect;
    if (draw && !(await this.#draw(draw))) return;
    const waits = effect.paces.map(({ member, rpm }) =>
      this.#store.reservePermit(member, rpm).catch(() => 0),
    );
    const delayMs = Math.max(effect.delayMs, ...(await Promise.all(waits)));
    this.#host.apply([{ ...effect, delayMs, paces: [], draw: null }]);
  }

  /** Waits until the budget that all machines share has what a call needs; false where the call was answered otherwise. */
  async #draw(draw: SharedDraw): Promise<boolean> {
    const { waiter, budget, id, spec, until } = draw;
    const lease = waiter.lease;
    const context = this.#host.context();
    // The same on all machines, whatever their clocks add.
    const untilDate = Math.round(context.dateOf(until) / MINUTE_MS) * MINUTE_MS;
    const asked = { id, tokens: draw.tokens, ...spec, untilDate };
    for (let waitedMs = 0; ;) {
      const answer = await this.#store.draw(budget, asked).catch(() => ({ waitMs: 0, isUsedUp: false }));
      const pool = [...this.#host.pools.values()].find(({ leases }) => leases.has(lease));
      if (!pool) return false;
      if (answer.isUsedUp) {
        this.#host.apply(budgetGone(pool, waiter, this.#host.context()));
        return false;
      }
      const { waitMs } = answer;
      if (waitMs === 0 || waitedMs + waitMs > (waiter.mostMs ?? Infinity)) break;
      // What other machines settle meanwhile may free some earlier.
      const pauseMs = Math.min(waitMs, LOOK_AGAIN_MS);
      await sleep(pauseMs);
      waitedMs += pauseMs;
    }
    if (draw.tokens > 0) this.#drawn.set(id, { budget, untilDate });
    return true;
  }

  /** A time step of one-time codes that no machine has had; null where none is left; why, where the store does not answer. */
  async takeStep(secret: string, first: number, last: number): Promise<number | null | string> {
    try {
      return await this.#store.takeStep(secret, { first, last, remembered: REMEMBERED_STEPS });
    } catch (error) {
      return whyOf(error);
    }
  }

  /** What a call used of a budget that all machines share; null: as much as was expected. */
  spent(id: string, tokens: number | null): void {
    const drawn = this.#drawn.get(id);
    this.#drawn.delete(id);
    if (drawn)
      void this.#store.settle(drawn.budget, { id, tokens, untilDate: drawn.untilDate }).catch(() => {});
  }

  /**
   * Whether this machine may send a probe that decides about the return of a member: one at a time does. Where the
   * store does not answer, each machine looks for itself.
   */
  async mayProbe(pool: PoolState, probe: Probe): Promise<boolean> {
    const slot = { member: `${addressOf(pool, probe.about)} probe`, limit: 1 };
    const answer = await this.#store.claim(this.#claimOf(probe), [slot]).catch(() => null);
    return answer === null || answer.granted;
  }

  /** The probe came back. Other machines wait as long as this one would before the next. */
  probeEnded(probe: Probe, now: number): void {
    const { probeState, health } = probe.about;
    const keepMs = health.state === 'ejected' ? Math.max(0, nextProbeAt(probeState) - now) : 0;
    setTimeout(() => void this.#store.release(this.#claimOf(probe)), keepMs).unref();
  }

  #claimOf({ id }: Probe): string {
    return `${this.#id} probe ${id}`;
  }

  publish({ member, pool, from, to, until, why }: HealthChange, at: number): void {
    const { kind, id, name } = member;
    const fact = { pool, kind, id, name, at } as const;
    // What runs still is ended by nothing but this, or a disablement.
    if (from === 'reserved' && to !== 'reserved' && to !== 'healthy' && to !== 'disabled')
      void this.#store.publishFact({ ...fact, state: 'healthy', until: null, why });
    void this.#store.publishFact({ ...fact, state: to, until, why });
  }

  /** An account was left dirty, or was reset. */
  publishDirtiness({ member, lease, is }: Extract<Effect, { type: 'dirtiness' }>, at: number): void {
    const { kind, id, name } = member;
    const state = is ? 'dirty' : 'healthy';
    for (const pool of this.#host.pools.values()) {
      if (pool.members.get(`${kind}:${id}`) !== member) continue;
      const fact = { pool: pool.name, kind, id, name, state, until: null, why: is?.why ?? '', at } as const;
      void this.#store.publishFact({ ...fact, lease: is?.lease ?? lease });
    }
  }

  /** Other machines gave slots back. */
  freed(members: readonly string[]): void {
    for (const pool of this.#host.pools.values()) {
      this.#host.apply(freedElsewhere(pool, members, this.#host.context()));
    }
  }

  /** Takes over what all machines know, for a pool that is new here. */
  async learnAll(): Promise<void> {
    for (const fact of await this.#store.readFacts().catch(() => [])) this.learned(fact);
  }

  /** Another machine found out about a member. */
  learned(fact: HealthFact): void {
    const pool = this.#host.pools.get(fact.pool);
    if (!pool) return;
    const address = `${fact.kind}:${fact.id}`;
    const context = this.#host.context();
    const effects =
      fact.lease === undefined
        ? applyRemoteHealth(pool, address, healthOf(fact.state, fact.until, fact.why), context)
        : applyRemoteDirtiness(pool, address, dirtyOf(fact, fact.lease), context);
    for (const effect of effects) if (effect.type === 'changed') this.#host.tellChange(effect.change);
    this.#host.apply(effects.filter((effect) => effect.type !== 'changed'));
  }
}

function whyOf(error: unknown): string {
  return error instanceof StoreDownError ? error.reason : 'it does not answer';
}

function dirtyOf({ state, why }: HealthFact, lease: string): Dirty | null {
  const reason = RESET_REASONS.find((known) => known === why);
  return state === 'dirty' ? { why: reason ?? 'crashed', lease } : null;
}
