import type { Clock, Random } from '../core/clock.ts';
import type { StrategyEstimate } from '../wire/messages.ts';
import { type Seed, DeterministicWorld } from './deterministic.ts';
import { type PastRun, TaskRouter } from './task-router.ts';
import { type StrategyOutcome } from '../core/types.ts';

export interface TasksPorts {
  readonly now: Clock;
  readonly random: Random;
  /** Called when something was learned that later runs should know. */
  readonly onChange: () => void;
}

export interface PickRequest {
  readonly round: string;
  readonly task: string;
  readonly candidates: readonly string[];
  readonly attempt: number;
  readonly seed: Seed | null;
}

interface Picked {
  readonly name: string;
  /** What was believed of the candidates that have run before. */
  readonly strategyEstimates: readonly StrategyEstimate[];
}

interface Task {
  readonly name: string;
  readonly router: TaskRouter;
  /** Null: real time and chance. */
  readonly world: DeterministicWorld | null;
}

/** The tasks of a project: which strategy does each best, learned over all its workers. */
export class Tasks {
  readonly #ports: TasksPorts;
  readonly #tasks = new Map<string, Task>();
  #changed = new Set<string>();
  readonly #seeded = new Map<string, Task>();
  readonly #running = new Map<string, { readonly client: string; readonly task: Task }>();

  constructor(ports: TasksPorts) {
    this.#ports = ports;
  }

  /** History by task, for the next run. */
  get past(): Map<string, PastRun[]> {
    const all = [...this.#tasks].map(([name, { router }]) => [name, router.past] as const);
    return new Map(all.filter(([, past]) => past.length > 0));
  }

  /** Goes on from what earlier runs learned. Before the first pick. */
  restore(past: ReadonlyMap<string, readonly PastRun[]>): void {
    for (const [name, runs] of past) this.#tasks.set(name, this.#unseeded(name, runs));
  }

  /** History of the tasks that have learned since this was asked last. */
  takeNew(): Map<string, PastRun[]> {
    const names = this.#changed;
    this.#changed = new Set();
    return new Map([...names].map((name) => [name, this.#task(name).router.past]));
  }

  pick(client: string, { round, task: name, candidates, attempt, seed }: PickRequest): Picked {
    // A link that has lost its connection asks again.
    this.record(round, null);
    const task = seed ? this.#seededTask(name, seed) : this.#task(name);
    if (seed) task.world?.seedFor(name, seed);
    this.#running.set(round, { client, task });
    const strategyEstimates = task.router
      .strategyEstimates()
      .filter((routerHandle) => candidates.includes(routerHandle.name));
    return { name: task.router.pick(round, candidates, attempt), strategyEstimates };
  }

  /** A run is over; null where that is no fault of its strategy, nor a merit. */
  record(round: string, outcome: StrategyOutcome | null): void {
    const running = this.#running.get(round);
    if (!running) return;
    this.#running.delete(round);
    const { router, world } = running.task;
    if (!outcome) return router.forget(round);
    router.close(round, world ? world.advance(outcome, router.running) : outcome);
    if (world) return;
    this.#changed.add(running.task.name);
    this.#ports.onChange();
  }

  /** A worker is gone: what it ran was cut off, which says nothing of the strategies. */
  dropClient(client: string): void {
    for (const [round, running] of this.#running) if (running.client === client) this.record(round, null);
  }

  #task(name: string): Task {
    const known = this.#tasks.get(name);
    if (known) return known;
    const task = this.#unseeded(name, []);
    this.#tasks.set(name, task);
    return task;
  }

  #unseeded(name: string, past: readonly PastRun[]): Task {
    return { name, router: new TaskRouter(this.#ports.now, this.#ports.random, past), world: null };
  }

  #seededTask(name: string, { value, run }: Seed): Task {
    const id = [value, run, name].join('\n');
    const known = this.#seeded.get(id);
    if (known) return known;
    const world = new DeterministicWorld();
    const task = { name, router: new TaskRouter(world.now, world.random), world };
    this.#seeded.set(id, task);
    return task;
  }
}
