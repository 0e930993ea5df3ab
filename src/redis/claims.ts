import { machineClock } from '../shared/machine-clock.ts';
import {
  claimCall,
  type Claim,
  type Claimed,
  readClaim,
  readRelease,
  readRenewal,
  type Renewal,
  releaseCall,
  renewCall,
} from './commands.ts';
import type { ReconnectingConnection } from './reconnecting.ts';
import type { ServerEpoch } from './epoch.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './connection.ts';
import type { Slot } from '../core/state.ts';

/** For how long a freed place is kept for the broker that has wanted it the longest: some round trips. */
export const KEEP_MS = 300;

const LOST = 'the shared store was not reached for longer than leaseTtl, so that another machine may have it';

interface Held extends Claimed {
  /** Until then, on the monotonic clock, the store cannot have given it to somebody else. */
  safeUntil: number;
  /** The store knows it as this broker's; false for one of a broker that died, until the store has answered. */
  readonly isKnown: boolean;
}

export interface ClaimsOptions {
  readonly keys: Keys;
  readonly broker: string;
  readonly ttlMs: number;
  readonly connection: ReconnectingConnection;
  readonly epoch: ServerEpoch;
  readonly onLost: (leases: readonly string[], why: string) => void;
}

/** What this broker holds in the store. */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #held = new Map<string, Held>();
  /** By token: given back, or asked for without an answer. To be released until the store has heard it. */
  readonly #owed = new Map<string, Claimed>();
  /** The latest work on each lease: one after the other. */
  readonly #busy = new Map<string, Promise<unknown>>();
  #tokens = 0;
  #renewedAt = 0;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  claim(lease: string, slots: readonly Slot[], alreadyHeld: boolean): Promise<Claim> {
    return this.#inTurn(lease, () => this.#claim(lease, slots, alreadyHeld));
  }

  release(lease: string): Promise<void> {
    return this.#inTurn(lease, async () => {
      const held = this.#held.get(lease);
      if (held) await this.#giveBack(held);
    });
  }

  /** Until when nobody else can have it: by what is known, else by asking. Null for one that has no claim. */
  async prove(lease: string): Promise<number | null> {
    const held = this.#held.get(lease);
    if (!held) return null;
    if (held.safeUntil <= machineClock()) {
      this.expire();
      return null;
    }
    return held.safeUntil;
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((lease) => this.release(lease)));
  }

  /** On a new line: tells what is owed, and puts back what is held. */
  async restore(redis: RedisConnection): Promise<void> {
    const unknown = [...this.#held.values()].filter((held) => !held.isKnown);
    await Promise.all(
      unknown.map((held) =>
        this.#inTurn(held.lease, async () => {
          if (this.#held.get(held.lease) === held) await this.#ask(redis, held);
        }),
      ),
    );
    await this.renew(redis);
  }

  isDue(): boolean {
    const isOld = machineClock() - this.#renewedAt >= this.#options.ttlMs / 3;
    return this.#owed.size > 0 || (this.#held.size > 0 && isOld);
  }

  /** Tells what is owed, and renews every lease with one command; without any it asks whether the data are there. */
  async renew(redis: RedisConnection): Promise<void> {
    await Promise.all([...this.#owed.values()].map((claimed) => this.#settle(redis, claimed)));
    if ((await this.#renew(redis)) === 'EPOCH') await this.#reopen(redis);
  }

  /** Gives up what the store may have given to others by now. To be called often. */
  expire(): void {
    const late = [...this.#held.values()].filter(({ safeUntil }) => safeUntil <= machineClock());
    this.#lose(late.map(({ lease }) => lease));
  }

  async #claim(lease: string, slots: readonly Slot[], alreadyHeld: boolean): Promise<Claim> {
    const held = this.#held.get(lease);
    const isSame = held !== undefined && membersOf(held.slots) === membersOf(slots);
    if (isSame && held.isKnown) return { code: 'GRANTED' };
    if (held && !isSame) await this.#giveBack(held);
    const { broker, ttlMs, connection } = this.#options;
    const claimed = { lease, slots, token: `${broker}.${++this.#tokens}` };
    // The dead broker's last renewal is this old at most, and as long again what it had then still lasts.
    const safeUntil = machineClock() + ttlMs / 3;
    if (alreadyHeld) this.#held.set(lease, { ...claimed, safeUntil, isKnown: false });
    return this.#ask(connection.redis, claimed);
  }

  async #ask(redis: RedisConnection, claimed: Claimed, mayReopen = true): Promise<Claim> {
    const { keys, broker, ttlMs, epoch } = this.#options;
    const { lease, slots, token } = claimed;
    const alreadyHeld = this.#held.has(lease);
    const askedAt = machineClock();
    const call = claimCall(keys, claimed, { run: epoch.run, broker, ttlMs, alreadyHeld });
    const answer = await redis
      .run(call, (raw) => readClaim(raw, slots))
      .catch((error: unknown) => {
        if (!alreadyHeld) this.#owed.set(claimed.token, claimed);
        throw error;
      });
    if (answer.code === 'EPOCH' && mayReopen) {
      await this.#reopen(redis);
      return this.#ask(redis, claimed, false);
    }
    if (answer.code === 'GRANTED') {
      const safeUntil = this.#safeUntil(askedAt);
      this.#held.set(lease, { lease, slots, token, safeUntil, isKnown: true });
    } else if (answer.code === 'FULL' && alreadyHeld) this.#lose([lease]);
    return answer;
  }

  /** The store lost its data, or another server answers at its address. */
  async #reopen(redis: RedisConnection): Promise<void> {
    await this.#options.epoch.open(redis);
    await this.#renew(redis);
  }

  async #giveBack(held: Held): Promise<void> {
    this.#held.delete(held.lease);
    this.#owed.set(held.token, held);
    if (!this.#options.connection.isUp) return;
    try {
      await this.#settle(this.#options.connection.redis, held);
    } catch {
      // It is owed still, and the connection tells that it is down.
    }
  }

  /** Where the store says STALE it has expired, or has another holder: nothing is owed either way. */
  async #settle(redis: RedisConnection, claimed: Claimed): Promise<void> {
    await redis.run(releaseCall(this.#options.keys, claimed, KEEP_MS), readRelease);
    this.#owed.delete(claimed.token);
  }

  async #renew(redis: RedisConnection): Promise<Renewal['code']> {
    const { keys, ttlMs, epoch } = this.#options;
    const leases = [...this.#held.values()].filter(({ isKnown }) => isKnown);
    const askedAt = machineClock();
    const answer = await redis.run(renewCall(keys, leases, { run: epoch.run, ttlMs }), readRenewal);
    if (answer.code === 'EPOCH') return answer.code;
    this.#renewedAt = askedAt;
    const lost = new Set(answer.lost);
    for (const held of leases) if (!lost.has(held.lease)) held.safeUntil = this.#safeUntil(askedAt);
    const present = leases.filter((held) => this.#held.get(held.lease) === held);
    this.#lose(present.map(({ lease }) => lease).filter((lease) => lost.has(lease)));
    return answer.code;
  }

  #lose(leases: readonly string[]): void {
    for (const lease of leases) this.#held.delete(lease);
    if (leases.length > 0) this.#options.onLost(leases, LOST);
  }

  /** The store counts from when it hears, so this ends before: time enough to stop a holder. */
  #safeUntil(askedAt: number): number {
    const { ttlMs } = this.#options;
    return askedAt + ttlMs - Math.min(2_000, ttlMs / 4);
  }

  #inTurn<T>(lease: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(lease) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#busy.set(lease, done);
    const forget = (): void => {
      if (this.#busy.get(lease) === done) this.#busy.delete(lease);
    };
    done.then(forget, forget);
    return done;
  }
}

function membersOf(slots: readonly Slot[]): string {
  return JSON.stringify(slots.map(({ member }) => member).toSorted());
}
