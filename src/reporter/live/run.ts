import type { TestCase, TestResult } from '@playwright/test/reporter';
import type { Clock } from '../../core/clock.ts';
import type { Report, RunStatus } from '../report/model.ts';
import type { ShownRun } from './messages.ts';
import { ProgressMeter } from './progress.ts';

export interface WrittenPage {
  /** Relative to the folder where the run was started. */
  readonly shown: string;
  readonly file: string;
}

interface LiveTest {
  readonly title: string;
  readonly retry: number;
  readonly since: number;
}

/** What the live page reads of a run. */
export interface LiveSource {
  readonly title: string;
  readonly tests: number;
  /** The report so far. */
  readonly report: (status: RunStatus) => Report;
  /** Requests and failures so far. */
  readonly counts: () => { readonly requests: number; readonly failures: number };
}

/** One run as the live page follows it. */
export class LiveRun {
  readonly source: LiveSource;
  readonly #clock: Clock;
  readonly #meter: ProgressMeter;
  readonly #running = new Map<TestResult, LiveTest>();
  #counts = { requests: 0, failures: 0 };
  /** Grows with each change of the report. */
  revision = 0;
  ended = false;
  /** What it came to. */
  status: RunStatus | null = null;
  /** Where its page was written: as it is shown, and its file. */
  written: WrittenPage | null = null;

  constructor(source: LiveSource, clock: Clock) {
    this.source = source;
    this.#clock = clock;
    this.#meter = new ProgressMeter(source.tests, clock());
  }

  testBegan(title: string, result: TestResult): void {
    this.#running.set(result, { title, retry: result.retry, since: this.#clock() });
  }

  /** Call it after the result was collected. */
  testEnded(test: TestCase, result: TestResult): void {
    this.#running.delete(result);
    const before = this.#counts;
    const now = this.source.counts();
    this.#counts = { ...now };
    this.revision++;
    const outcome = test.outcome();
    this.#meter.add({
      at: this.#clock(),
      done: !(outcome === 'unexpected' && test.results.length <= test.retries),
      failed: outcome === 'unexpected',
      flaky: outcome === 'flaky',
      requests: now.requests - before.requests,
      failures: now.failures - before.failures,
    });
  }

  end(status: RunStatus, written: WrittenPage | null): void {
    Object.assign(this, { status, written });
    this.#running.clear();
    this.ended = true;
    this.revision++;
    this.#meter.end(this.#clock());
  }

  state(): Pick<ShownRun, 'running'> & { readonly run: NonNullable<ShownRun['run']> } {
    const now = this.#clock();
    return {
      run: { ...this.#meter.at(now), status: this.status, report: this.written?.shown ?? null },
      running: [...this.#running.values()].map(({ title, retry, since }) => ({
        title,
        retry,
        forMs: now - since,
      })),
    };
  }
}
