import { type Clock, type Random, seededRandom } from '../core/clock.ts';
import type { StrategyOutcome } from '../core/types.ts';

/** Where in a seeded run a choice is made. */
export interface Seed {
  /** What the user set. */
  readonly value: string;
  /** The run: its choices follow from nothing that was learned in others. */
  readonly run: string;
  readonly worker: number;
  /** Which choice for its task this is in its worker, from 0. */
  readonly choice: number;
}

/** Times shorter than this count alike. */
const SHORTEST_MS = 100;
const STEP = 4;
/** Where the clock begins: any fixed time will do. */
const BEGIN = Date.UTC(2020, 0);

/**
 * Time and chance for choices that repeat. Real times differ a little from run to run, so a run's time counts in coarse
 * steps (100 ms, 400 ms, 1.6 s …), and the clock moves by work done. Chance follows from worker and call order.
 */
export class DeterministicWorld {
  #time = BEGIN;
  #random: Random = () => 0.5;

  readonly now: Clock = () => this.#time;
  readonly random: Random = () => this.#random();

  /** The choice that comes next. */
  seedFor(task: string, { value, worker, choice }: Seed): void {
    this.#random = seededRandom([value, task, worker, choice].join('\n'));
  }

  /** What a run counts as; the clock moves by its share of the time in which `running` ran at once. */
  advance(outcome: StrategyOutcome, running: number): StrategyOutcome {
    const steps = Math.round(Math.log(Math.max(1, outcome.durationMs / SHORTEST_MS)) / Math.log(STEP));
    const durationMs = SHORTEST_MS * STEP ** steps;
    this.#time += durationMs / Math.max(1, running);
    return { ...outcome, durationMs };
  }
}
