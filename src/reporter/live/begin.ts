import type { FullConfig, Suite, TestCase, TestResult } from '@playwright/test/reporter';
import { monotonic, systemClock } from '../../core/clock.ts';
import { aggregate } from '../report/aggregate.ts';
import type { Collected } from '../collect/collected.ts';
import type { Report } from '../report/model.ts';
import { packageVersion, type Settings } from '../options.ts';
import type { Voice } from './live.ts';
import { configOption } from './follow.ts';
import { LiveRun } from './run.ts';

/** The run that a live page shows, and what its reporter collects of it. */
export interface LiveSubject {
  readonly collected: Collected;
  readonly config: FullConfig;
  readonly suite: Suite;
}

/** What the reporter tells the live page. */
export interface LiveReporter {
  testBegan(test: TestCase, result: TestResult): void;
  /** To be called after the result was collected. */
  testEnded(test: TestCase, result: TestResult): void;
  end(): Promise<void>;
}

/** Shows a run on the live page; null where none is wanted. The run does not wait for the page. */
export function beginLive(settings: Settings, subject: LiveSubject, voice: Voice): LiveReporter | null {
  const { live, mode, title, configDir } = settings;
  if (!live || mode !== 'test') return null;
  const { collected, config, suite } = subject;
  const { all } = collected;
  const startedAt = systemClock();
  const source = {
    title,
    tests: suite.allTests().length,
    report: () => reportSoFar(subject, startedAt),
    counts: () => ({ requests: all.requests, failures: all.failures }),
  };
  const run = new LiveRun(source, monotonic);
  const option = configOption(config.projects);
  // Loaded where a page is wanted: most runs have none.
  const opening = import('./live.ts').then(({ liveView }) => {
    const view = liveView(live, { folder: configDir, option }, voice);
    void view.show(run);
    return view;
  });
  return {
    testBegan: (test, result) => run.testBegan(test, result),
    testEnded: (test, result) => run.testEnded(test, result),
    end: async () => {
      run.end();
      await (await opening).ended();
    },
  };
}

function reportSoFar({ collected, config }: LiveSubject, startedAt: number): Report {
  // Tests that have only begun are shown as running.
  const ended = [...collected.tests.values()].filter(({ results }) => results.length > 0);
  return aggregate(collected, ended, {
    status: 'passed',
    startedAt,
    durationMs: systemClock() - startedAt,
    playwright: config.version,
    version: packageVersion(),
    shard: config.shard,
  });
}
