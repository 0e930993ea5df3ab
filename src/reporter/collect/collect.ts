/**
 * Reads what a worker attached to a result, and adds it to the `RunState` (`run-state.ts`).
 *
 * `collect.ts` describes test and result; `own-record.ts` finds the worker's record; `ingest.ts` adds it to the counts: of members (`counts.ts`,
 * `samples.ts`, `activity-counts.ts`), over time (`timeline-counts.ts`), of replicas (`replicas.ts`) and of the configuration (`config-states.ts`).
 * `journal.ts` writes the same to disk while the run goes on; `journal-read.ts` makes a report of it for a killed run.
 */
import type { TestCase, TestError, TestResult } from '@playwright/test/reporter';
import type { GembaRecord } from '../../shared/record.ts';
import type { Redact } from '../../shared/redact.ts';
import { attemptErrors, relativeFile } from './attempt-errors.ts';
import { ingest } from './ingest.ts';
import type { RunState, CollectedResult, CollectedTest } from './run-state.ts';
import { noWaits } from './run-state.ts';
import { getOrCreate } from './counts.ts';
import { type JudgeRecord, ownRecord } from './own-record.ts';

/** Facts of this process; while blobs are merged, folder and shard are unknown. */
export interface RecordOrigin {
  readonly rootDir: string;
  /** The shard that this process runs; null where results come from several. */
  readonly shard: number | null;
  /** Blobs are merged: Playwright numbers the workers anew. */
  readonly merging: boolean;
  /** Tells the workers' records from those that a test attaches. */
  readonly judgeRecord: JudgeRecord;
  /** Takes secrets out of texts of Playwright, such as titles and errors. */
  readonly redact: Redact;
  /** A file as a link from the report; null where it cannot be one. */
  readonly linkTo: (file: string) => string | null;
}

/** An ended attempt of a test. */
interface CollectedAttempt {
  readonly test: CollectedTest;
  readonly result: CollectedResult;
  /** Its record as text. */
  readonly text: string | null;
}

export function findOrAddTest(runState: RunState, test: TestCase, origin: RecordOrigin): CollectedTest {
  return getOrCreate(runState.tests, test.id, () => describeTest(test, origin));
}

/** Adds one ended attempt of a test. It changes nothing of the result, and keeps no record. */
export function collectResult(
  runState: RunState,
  test: TestCase,
  result: TestResult,
  origin: RecordOrigin,
): CollectedAttempt {
  const seenTest = findOrAddTest(runState, test, origin);
  const own = ownRecord(runState, test, result, origin.judgeRecord);
  const seen = describeResult(test, result, origin, own?.record.errorTexts);
  seenTest.status = test.outcome();
  seenTest.results.push(seen);
  if (own?.record.title !== undefined) seenTest.title = own.record.title;
  if (own) ingest(runState, own.record, seenTest, seen);
  return { test: seenTest, result: seen, text: own?.text ?? null };
}

/** All tests of the run in its order, including those that did not run, with their final outcomes. */
export function collectTests(
  runState: RunState,
  tests: readonly TestCase[],
  origin: RecordOrigin,
): CollectedTest[] {
  const ordered = tests.map((test) => {
    const seen = runState.tests.get(test.id) ?? describeTest(test, origin);
    seen.status = test.outcome();
    return seen;
  });
  const known = new Set(tests.map((test) => test.id));
  return [...ordered, ...[...runState.tests.values()].filter((test) => !known.has(test.id))];
}

function describeTest(test: TestCase, origin: RecordOrigin): CollectedTest {
  const [, project = '', , ...titles] = test.titlePath();
  const { file, line } = test.location;
  return {
    id: test.id,
    title: origin.redact(titles.join(' › ')),
    file: relativeFile(file, origin.rootDir),
    line,
    project,
    status: test.outcome(),
    tags: test.tags ?? [],
    results: [],
  };
}

function describeResult(
  test: TestCase,
  result: TestResult,
  origin: RecordOrigin,
  errorTexts: GembaRecord['errorTexts'],
): CollectedResult {
  const known = !origin.merging && result.workerIndex >= 0;
  const failed = hasFailed(test, result);
  return {
    retry: result.retry,
    status: result.status,
    failed,
    crashed: hasCrashed(result),
    startedAt: result.startTime.getTime(),
    durationMs: Math.max(0, result.duration),
    shard: origin.shard,
    worker: known ? result.workerIndex : null,
    errors: failed ? attemptErrors(result.errors, { ...origin, redacted: errorTexts }) : [],
    trace: traceOf(result, origin),
    waited: noWaits(),
    leases: [],
    requests: [],
    requestsOmitted: 0,
    degraded: false,
    pinned: null,
    refused: false,
    unmet: [],
    foreign: [],
    outOfService: [],
    extendedMs: 0,
    unextendedMs: 0,
    evidence: [],
    workerVerdict: null,
  };
}

function traceOf({ attachments }: TestResult, { linkTo }: RecordOrigin): string | null {
  const file = attachments.find(({ name, path: at }) => name === 'trace' && at !== undefined)?.path;
  return file === undefined ? null : linkTo(file);
}

/** As Playwright counts: a test that is expected to fail, and fails, has not failed. */
function hasFailed(test: TestCase, result: TestResult): boolean {
  if (result.status === 'skipped' || result.status === 'interrupted') return false;
  return result.status !== test.expectedStatus;
}

function hasCrashed(result: TestResult): boolean {
  return result.status !== 'passed' && result.errors.some(isCrash);
}

function isCrash(error: TestError): boolean {
  const text = `${error.message ?? ''} ${error.value ?? ''}`;
  if (text.includes('worker process exited unexpectedly')) return true;
  return error.cause !== undefined && isCrash(error.cause);
}
