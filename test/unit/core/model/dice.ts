import { type Random, seededRandom } from '../../../../src/core/clock.ts';
import type { EndpointSpec, KeySpec, Need, PoolSpec } from '../../../../src/core/types.ts';
import { endpoint, key, poolSpec } from '../world.ts';

/** Repeatable choices. */
export class Dice {
  readonly random: Random;

  constructor(seed: string) {
    this.random = seededRandom(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** Each with the given probability, in their order. */
  some<T>(from: readonly T[], probability: number): T[] {
    return from.filter(() => this.chance(probability));
  }
}

const UNLIMITED = undefined;

/** A pool of endpoints, of keys, or of both, with every limit that the configuration knows. */
export function randomPool(dice: Dice): PoolSpec {
  const shape = dice.pick(['both', 'both', 'both', 'endpoints', 'keys'] as const);
  const endpoints = shape === 'keys' ? [] : Array.from({ length: 1 + dice.below(4) }, anEndpoint(dice));
  const keys = shape === 'endpoints' ? [] : Array.from({ length: 1 + dice.below(5) }, aKey(dice, endpoints));
  return poolSpec({
    endpoints,
    keys,
    protocol: dice.pick(['http', 'http', 'openai']),
    rotation: dice.pick(['round-robin', 'least-busy', 'success-rate', 'random']),
    routing: dice.pick(['round-robin', 'least-busy', 'success-rate', 'priority']),
    maxFailures: 1 + dice.below(4),
    acquireTimeoutMs: dice.pick([500, 5_000, 60_000]),
    ejection: { baseMs: dice.pick([1, 500, 15_000]), maxMs: dice.pick([1_000, 60_000, 600_000]) },
    retryBudget: dice.pick([0, 0.2, 10]),
  });
}

/** Mostly one that some key meets; sometimes one that none does. */
export function randomNeed(dice: Dice): Need {
  return dice.pick<Need>([
    {},
    {},
    {},
    {},
    {},
    { role: 'admin' },
    { role: 'user' },
    { role: 'admin', model: 'm' },
  ]);
}

function anEndpoint(dice: Dice): (value: unknown, index: number) => EndpointSpec {
  return (_, index) => endpoint(`e${index}`, { ...limits(dice), priority: dice.below(3) });
}

function aKey(dice: Dice, endpoints: readonly EndpointSpec[]): (value: unknown, index: number) => KeySpec {
  const names = endpoints.map(({ name }) => name);
  return (_, index) =>
    key(`k${index}`, {
      ...limits(dice),
      labels: dice.pick([{}, { role: 'admin' }, { role: 'admin', plan: 'fastPath' }, { role: 'user' }]),
      quotaGroup: dice.pick([`k${index}#k`, 'shared']),
      endpoints: names.length > 0 && dice.chance(0.3) ? dice.some(names, 0.6) : undefined,
    });
}

function limits(dice: Dice): Pick<KeySpec, 'maxConcurrent' | 'rpm' | 'weight' | 'enabled'> {
  return {
    maxConcurrent: dice.pick([UNLIMITED, 1, 1, 1, 1, 2, 3]),
    rpm: dice.pick([UNLIMITED, UNLIMITED, UNLIMITED, 30, 240]),
    weight: dice.pick([1, 1, 1, 1, 1, 1, 2, 2, 0.25, 0]),
    enabled: dice.chance(0.97),
  };
}
