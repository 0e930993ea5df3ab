import { seededRandom } from '../../../src/core/clock.ts';
import {
  createRouter,
  type Router,
  type RouterOptions,
  type RouterOutcome,
} from '../../../src/router/index.ts';

/** A router whose clock moves with its attempts, one request at a time. */
export class World {
  now = 1_000_000;
  readonly random: () => number;
  readonly router: Router;
  readonly picks: string[] = [];

  constructor(seed: string, options: RouterOptions = {}) {
    this.random = seededRandom(seed);
    this.router = createRouter({ now: () => this.now, random: seededRandom(`${seed} router`), ...options });
  }

  /** One attempt of a first try; the outcome may depend on who was picked. */
  attempt(candidates: readonly string[], outcome: (id: string) => RouterOutcome): string {
    const id = this.router.pick(candidates);
    const come = outcome(id);
    this.now += come.durationMs;
    this.router.record(id, come);
    this.picks.push(id);
    return id;
  }

  /** Share of the picks from the `from`-th on. */
  share(id: string, from = 0): number {
    const seen = this.picks.slice(from);
    return seen.filter((pick) => pick === id).length / seen.length;
  }
}

export function ok(durationMs = 100): RouterOutcome {
  return { ok: true, durationMs };
}

export function failure(kind: RouterOutcome['kind'] = 'server', durationMs = 100): RouterOutcome {
  return { ok: false, durationMs, ...(kind && { kind }) };
}
