import { steadyClock } from '../core/clock.ts';
import { sleep } from '../shared/sleep.ts';
import { machineClock } from '../shared/machine-clock.ts';
import {
  claimCall,
  type Claim,
  type Claimed,
  readClaim,
  readRelease,
  readRenewal,
  type Renewal,
  type Reopens,
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

/** How often a proof is looked for while the server is away. */
const PROVE_AGAIN_MS = 50;
const LOST = 'the shared store was not reached for longer than leaseTtl, so that another machine may have it';

interface Held extends Claimed {
  /** Until then, on the monotonic clock, the store cannot have given it to somebody else. */
  safeUntil: number;
  /** The store knows it as this broker's; false for one of a broker that died, until the store has answered. */
  readonly isKnown: boolean;
  /** The proof that its holder has. */
  toldUntil: number;
}

export interface ClaimsOptions {
  readonly keys: Keys;
  readonly broker: string;
  readonly ttlMs: number;
  readonly connection: ReconnectingConnection;
  readonly epoch: ServerEpoch;
  readonly onLost: (leases: readonly string[], why: string) => void;
  /** No other machine can have these before that time, on the machine's monotonic clock. */
  readonly onProved: (leases: readonly string[], until: number) => void;
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

  /** Until when nobody else can have it, as far as is known; undefined for one that has no claim, or none for certain. */
  provedUntil(lease: string): number | undefined {
    const held = this.#held.get(lease);
    return held?.isKnown ? held.safeUntil : undefined;
  }

  /** The same, by asking where that is over. Null for one that has no claim, or has lost it. */
  async prove(lease: string): Promise<number | null> {
    for (;;) {
      const held = this.#held.get(lease);
      if (!held) return null;
      if (held.isKnown && held.safeUntil > machineClock()) return held.safeUntil;
      const { connection } = this.#options;
      if (connection.isUp) await this.#confirm(connection.redis, held).catch(() => {});
      else await sleep(PROVE_AGAIN_MS);
      // The server is away, or too far away for the time to live.
      if (held.safeUntil <= machineClock()) this.#loseIfHeld(held);
    }
  }

  async #confirm(redis: RedisConnection, held: Held): Promise<void> {
    if (held.isKnown) return this.renew(redis);
    await this.#inTurn(held.lease, async () => {
      if (this.#held.get(held.lease) === held) await this.#ask(redis, held);
    });
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((lease) => this.release(lease)));
  }

  /** On a new line: tells what is owed, and puts back what is held. */
  async restore(redis: RedisConnection): Promise<void> {
    const unknown = [...this.#held.values()].filter((held) => !held.isKnown);
    await Promise.all(unknown.map((held) => this.#confirm(redis, held)));
    await this.renew(redis);
  }

  isDue(): boolean {
    const isOld = machineClock() - this.#renewedAt >= this.#options.ttlMs / 3;
    return this.#owed.size > 0 || (this.#held.size > 0 && isOld);
  }

  /** Tells what is owed, and renews every lease with one command; without any it asks whether the data are there. */
  async renew(redis: RedisConnection): Promise<void> {
    await Promise.all([...this.#owed.values()].map((claimed) => this.#settle(redis, claimed)));
    const code = await this.#renew(redis);
    if (code !== 'RENEWED') await this.#reopen(redis, code);
  }

  /** Some may be another machine's by now, as far as is known here. */
  get isLate(): boolean {
    return this.#late.length > 0;
  }

  /** Drops leases whose claims may have expired, so that another machine may have them. Call it often. */
  expire(): void {
    this.#lose(this.#late.map(({ lease }) => lease));
  }

  get #late(): Held[] {
    return [...this.#held.values()].filter(({ safeUntil }) => safeUntil <= machineClock());
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
    if (alreadyHeld) this.#held.set(lease, { ...claimed, safeUntil, isKnown: false, toldUntil: 0 });
    return this.#ask(connection.redis, claimed);
  }

  async #ask(redis: RedisConnection, claimed: Claimed, mayReopen = true): Promise<Claim> {
    const { keys, broker, ttlMs, epoch } = this.#options;
    const { lease, slots, token } = claimed;
    const alreadyHeld = this.#held.has(lease);
    const askedAt = machineClock();
    const { run, serverNow: now } = epoch;
    const call = claimCall(keys, claimed, { run, broker, ttlMs, alreadyHeld, now });
    const answer = await redis
      .run(call, (raw) => readClaim(raw, slots))
      .catch((error: unknown) => {
        if (!alreadyHeld) this.#owed.set(claimed.token, claimed);
        throw error;
      });
    if ((answer.code === 'EPOCH' || answer.code === 'CLOCK') && mayReopen) {
      await this.#reopen(redis, answer.code);
      return this.#ask(redis, claimed, false);
    }
    if (answer.code === 'GRANTED') {
      const safeUntil = this.#safeUntil(askedAt);
      this.#held.set(lease, { lease, slots, token, safeUntil, isKnown: true, toldUntil: safeUntil });
      if (alreadyHeld) this.#options.onProved([lease], safeUntil);
    } else if (answer.code === 'FULL' && alreadyHeld) this.#lose([lease]);
    return answer;
  }

  /** The store lost its data, its clock was set, or another server answers at its address. */
  async #reopen(redis: RedisConnection, why: Reopens): Promise<void> {
    await this.#options.epoch.open(redis, why);
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
    const serverAskedAt = steadyClock();
    const { run, serverNow: now } = epoch;
    const answer = await redis.run(renewCall(keys, leases, { run, ttlMs, now }), readRenewal);
    if (answer.code !== 'RENEWED') return answer.code;
    epoch.noteTime(answer.now, serverAskedAt);
    this.#renewedAt = askedAt;
    const lost = new Set(answer.lost);
    const kept = leases.filter(({ lease }) => !lost.has(lease));
    for (const held of kept) held.safeUntil = this.#safeUntil(askedAt);
    this.#tell(kept);
    const present = leases.filter((held) => this.#held.get(held.lease) === held);
    this.#lose(present.map(({ lease }) => lease).filter((lease) => lost.has(lease)));
    return answer.code;
  }

  /** A proof that is little longer than the last one can wait. */
  #tell(kept: readonly Held[]): void {
    const untold = kept.filter(
      ({ safeUntil, toldUntil }) => safeUntil - toldUntil >= this.#options.ttlMs / 4,
    );
    const [first] = untold;
    if (!first) return;
    for (const held of untold) held.toldUntil = held.safeUntil;
    this.#options.onProved(
      untold.map(({ lease }) => lease),
      first.safeUntil,
    );
  }

  #loseIfHeld(held: Held): void {
    if (this.#held.get(held.lease) === held) this.#lose([held.lease]);
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
