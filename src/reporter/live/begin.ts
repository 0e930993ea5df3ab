import type { FullConfig, Suite, TestCase, TestResult } from '@playwright/test/reporter';
import { monotonic, steadyClock } from '../../core/clock.ts';
import { aggregate } from '../report/aggregate.ts';
import type { RunState } from '../collect/run-state.ts';
import type { Report, RunStatus } from '../report/model.ts';
import { packageVersion, type Settings } from '../options.ts';
import type { Output } from './live.ts';
import { configOption } from './follow-config.ts';
import { LiveRun, type WrittenPage } from './run.ts';

/** The run that a live page shows, and what the reporter collects of it. */
export interface LiveSubject {
  readonly runState: RunState;
  readonly config: FullConfig;
  readonly suite: Suite;
  readonly redact: (text: string) => string;
}

/** What the reporter reports to the live page. */
export interface LiveReporter {
  testBegan(test: TestCase, result: TestResult): void;
  /** Call it after the result was collected. */
  testEnded(test: TestCase, result: TestResult): void;
  /** Call it when the page is written. */
  end(status: RunStatus, written: WrittenPage | null): Promise<void>;
}

/** Shows a run on the live page; null where `live` is off. The run does not wait for the page. */
export function beginLive(settings: Settings, subject: LiveSubject, output: Output): LiveReporter | null {
  const { live, mode, title, configDir } = settings;
  if (!live || mode !== 'test') return null;
  const { runState, config, suite, redact } = subject;
  const { all } = runState;
  const startedAt = steadyClock();
  const source = {
    title,
    tests: suite.allTests().length,
    report: (status: RunStatus) => reportSoFar(subject, startedAt, status),
    counts: () => ({ requests: all.requests, failures: all.failures }),
  };
  const run = new LiveRun(source, monotonic);
  const option = configOption(config.projects);
  // Most runs have no live page.
  const opening = import('./live.ts').then(({ liveView }) => {
    const view = liveView(live, { folder: configDir, option }, output);
    void view.show(run);
    return view;
  });
  return {
    testBegan: (test, result) => run.testBegan(redact(test.titlePath().slice(3).join(' › ')), result),
    testEnded: (test, result) => run.testEnded(test, result),
    end: async (status, written) => {
      run.end(status, written);
      await (await opening).ended();
    },
  };
}

function reportSoFar({ runState, config }: LiveSubject, startedAt: number, status: RunStatus): Report {
  // The page lists tests that have not ended as running.
  const ended = [...runState.tests.values()].filter(({ results }) => results.length > 0);
  return aggregate(runState, ended, {
    status,
    startedAt,
    durationMs: steadyClock() - startedAt,
    playwright: config.version,
    version: packageVersion(),
    shard: config.shard,
  });
}
