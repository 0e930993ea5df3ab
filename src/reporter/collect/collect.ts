/**
 * Reads what workers attached to a result, and adds it to the `RunState` (`run-state.ts`).
 *
 * `collect.ts` describes test and result and parses the records; `ingest.ts` adds each record to the counts: of members (`counts.ts`,
 * `samples.ts`, `activity-counts.ts`), over time (`timeline-counts.ts`), of replicas (`replicas.ts`) and of the configuration (`config-states.ts`).
 * `journal.ts` writes the same to disk while the run goes on; `journal-read.ts` makes a report of it for a killed run.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { TestCase, TestError, TestResult } from '@playwright/test/reporter';
import { RECORD_CONTENT_TYPE, recordSchema, type GembaRecord } from '../../shared/record.ts';
import { parseJson } from '../../shared/json.ts';
import { ingest } from './ingest.ts';
import type { RunState, CollectedResult, CollectedTest } from './run-state.ts';
import { getOrCreate } from './counts.ts';

/** A worker's record holds at most some thousand requests. */
const MAX_RECORD = 32 * 1024 * 1024;
const TOO_LARGE = 'larger than a record can be';

/** Facts of this process; while blobs are merged, folder and shard are unknown. */
export interface Origin {
  readonly rootDir: string;
  /** The shard that this process runs; null where results come from several. */
  readonly shard: number | null;
  /** Blobs are merged: Playwright numbers the workers anew. */
  readonly merging: boolean;
}

/** An ended attempt of a test. */
interface CollectedAttempt {
  readonly test: CollectedTest;
  readonly result: CollectedResult;
  /** Its records as text. */
  readonly texts: readonly string[];
}

export function findOrAddTest(runState: RunState, test: TestCase, origin: Origin): CollectedTest {
  return getOrCreate(runState.tests, test.id, () => describeTest(test, origin));
}

/** Adds one ended attempt of a test. It changes nothing of the result, and keeps no record. */
export function collectResult(
  runState: RunState,
  test: TestCase,
  result: TestResult,
  origin: Origin,
): CollectedAttempt {
  const seenTest = findOrAddTest(runState, test, origin);
  const seen = describeResult(test, result, origin);
  seenTest.status = test.outcome();
  seenTest.results.push(seen);
  const { records, texts } = recordsOf(result, runState);
  ingest(runState, records, seenTest, seen);
  return { test: seenTest, result: seen, texts };
}

/** All tests of the run in its order, including those that did not run, with their final outcomes. */
export function collectTests(
  runState: RunState,
  tests: readonly TestCase[],
  origin: Origin,
): CollectedTest[] {
  const ordered = tests.map((test) => {
    const seen = runState.tests.get(test.id) ?? describeTest(test, origin);
    seen.status = test.outcome();
    return seen;
  });
  const known = new Set(tests.map((test) => test.id));
  return [...ordered, ...[...runState.tests.values()].filter((test) => !known.has(test.id))];
}

function describeTest(test: TestCase, origin: Origin): CollectedTest {
  const [, project = '', , ...titles] = test.titlePath();
  const { file, line } = test.location;
  const relative = path.isAbsolute(file) && origin.rootDir ? path.relative(origin.rootDir, file) : file;
  return {
    id: test.id,
    title: titles.join(' › '),
    file: relative.replaceAll('\\', '/'),
    line,
    project,
    status: test.outcome(),
    results: [],
  };
}

function describeResult(test: TestCase, result: TestResult, origin: Origin): CollectedResult {
  const known = !origin.merging && result.workerIndex >= 0;
  return {
    retry: result.retry,
    status: result.status,
    failed: hasFailed(test, result),
    crashed: hasCrashed(result),
    startedAt: result.startTime.getTime(),
    durationMs: Math.max(0, result.duration),
    shard: origin.shard,
    worker: known ? result.workerIndex : null,
    leases: [],
    faults: [],
    requests: [],
    requestsOmitted: 0,
    degraded: false,
    pinned: false,
    refused: false,
    unleased: false,
    workerVerdict: null,
  };
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

function recordsOf(
  result: TestResult,
  runState: RunState,
): { readonly records: GembaRecord[]; readonly texts: string[] } {
  const records: GembaRecord[] = [];
  const texts: string[] = [];
  for (const { contentType, body, path: file } of result.attachments) {
    if (contentType !== RECORD_CONTENT_TYPE) continue;
    const parsed = parse(() => body ?? (file === undefined ? Buffer.alloc(0) : readAttached(file)));
    if (typeof parsed === 'string') {
      noteBadRecord(runState, parsed);
      continue;
    }
    records.push(parsed.record);
    texts.push(parsed.text);
  }
  return { records, texts };
}

function parse(read: () => Buffer): { record: GembaRecord; text: string } | string {
  try {
    const bytes = read();
    if (bytes.length > MAX_RECORD) return TOO_LARGE;
    const text = bytes.toString();
    const value = parseJson(text);
    // The parser's own message would quote the text, which may hold a secret.
    if (value === undefined) return 'not JSON';
    // Parsing would copy the record.
    if (recordSchema.validate(value)) return { record: value, text };
    const issue = recordSchema.safeParse(value).error?.issues[0];
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a record'}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Records come as a body. A test may attach a file of that type, and even a device that never ends. */
function readAttached(file: string): Buffer {
  const stats = statSync(file);
  if (!stats.isFile()) throw new Error('not a file');
  if (stats.size > MAX_RECORD) throw new Error(TOO_LARGE);
  return readFileSync(file);
}

function noteBadRecord(runState: RunState, why: string): void {
  if (runState.badRecords.count++ === 0) runState.badRecords.first = why;
}
