import { monotonic, systemRandom } from '../core/clock.ts';
import { windowOf } from '../core/pace/pace.ts';
import { parseAddress } from './address.ts';
import { Boards } from './boards.ts';
import { Claims, KEEP_MS } from './claims.ts';
import { loadClient } from './client.ts';
import {
  type Claim,
  type Draw,
  drawCall,
  keptFor,
  permitCall,
  readDraw,
  readPermit,
  readRelease,
  readSettle,
  readStep,
  releaseCall,
  settleCall,
  stepCall,
  type StepSpan,
} from './commands.ts';
import { ReconnectingConnection } from './reconnecting.ts';
import { ServerEpoch } from './epoch.ts';
import { HealthFacts } from './facts.ts';
import { type Keys, keysOf } from './keys.ts';
import { LearnedTexts } from './learned-texts.ts';
import type { RedisConnection } from './connection.ts';
import type { ClaimAnswer, HealthFact, SharedStore, StoreOptions } from './types.ts';
import type { Slot } from '../core/state.ts';
import { SlotNotifier } from './slot-notifier.ts';

export type { HealthFact, SharedStore, StoreOptions } from './types.ts';
export type { Slot } from '../core/state.ts';

/**
 * Brokers that lost a server are back this long after its start: a try that hangs takes two seconds, the pause
 * after it half a second.
 */
const FRESH_MS = 3_000;
/** Without any answer for this long the server is asked something, to find out whether it hangs. */
const QUIET_MS = 1_000;
const CLOSE_MS = 1_000;

/**
 * Opens the state that all machines share. Rejects after three seconds without an answer with `GEMBA_STORE_UNREACHABLE`, or
 * `GEMBA_STORE_CLIENT_MISSING`; no message holds a user or a password.
 *
 * @example
 * const store = await openStore({ url: 'redis://localhost:6379/0', project: 'shop', broker, leaseTtlMs: 30_000, … });
 * const answer = await store.claim(lease, [{ member: 'api/key:ci-1#ab12cd34', limit: 1 }]);
 */
export async function openStore(options: StoreOptions): Promise<SharedStore> {
  const address = parseAddress(options.url);
  const client = options.client ?? (await loadClient());
  const keys = keysOf(options.project, address.database);
  const store: RedisStore = new RedisStore(
    options,
    keys,
    new ReconnectingConnection({
      address,
      client,
      random: systemRandom,
      prepare: (redis) => store.prepare(redis),
      onState: options.onState,
    }),
  );
  await store.open();
  return store;
}

class RedisStore implements SharedStore {
  readonly #options: StoreOptions;
  readonly #keys: Keys;
  readonly #connection: ReconnectingConnection;
  readonly #epoch: ServerEpoch;
  readonly #claims: Claims;
  readonly #facts: HealthFacts;
  readonly #learned: LearnedTexts;
  readonly #boards: Boards;
  readonly #notifier: SlotNotifier;
  #beat: NodeJS.Timeout | undefined;
  #beating = false;
  #isOpen = false;

  constructor(options: StoreOptions, keys: Keys, connection: ReconnectingConnection) {
    const { broker, leaseTtlMs: ttlMs, onLost, onProved, onFact, onWake } = options;
    this.#options = options;
    this.#keys = keys;
    this.#connection = connection;
    const freshMs = options.freshGraceMs ?? Math.min(FRESH_MS, ttlMs);
    const epoch = new ServerEpoch({ keys, ttlMs, freshMs });
    this.#epoch = epoch;
    this.#claims = new Claims({ keys, broker, ttlMs, connection, epoch, onLost, onProved });
    this.#facts = new HealthFacts({ keys, broker, connection, epoch, onFact });
    this.#learned = new LearnedTexts(keys, connection);
    this.#boards = new Boards(keys, broker, connection, epoch);
    this.#notifier = new SlotNotifier({ broker, onWake, pass: (member) => void this.#pass(member) });
  }

  get notices(): readonly string[] {
    return [...this.#epoch.notices, ...this.#facts.notices];
  }

  async open(): Promise<void> {
    await this.#connection.open(this.#options.inMidRun ?? false);
    this.#isOpen = true;
    const { leaseTtlMs } = this.#options;
    this.#beat = setInterval(() => void this.#onBeat(), Math.min(QUIET_MS / 2, leaseTtlMs / 12));
  }

  async prepare(redis: RedisConnection): Promise<void> {
    // Before it listens: a new epoch is judged by whether anybody else listens.
    await this.#epoch.open(redis);
    await redis.subscribe(this.#keys.wakeChannel, (message) => this.#notifier.hear(message));
    await this.#facts.subscribe(redis);
    await this.#claims.restore(redis);
    if (this.#isOpen) await this.#facts.restore(redis);
  }

  async claim(
    lease: string,
    slots: readonly Slot[],
    { alreadyHeld = false }: { alreadyHeld?: boolean } = {},
  ): Promise<ClaimAnswer> {
    if (slots.length === 0) {
      await this.release(lease);
      return { granted: true };
    }
    const members = slots.map(({ member }) => member);
    this.#notifier.asked(members);
    return this.#answer(await this.#claims.claim(lease, slots, alreadyHeld), members);
  }

  provedUntil(lease: string): number | undefined {
    return this.#claims.provedUntil(lease);
  }

  prove(lease: string): Promise<number | null> {
    return this.#claims.prove(lease);
  }

  release(lease: string): Promise<void> {
    return this.#claims.release(lease);
  }

  async reservePermit(member: string, rpm: number): Promise<number> {
    return this.#connection.redis.run(permitCall(this.#keys, member, windowOf(rpm)), readPermit);
  }

  draw(budget: string, draw: Draw): Promise<{ waitMs: number; isUsedUp: boolean }> {
    return this.#connection.redis.run(drawCall(this.#keys, budget, draw), readDraw);
  }

  settle(budget: string, used: { id: string; tokens: number | null; untilDate: number }): Promise<void> {
    return this.#connection.redis.run(settleCall(this.#keys, budget, used), readSettle);
  }

  takeStep(secret: string, span: StepSpan): Promise<number | null> {
    return this.#connection.redis.run(stepCall(this.#keys, secret, span), readStep);
  }

  publishFact(fact: HealthFact): Promise<void> {
    return this.#facts.publish(fact);
  }

  async readFacts(): Promise<HealthFact[]> {
    return this.#facts.read(this.#connection.redis);
  }

  keepLearned(texts: ReadonlyMap<string, string>): Promise<void> {
    return this.#learned.keep(texts);
  }

  readLearned(): Promise<string[]> {
    return this.#learned.read();
  }

  async keepBoard(board: object | null): Promise<void> {
    await this.#boards.keep(board);
  }

  async readBoards(): Promise<unknown[]> {
    return this.#boards.read();
  }

  async holders(members: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#boards.holders(members);
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    this.#notifier.close();
    const timer = setTimeout(() => this.#connection.close(), CLOSE_MS);
    await Promise.all([this.#claims.releaseAll(), this.#boards.keep(null).catch(() => {})]);
    clearTimeout(timer);
    this.#connection.close();
  }

  #answer(claim: Claim, members: readonly string[]): ClaimAnswer {
    switch (claim.code) {
      case 'GRANTED':
        return { granted: true };
      case 'FULL':
        this.#notifier.refused(claim.full);
        return {
          granted: false,
          why: 'full',
          full: claim.full,
          retryAtMs: this.#epoch.toLocal(claim.freeAt),
        };
      case 'SETTLING':
        return {
          granted: false,
          why: 'settling',
          full: members,
          retryAtMs: this.#epoch.toLocal(claim.ready),
        };
      case 'EPOCH':
      case 'CLOCK':
        // The server lost its data twice within a moment: ask again at once.
        return { granted: false, why: 'settling', full: members, retryAtMs: this.#epoch.readyAt };
    }
  }

  async #onBeat(): Promise<void> {
    if (!this.#connection.isUp) return this.#claims.expire();
    const { redis } = this.#connection;
    const isDue = this.#claims.isDue() || this.#claims.isLate;
    if (this.#beating || (!isDue && monotonic() - redis.heardAt < QUIET_MS)) return;
    this.#beating = true;
    try {
      await this.#claims.renew(redis);
    } catch {
      // The connection is broken, and says so; or the server refuses it, and the claims run out.
    } finally {
      this.#beating = false;
    }
    // After a standstill the server may have kept them: it was asked first.
    this.#claims.expire();
  }

  async #pass(member: string): Promise<void> {
    if (!this.#connection.isUp) return;
    const kept = { lease: keptFor(this.#options.broker), token: '', slots: [{ member, limit: 0 }] };
    try {
      await this.#connection.redis.run(releaseCall(this.#keys, kept, KEEP_MS), readRelease);
    } catch {
      // It is free when its time is over, too.
    }
  }
}
