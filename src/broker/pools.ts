import type { Clock } from '../core/clock.ts';
import { dropClient, endDeadlocks, nextTick, restoreLease, tick } from '../core/pool.ts';
import {
  type Effect,
  type Context,
  type HealthChange,
  newPoolState,
  type PoolState,
  type Probe,
} from '../core/state.ts';
import { leaveProbeToOthers } from '../core/health/probe-results.ts';
import { updateSpec } from '../core/leases/update-spec.ts';
import { resolvePool } from '../core/resolved-pool.ts';
import type { PoolSpec } from '../core/types.ts';
import type { SharedStore } from '../redis/types.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { wireGrantOf, toAnswer } from './apply-message.ts';
import type { TransitionLog } from './transition-log.ts';
import { isForeign, poolWith } from './ownership.ts';
import type { Connections } from './connections.ts';
import type { Probers } from './probers.ts';
import type { ClientMessage } from '../wire/messages.ts';
import { SharedStoreAdapter } from './shared-store.ts';

type Hello = Extract<ClientMessage, { type: 'hello' }>;

export interface PoolsPorts {
  readonly now: Clock;
  readonly context: () => Context;
  readonly states: Map<string, PoolState>;
  readonly connections: Connections;
  readonly probers: Probers;
  readonly transitionLog: TransitionLog;
  /** The revision of the configuration in force. */
  readonly revision: () => string | null;
  /** Whether time may change something by now. */
  readonly mayTick: () => boolean;
  /** Called when a member's health changed. */
  readonly onChange: () => void;
}

/** The state of all pools, and what is done of what their decisions ask for. */
export class Pools {
  readonly #ports: PoolsPorts;
  readonly #timer: DeadlineTimer;
  #sharedStore: SharedStoreAdapter | null = null;

  constructor(ports: PoolsPorts) {
    this.#ports = ports;
    this.#timer = new DeadlineTimer(
      ports.now,
      () => this.#due(),
      () => this.#tick(),
    );
  }

  get all(): Iterable<PoolState> {
    return this.#ports.states.values();
  }

  get names(): Iterable<string> {
    return this.#ports.states.keys();
  }

  get sharedStore(): SharedStoreAdapter | null {
    return this.#sharedStore;
  }

  /** What is to be put right about the shared store. */
  get notices(): readonly string[] {
    return this.#sharedStore?.notices ?? [];
  }

  named(name: string): PoolState {
    const known = this.#ports.states.get(name);
    if (known) return known;
    const pool = newPoolState(name, this.#sharedStore !== null, this.#ports.revision());
    this.#ports.states.set(name, pool);
    return pool;
  }

  /** The pool that a lease, or the wait for it, is of. */
  with(lease: string): PoolState | undefined {
    return poolWith(this.all, lease);
  }

  /** Several machines share what is claimed from now on. */
  share(store: SharedStore): void {
    if (this.#sharedStore) return;
    for (const pool of this.all) pool.shared = true;
    this.#sharedStore = new SharedStoreAdapter(store, {
      pools: this.#ports.states,
      context: this.#ports.context,
      apply: (effects) => {
        this.apply(effects);
        this.conclude();
      },
      tellChange: (change) => this.#emitChanges(change, false),
    });
  }

  /** Takes over what all machines know of these pools. */
  async learn(specs: readonly PoolSpec[]): Promise<void> {
    if (!this.#sharedStore) return;
    for (const spec of specs) resolvePool(this.named(spec.name), spec, this.#ports.context());
    await this.#sharedStore.learnAll();
  }

  /** A link holds these leases since before this broker. */
  restoreLease(client: string, specs: ReadonlyMap<string, PoolSpec>, leases: Hello['held']): void {
    const context = this.#ports.context();
    for (const { lease, pool, need, holder, testId, endpoint, key } of leases) {
      const spec = specs.get(pool);
      if (!spec || isForeign(this.with(lease), lease, client)) continue;
      const identity = { id: lease, client, spec, need, holder, testId };
      const taken = restoreLease(this.named(pool), identity, { endpoint, key }, context);
      if (taken) void this.#sharedStore?.takeOver(this.named(pool), taken);
    }
  }

  /** Links that can send probes came or went. */
  probersChanged(): void {
    this.apply(this.#ports.probers.onClientsChanged(this.all, this.#ports.context()));
  }

  /** A link has other specifications than before. */
  updateSpec(
    client: string,
    before: ReadonlyMap<string, PoolSpec>,
    specs: ReadonlyMap<string, PoolSpec>,
  ): void {
    const context = this.#ports.context();
    for (const name of new Set([...before.keys(), ...specs.keys()]))
      this.apply(updateSpec(this.named(name), client, specs.get(name) ?? null, context));
    this.probersChanged();
    void this.#sharedStore?.learnAll();
  }

  dropClient(client: string): void {
    const context = this.#ports.context();
    this.probersChanged();
    this.apply(this.#ports.probers.onClientGone(client, context));
    for (const pool of this.all) this.apply(dropClient(pool, client, context));
  }

  probed(message: Extract<ClientMessage, { type: 'probed' }>, context: Context): void {
    const pool = this.#ports.states.get(message.pool);
    if (!pool) return;
    const probe = pool.probes.get(message.probe);
    this.apply(this.#ports.probers.onResult(pool, message, context));
    if (probe?.recovers) this.#sharedStore?.probeEnded(probe, context.now);
  }

  apply(effects: readonly Effect[]): void {
    const { connections } = this.#ports;
    for (const effect of effects) {
      switch (effect.type) {
        case 'changed':
          this.#emitChanges(effect.change, true);
          break;
        case 'claim':
          void this.#sharedStore?.claim(this.named(effect.lease.spec.name), effect.lease, effect.slots);
          break;
        case 'unclaim':
          this.#sharedStore?.release(effect.lease);
          break;
        case 'probe':
          void this.#sendProbe(effect.probe);
          break;
        case 'fast-path-ended':
          connections.send(effect.lease.client, { type: 'fast-path-ended', lease: effect.lease.id });
          break;
        case 'moved': {
          const { lease } = effect;
          connections.send(lease.client, { type: 'moved', lease: lease.id, grant: wireGrantOf(lease) });
          break;
        }
        default:
          if (effect.type === 'permit' && effect.paces.length > 0) void this.#sharedStore?.pace(effect);
          else
            connections.send(effect.to.client, {
              type: 'answer',
              ask: effect.to.ask,
              answer: toAnswer(effect),
            });
      }
    }
  }

  /**
   * All that came of a message, or of time, was applied. A circle of waits may have closed by any of it: by a grant to
   * somebody who waits for another, too, or by a member that went out.
   */
  conclude(): void {
    if (this.#anybodyWaits()) this.apply(endDeadlocks(this.all, this.#ports.context()));
    this.#timer.set();
  }

  close(): void {
    this.#timer.stop();
  }

  #anybodyWaits(): boolean {
    for (const pool of this.all) if (pool.queue.length > 0) return true;
    return false;
  }

  #emitChanges(change: HealthChange, isOurs: boolean): void {
    const { transitionLog, now, onChange } = this.#ports;
    transitionLog.publish(change);
    onChange();
    // A pause that ran out here may go on elsewhere: every machine ends it by its own clock.
    const ranOut = change.from === 'cooling' && change.to === 'healthy';
    if (isOurs && !ranOut) this.#sharedStore?.publish(change, now());
  }

  async #sendProbe(probe: Probe): Promise<void> {
    const pool = this.named(probe.spec.name);
    const isOurs = !this.#sharedStore || !probe.recovers || probe.tries > 1;
    if (isOurs || (await this.#sharedStore?.mayProbe(pool, probe)))
      return this.#ports.probers.send(pool, probe);
    leaveProbeToOthers(pool, probe.id, this.#ports.context());
    this.conclude();
  }

  #due(): number {
    const now = this.#ports.now();
    let due = Infinity;
    for (const pool of this.all) due = Math.min(due, nextTick(pool, now));
    return due;
  }

  #tick(): void {
    if (!this.#ports.mayTick()) return;
    const context = this.#ports.context();
    for (const pool of this.all) this.apply(tick(pool, context));
    this.conclude();
  }
}
