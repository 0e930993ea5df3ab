import type { Effect, LeaseState } from '../../../../src/core/state.ts';
import type { Need } from '../../../../src/core/types.ts';
import type { World } from '../world.ts';

/** A lease as its link knows it. */
export interface ClientLease {
  readonly id: string;
  readonly client: string;
  readonly need: Need;
  readonly onlyEndpoint: string | null;
  readonly testId: string | null;
  endpoint: string | null;
  key: string | null;
  fastPath: boolean;
  /** It was told that it has no member: its next call asks for one. */
  homeless: boolean;
  /** A call of it had its turn, and is on its way. */
  onItsWay: boolean;
  /** Its latest call, and how many attempts of it were made. */
  call: string;
  requests: number;
}

/** A question without an answer yet. */
export interface Asked {
  readonly ask: number;
  /** When it was asked first. */
  readonly since: number;
  readonly kind: 'acquire' | 'move' | 'permit';
  readonly client: string;
  readonly lease: string;
  readonly need: Need;
  readonly onlyEndpoint: string | null;
  readonly testId: string | null;
  readonly exclude: readonly string[];
  readonly timeoutMs: number;
  /** What to send, should the broker be lost. */
  readonly again: (world: World) => Effect[];
}

type Answer = Extract<Effect, { to: unknown }>;

const ANSWERS: Record<Asked['kind'], readonly Answer['type'][]> = {
  acquire: ['granted', 'stay', 'refused'],
  move: ['granted', 'stay', 'refused'],
  permit: ['permit', 'stay'],
};

/** The links' side: what they asked, what they were told, and what they hold by it. */
export class Clients {
  readonly open = new Map<number, Asked>();
  /** Questions for another member, answered or not. */
  readonly moves = new Set<number>();
  readonly leases = new Map<string, ClientLease>();
  /** New leases that were refused: a link releases these at once. */
  readonly refused: string[] = [];

  /** Takes the answers of one event; returns what is wrong with them. */
  hear(effects: readonly Effect[]): string[] {
    return effects.flatMap((effect) => {
      if (effect.type === 'fast-path-ended') return this.#gated(effect.lease);
      if (effect.type === 'moved') return this.#moved(effect.lease);
      if (!('to' in effect)) return [];
      const asked = this.open.get(effect.to.ask);
      if (!asked) return [`question ${effect.to.ask} got ${effect.type}, but was not open`];
      this.open.delete(asked.ask);
      if (!ANSWERS[asked.kind].includes(effect.type)) return [`${asked.kind} got ${effect.type}`];
      if (effect.type === 'granted') return this.#granted(asked, effect.lease);
      if (effect.type === 'permit') return this.#permit(asked, effect.lease, effect.delayMs);
      if (effect.type === 'refused') this.#refused(asked);
      return [];
    });
  }

  /** Open questions about a lease. */
  about(lease: string): Asked[] {
    return [...this.open.values()].filter((asked) => asked.lease === lease);
  }

  drop(client: string): void {
    for (const lease of this.leases.values()) if (lease.client === client) this.leases.delete(lease.id);
    for (const asked of this.open.values()) if (asked.client === client) this.open.delete(asked.ask);
  }

  #granted(asked: Asked, lease: LeaseState): string[] {
    if (!lease.endpoint && !lease.key) return [`${lease.id} was granted nothing`];
    const known = this.leases.get(asked.lease);
    if (!known && asked.kind === 'move') return [`${lease.id} moved after its release`];
    const { client, need, onlyEndpoint, testId } = asked;
    this.leases.set(lease.id, {
      ...(known ?? {
        id: lease.id,
        client,
        need,
        onlyEndpoint,
        testId,
        call: '',
        requests: 0,
        onItsWay: false,
      }),
      ...wireGrantOf(lease),
      homeless: false,
    });
    return [];
  }

  #permit(asked: Asked, lease: LeaseState, delayMs: number): string[] {
    if (lease.claim === 'pending') return [`a call of ${lease.id} goes to what is not claimed yet`];
    if (!(delayMs >= 0)) return [`${lease.id} is to wait ${delayMs} ms`];
    const known = this.leases.get(asked.lease);
    if (!known) return [`${asked.lease} got a turn after its release`];
    if (lease.endpoint || lease.key)
      Object.assign(known, wireGrantOf(lease), { homeless: false, onItsWay: true });
    else known.homeless = true;
    return [];
  }

  #refused(asked: Asked): void {
    const known = this.leases.get(asked.lease);
    if (known) known.homeless = true;
    else this.refused.push(asked.lease);
  }

  #moved(lease: LeaseState): string[] {
    const known = this.leases.get(lease.id);
    if (!known) return [`${lease.id} was moved, but nobody holds it`];
    Object.assign(known, wireGrantOf(lease));
    return [];
  }

  #gated(lease: LeaseState): string[] {
    const known = this.leases.get(lease.id);
    if (!known) return [`${lease.id} was gated, but nobody holds it`];
    known.fastPath = false;
    return [];
  }
}

function wireGrantOf(lease: LeaseState): Pick<ClientLease, 'endpoint' | 'key' | 'fastPath'> {
  return { endpoint: lease.endpoint?.id ?? null, key: lease.key?.id ?? null, fastPath: lease.fastPath };
}
