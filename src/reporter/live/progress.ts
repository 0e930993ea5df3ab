const WINDOW_MS = 60_000;
/** With fewer tests done, or after less time, an estimate of the end would be noise. */
const MIN_DONE = 3;
const MIN_MS = 2000;
const MIN_IN_WINDOW = 5;

/** How far a run is. */
export interface Progress {
  readonly phase: 'running' | 'ended';
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly flaky: number;
  readonly forMs: number;
  /** Estimated time until the last test ends. */
  readonly etaMs: number | null;
  readonly testsLastMinute: number;
  readonly requestsLastMinute: number;
  readonly successLastMinute: number | null;
}

/** What one result adds. */
export interface ProgressStep {
  readonly at: number;
  /** No retry follows. */
  readonly done: boolean;
  readonly failed: boolean;
  readonly flaky: boolean;
  readonly requests: number;
  readonly failures: number;
}

/** Measures a run's progress. Single steps are kept for the last minute only. */
export class ProgressMeter {
  readonly #total: number;
  readonly #startedAt: number;
  #recent: ProgressStep[] = [];
  #done = 0;
  #failed = 0;
  #flaky = 0;
  #endedAt: number | null = null;

  constructor(total: number, startedAt: number) {
    this.#total = total;
    this.#startedAt = startedAt;
  }

  add(step: ProgressStep): void {
    this.#recent.push(step);
    if (this.#recent.length > 1 && this.#recent[0]!.at < step.at - 2 * WINDOW_MS) this.#forget(step.at);
    if (!step.done) return;
    this.#done++;
    if (step.failed) this.#failed++;
    if (step.flaky) this.#flaky++;
  }

  end(at: number): void {
    this.#endedAt = at;
  }

  at(now: number): Progress {
    this.#forget(now);
    const [recent, total, endedAt] = [this.#recent, this.#total, this.#endedAt];
    const requests = sum(recent, (step) => step.requests);
    const failures = sum(recent, (step) => step.failures);
    return {
      phase: endedAt === null ? 'running' : 'ended',
      total,
      done: this.#done,
      failed: this.#failed,
      flaky: this.#flaky,
      forMs: Math.max(0, (endedAt ?? now) - this.#startedAt),
      etaMs: endedAt === null ? this.#eta(now) : null,
      testsLastMinute: sum(recent, (step) => Number(step.done)),
      requestsLastMinute: requests,
      successLastMinute: requests === 0 ? null : (requests - failures) / requests,
    };
  }

  /** By the pace of the last minute where it has enough tests, else of the whole run. */
  #eta(now: number): number | null {
    const forMs = now - this.#startedAt;
    if (this.#done < MIN_DONE || forMs < MIN_MS) return null;
    const inWindow = sum(this.#recent, (step) => Number(step.done));
    const left = this.#total - this.#done;
    if (inWindow < MIN_IN_WINDOW) return Math.round((left * forMs) / this.#done);
    return Math.round((left * Math.min(WINDOW_MS, forMs)) / inWindow);
  }

  #forget(now: number): void {
    this.#recent = this.#recent.filter(({ at }) => at > now - WINDOW_MS);
  }
}

function sum(steps: readonly ProgressStep[], of: (step: ProgressStep) => number): number {
  return steps.reduce((all, step) => all + of(step), 0);
}
