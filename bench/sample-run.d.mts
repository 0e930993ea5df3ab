import type { FullConfig, FullResult, Suite, TestCase } from '@playwright/test/reporter';
import type { RunHistory } from '../src/reporter/history/history-run.ts';

export function sampleRun(options?: {
  readonly tests?: number;
  readonly calls?: number;
  readonly minutes?: number;
  readonly workers?: number;
  readonly seed?: number;
}): {
  readonly config: FullConfig;
  readonly cases: readonly TestCase[];
  readonly suite: Suite;
  readonly end: FullResult;
  readonly history: RunHistory;
};
