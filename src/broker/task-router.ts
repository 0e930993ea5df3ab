import type { Clock, Random } from '../core/clock.ts';
import type { StrategyOutcome } from '../core/types.ts';
import { createRouter, type Router } from '../router/index.ts';
import type { StrategyEstimate } from '../wire/messages.ts';

/** A run that is over, as it is kept between runs of the suite. */
export interface PastRun extends StrategyOutcome {
  readonly name: string;
  /** When it ended, in milliseconds since the epoch. */
  readonly at: number;
}

interface Round {
  readonly name: string;
  readonly attempt: number;
  readonly pickedAt: number;
  /** Null while it runs. */
  outcome: (StrategyOutcome & { readonly at: number }) | null;
}

/** Runs that are remembered. A router's memory is shorter. */
export const REMEMBERED_RUNS = 120;
/** Longer than any strategy runs: a time that is beyond is cut, for a router takes no time that cannot be. */
const LONGEST_MS = 3_600_000;

/**
 * What is learned of the strategies of one task. The history is the state, and the router what follows from it: so a
 * run that is nobody's fault can be taken out, as if it had never been picked, and what is kept for the next run of
 * the suite is plain history.
 */
export class TaskRouter {
  readonly #now: Clock;
  readonly #random: Random;
  readonly #rounds = new Map<string, Round>();
  #router: Router;
  /** The time of the event that is told again; null: the present. */
  #replayedAt: number | null = null;

  constructor(now: Clock, random: Random, past: readonly PastRun[] = []) {
    this.#now = now;
    this.#random = random;
    for (const [index, { name, at, ...outcome }] of past.slice(-REMEMBERED_RUNS).entries()) {
      this.#rounds.set(`past ${index}`, { name, attempt: 1, pickedAt: at, outcome: { ...outcome, at } });
    }
    this.#router = this.#replay();
  }

  /** The last runs that are over, the oldest first. */
  get past(): PastRun[] {
    return [...this.#rounds.values()].flatMap(({ name, outcome }) => (outcome ? [{ name, ...outcome }] : []));
  }

  get running(): number {
    return [...this.#rounds.values()].filter(({ outcome }) => outcome === null).length;
  }

  /** What is believed of each strategy that has run. */
  strategyEstimates(): StrategyEstimate[] {
    return this.#router
      .snapshot()
      .flatMap(({ id: name, successRate, avgMs }) =>
        successRate === null || avgMs === null ? [] : [{ name, successRate, avgMs }],
      );
  }

  /** The strategy for the `attempt`-th try of a task, from 1. `close` or `forget` must follow. */
  pick(round: string, candidates: readonly string[], attempt: number): string {
    const name = this.#router.pick(candidates, { attempt });
    this.#rounds.set(round, { name, attempt, pickedAt: this.#now(), outcome: null });
    return name;
  }

  /** A run is over, and it says something of its strategy. */
  close(id: string, outcome: StrategyOutcome): void {
    const round = this.#rounds.get(id);
    if (!round || round.outcome) return;
    const durationMs = Math.min(outcome.durationMs, LONGEST_MS);
    round.outcome = { ok: outcome.ok, durationMs, kind: outcome.kind, at: this.#now() };
    // In the order of their ends: the oldest are forgotten first.
    this.#rounds.delete(id);
    this.#rounds.set(id, round);
    this.#router.record(round.name, routed(round.outcome));
    this.#trim();
  }

  /** A run is over, and its end says nothing of its strategy. */
  forget(id: string): void {
    const round = this.#rounds.get(id);
    if (!round || round.outcome) return;
    this.#rounds.delete(id);
    this.#router = this.#replay();
  }

  #trim(): void {
    const over = [...this.#rounds].filter(([, { outcome }]) => outcome !== null);
    for (const [id] of over.slice(0, Math.max(0, over.length - REMEMBERED_RUNS))) this.#rounds.delete(id);
  }

  #replay(): Router {
    const now = (): number => this.#replayedAt ?? this.#now();
    const router = createRouter({ now, random: this.#random });
    for (const { at, publish } of this.#events(router)) {
      this.#replayedAt = at;
      publish();
    }
    this.#replayedAt = null;
    return router;
  }

  #events(router: Router): { at: number; publish: () => void }[] {
    return [...this.#rounds.values()]
      .flatMap(({ name, attempt, pickedAt, outcome }) => [
        { at: pickedAt, publish: () => void router.pick([name], { attempt }) },
        ...(outcome ? [{ at: outcome.at, publish: () => router.record(name, routed(outcome)) }] : []),
      ])
      .sort((one, other) => one.at - other.at);
  }
}

function routed({ ok, durationMs, kind }: StrategyOutcome): Parameters<Router['record']>[1] {
  return kind === null ? { ok, durationMs } : { ok, durationMs, kind };
}
