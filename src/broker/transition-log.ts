import type { Clock } from '../core/clock.ts';
import type { HealthChange } from '../core/state.ts';
import type { HealthState, Transition } from '../core/types.ts';
import { type Connection, type Connections, send } from './connections.ts';

/** Records have dates, whatever clock the broker decides by. */
export interface TransitionClock {
  readonly now: Clock;
  readonly dateOf: (at: number) => number;
}

/** Numbers the changes that links are told of, so that records of several links can be put together. */
export class TransitionLog {
  readonly #broker: string;
  readonly #connections: Connections;
  readonly #clock: TransitionClock;
  #sequence = 0;
  /** Why the shared store is away, while it is. */
  #storeDown: string | null = null;
  readonly #ofStore = new Map<string, Transition>();

  constructor(broker: string, connections: Connections, clock: TransitionClock) {
    this.#broker = broker;
    this.#connections = connections;
    this.#clock = clock;
  }

  publish({ member: _, ...change }: HealthChange): void {
    this.#connections.publish(this.#numbered(change));
  }

  /** The shared store was lost, or is back: told as a change of every pool. */
  publishStoreState(state: 'up' | 'down', why: string, pools: Iterable<string>): void {
    this.#ofStore.clear();
    this.#storeDown = state === 'down' ? why : null;
    for (const pool of pools)
      this.#connections.publish(
        state === 'down'
          ? this.#storeChange(pool, 'healthy', 'ejected', why)
          : this.#storeChange(pool, 'ejected', 'healthy', why),
      );
  }

  /** What a link that comes now has missed. */
  replay(connection: Connection, pools: Iterable<string>): void {
    if (this.#storeDown === null) return;
    for (const pool of pools) {
      const transition = this.#storeChange(pool, 'healthy', 'ejected', this.#storeDown);
      send(connection, { type: 'transition', transition });
    }
  }

  /** One transition of a pool, for all clients and at any time. */
  #storeChange(pool: string, from: HealthState, to: HealthState, why: string): Transition {
    const known = this.#ofStore.get(pool);
    if (known) return known;
    const transition = this.#numbered({ pool, endpoint: null, key: null, from, to, why, until: null });
    this.#ofStore.set(pool, transition);
    return transition;
  }

  #numbered(change: Omit<Transition, 'seq' | 'broker' | 'at'>): Transition {
    const { now, dateOf } = this.#clock;
    const until = change.until === null ? null : dateOf(change.until);
    return { ...change, until, seq: ++this.#sequence, broker: this.#broker, at: dateOf(now()) };
  }
}
