import type { TestCase, TestResult } from '@playwright/test/reporter';
import type { Clock } from '../../core/clock.ts';
import type { Report } from '../report/model.ts';
import { type Progress, ProgressMeter } from './progress.ts';

interface TestNow {
  readonly title: string;
  readonly retry: number;
  readonly since: number;
}

/** What a run's reporter tells of it. */
export interface LiveSource {
  readonly title: string;
  readonly tests: number;
  /** The report as far as the run is. */
  readonly report: () => Report;
  /** Attempts and failures that were seen so far. */
  readonly counts: () => { readonly requests: number; readonly failures: number };
}

export interface RunNow {
  readonly run: Progress;
  readonly running: readonly { readonly title: string; readonly retry: number; readonly forMs: number }[];
}

/** One run as the live page follows it. */
export class LiveRun {
  readonly source: LiveSource;
  private readonly clock: Clock;
  private readonly meter: ProgressMeter;
  private readonly running = new Map<TestResult, TestNow>();
  private counted = { requests: 0, failures: 0 };
  /** Counts what changes the report. */
  revision = 0;
  ended = false;

  constructor(source: LiveSource, clock: Clock) {
    this.source = source;
    this.clock = clock;
    this.meter = new ProgressMeter(source.tests, clock());
  }

  testBegan(test: TestCase, result: TestResult): void {
    const title = test.titlePath().slice(3).join(' › ');
    this.running.set(result, { title, retry: result.retry, since: this.clock() });
  }

  /** To be called after the result was collected. */
  testEnded(test: TestCase, result: TestResult): void {
    this.running.delete(result);
    const before = this.counted;
    const now = this.source.counts();
    this.counted = { ...now };
    this.revision++;
    const outcome = test.outcome();
    this.meter.add({
      at: this.clock(),
      done: !(outcome === 'unexpected' && test.results.length <= test.retries),
      failed: outcome === 'unexpected',
      flaky: outcome === 'flaky',
      requests: now.requests - before.requests,
      failures: now.failures - before.failures,
    });
  }

  end(): void {
    this.running.clear();
    this.ended = true;
    this.revision++;
    this.meter.end(this.clock());
  }

  now(): RunNow {
    const at = this.clock();
    return {
      run: this.meter.at(at),
      running: [...this.running.values()].map(({ title, retry, since }) => ({
        title,
        retry,
        forMs: at - since,
      })),
    };
  }
}
