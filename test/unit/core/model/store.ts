import {
  claimFailed,
  claimGranted,
  claimRefused,
  freedElsewhere,
} from '../../../../src/core/leases/claims.ts';
import { type Effect, type Slot } from '../../../../src/core/state.ts';
import { addressOf } from '../../../../src/core/leases/slots.ts';
import type { Dice } from './dice.ts';
import type { World } from '../world.ts';

/** What several machines share, and another machine that holds some of it. */
export class Store {
  readonly #claims = new Map<string, readonly Slot[]>();
  readonly #pending = new Map<string, readonly Slot[]>();
  #elsewhere = new Set<string>();

  get isAsked(): boolean {
    return this.#pending.size > 0;
  }

  hear(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'claim') this.#pending.set(effect.lease.id, effect.slots);
      if (effect.type === 'unclaim') this.#claims.delete(effect.lease);
    }
  }

  /** The answer to the oldest claim, in words and as an event. */
  answer(dice: Dice, { pool, context }: World): [string, () => Effect[]] {
    const [lease, slots] = [...this.#pending][0]!;
    this.#pending.delete(lease);
    if (dice.chance(0.1))
      return [`store fails ${lease}`, () => claimFailed(pool, lease, 'it does not answer', context)];
    const full = slots.filter((slot) => this.#isFull(slot)).map(({ member }) => member);
    const retryAt = dice.pick([null, context.now + 50]);
    if (full.length > 0)
      return [`store refuses ${lease}`, () => claimRefused(pool, lease, full, retryAt, context)];
    this.#claims.set(lease, slots);
    return [`store grants ${lease}`, () => claimGranted(pool, lease, context)];
  }

  /** The other machine takes what is free, or gives something back and says so. */
  otherMachine(dice: Dice, { pool, spec, context }: World): [string, () => Effect[]] {
    const back = dice.some([...this.#elsewhere], 0.5);
    for (const member of back) this.#elsewhere.delete(member);
    const limited = [...spec.endpoints, ...spec.keys].filter(({ maxConcurrent }) => maxConcurrent === 1);
    const ids = limited.map(({ id }) => id);
    for (const member of pool.members.values()) {
      const slot = { member: addressOf(pool, member), limit: 1 };
      if (ids.includes(member.id) && dice.chance(0.2) && !this.#isFull(slot))
        this.#elsewhere.add(slot.member);
    }
    const what = `elsewhere free: ${back.join(' ')}, taken: ${[...this.#elsewhere].join(' ')}`;
    return [what, () => freedElsewhere(pool, back, context)];
  }

  /** Claims and leases are the same. */
  check({ pool }: World): string[] {
    const lost = [...pool.leases.values()].filter(
      ({ id, claim }) => claim === 'held' && !this.#claims.has(id),
    );
    const left = [...this.#claims.keys()].filter((id) => pool.leases.get(id)?.claim !== 'held');
    return [
      ...lost.map(({ id }) => `${id} goes on without its claim`),
      ...left.map((id) => `the claim of ${id} is left behind`),
    ];
  }

  #isFull({ member, limit }: Slot): boolean {
    const mine = [...this.#claims.values()].flat().filter((slot) => slot.member === member).length;
    return mine >= limit || this.#elsewhere.has(member);
  }
}
