import type { Clock } from '../core/clock.ts';
import { UNKNOWN_LEASE } from '../core/effects.ts';
import {
  cancelWaitsOf,
  dropClient,
  endDeadlocks,
  keepOnly,
  nextTick,
  releaseLease,
  restoreLease,
  tick,
} from '../core/pool.ts';
import {
  type Effect,
  type Context,
  type HealthChange,
  newPoolState,
  type PoolState,
  type Probe,
} from '../core/state.ts';
import { RESERVATION_OVER } from '../core/health/states.ts';
import { leaveProbeToOthers } from '../core/health/probe-results.ts';
import { reportSpent } from '../core/requests.ts';
import { tryAccountsAgain } from '../core/health/accounts.ts';
import { updateSpec } from '../core/leases/update-spec.ts';
import { resolvePool } from '../core/resolved-pool.ts';
import type { PoolSpec } from '../core/types.ts';
import type { SharedStore } from '../redis/types.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { wireGrantOf, toAnswer } from './apply-message.ts';
import type { TransitionLog } from './transition-log.ts';
import { isForeign, poolWith } from './ownership.ts';
import { type Connection, type Connections, send } from './connections.ts';
import type { Probers } from './probers.ts';
import type { Answer, ClientMessage } from '../wire/messages.ts';
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
  /** Why nothing is granted now; null where it is. */
  readonly awaits: () => string | null;
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
    pool.awaits = this.#ports.awaits();
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

  /** A client is back, and says what it holds: the books follow it, as far as limits allow. */
  restoreLeases(connection: Connection, held: Hello['held']): void {
    const context = this.#ports.context();
    const ids = new Set(held.map(({ lease }) => lease));
    for (const pool of this.all) this.apply(keepOnly(pool, connection.client, ids));
    for (const lease of held) {
      const why = this.#restoreLease(connection, lease, context);
      if (why !== null) send(connection, { type: 'lost', lease: lease.lease, why });
    }
  }

  /** Why it cannot be; null where it is on the books. */
  #restoreLease(connection: Connection, restored: Hello['held'][number], context: Context): string | null {
    const { lease: id, pool: name, need, onlyEndpoint, holder, testId, resets, forCall } = restored;
    const { endpoint, key } = restored;
    const { client, specs } = connection;
    const spec = specs.get(name) ?? withoutMembers(name, specs);
    if (!spec || isForeign(this.with(id), id, client)) return UNKNOWN_LEASE;
    const pool = this.named(name);
    const isKnown = pool.leases.has(id);
    const found = restoreLease(
      pool,
      { id, client, spec, need, onlyEndpoint, holder, testId, resets, forCall },
      { endpoint, key },
      context,
    );
    if ('lost' in found) return found.lost;
    const { lease } = found;
    if (!isKnown) void this.#sharedStore?.takeOver(pool, lease);
    // It was moved, and the connection was cut before its client heard of that.
    else if (lease.endpoint?.id !== endpoint || lease.key?.id !== key)
      send(connection, { type: 'moved', lease: id, grant: wireGrantOf(lease) });
    return null;
  }

  /** A run begins. */
  tryAccountsAgain(): void {
    const context = this.#ports.context();
    for (const pool of this.all) this.apply(tryAccountsAgain(pool, context));
  }

  /** A lease is another's by now: its holder is told, and it leaves the books. */
  lose(lease: string, why: string): void {
    const pool = this.with(lease);
    const held = pool?.leases.get(lease);
    if (!pool || !held) return;
    this.#ports.connections.send(held.client, { type: 'lost', lease, why });
    this.apply(releaseLease(pool, lease, false, this.#ports.context()));
  }

  proved(leases: readonly string[], until: number): void {
    const byClient = new Map<string, string[]>();
    for (const id of leases) {
      const lease = this.with(id)?.leases.get(id);
      if (!lease) continue;
      lease.provedUntil = until;
      byClient.set(lease.client, [...(byClient.get(lease.client) ?? []), id]);
    }
    for (const [client, proved] of byClient)
      this.#ports.connections.send(client, { type: 'proved', leases: proved, until });
  }

  /** Whether the lease is its holder's still, as the store knows it. */
  async prove(lease: string): Promise<Answer> {
    const provedUntil = (await this.#sharedStore?.prove(lease)) ?? null;
    return this.with(lease) ? { is: 'proved', provedUntil } : { is: 'lost', why: UNKNOWN_LEASE };
  }

  /** Whether something is granted may have changed. */
  awaitsChanged(): void {
    const awaits = this.#ports.awaits();
    const context = this.#ports.context();
    for (const pool of this.all) {
      const mayGrant = pool.awaits !== null && awaits === null;
      pool.awaits = awaits;
      if (mayGrant) this.apply(tick(pool, context));
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

  /** Some lease is its. */
  isHolder(client: string): boolean {
    return [...this.all].some(({ leases }) => [...leases.values()].some((lease) => lease.client === client));
  }

  dropClient(client: string): void {
    const context = this.#ports.context();
    this.probersChanged();
    this.apply(this.#ports.probers.onClientGone(client, context));
    for (const pool of this.all) this.apply(dropClient(pool, client, context));
  }

  /** A client's connection is gone; it may come back to what it holds. */
  cancelWaitsOf(client: string): void {
    this.probersChanged();
    this.apply(this.#ports.probers.onClientGone(client, this.#ports.context()));
    for (const pool of this.all) cancelWaitsOf(pool, client);
  }

  probed(message: Extract<ClientMessage, { type: 'probed' }>, context: Context): void {
    const pool = this.#ports.states.get(message.pool);
    if (!pool) return;
    const probe = pool.probes.get(message.probe);
    this.apply(this.#ports.probers.onResult(pool, message, context));
    if (probe?.recovers) this.#sharedStore?.probeEnded(probe, context.now);
  }

  /** What a request used of its key's budget. */
  spent({ lease, id, tokens }: Extract<ClientMessage, { type: 'spent' }>, client: string): void {
    const pool = this.with(lease);
    if (!pool || isForeign(pool, lease, client)) return;
    this.#sharedStore?.spent(id, tokens);
    this.apply(reportSpent(pool, lease, { id, tokens }, this.#ports.context()));
    this.#ports.onChange();
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
        case 'dirtiness':
          this.#ports.onChange();
          this.#sharedStore?.publishDirtiness(effect, this.#ports.now());
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
          if (effect.type === 'permit' && (effect.paces.length > 0 || effect.draw))
            void this.#sharedStore?.pace(effect);
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
    // A pause that ran out here may go on elsewhere: every machine ends it by its own clock. So with a reservation.
    const isByTime = change.from === 'cooling' || change.why === RESERVATION_OVER;
    const ranOut = isByTime && change.to === 'healthy';
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
    const context = this.#ports.context();
    for (const pool of this.all) this.apply(tick(pool, context));
    this.conclude();
  }
}

/** The specification of a pool that the configuration has no more, while leases of it are held. */
function withoutMembers(name: string, specs: ReadonlyMap<string, PoolSpec>): PoolSpec | null {
  const [other] = specs.values();
  return other ? { ...other, name, endpoints: [], keys: [] } : null;
}
