import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { TestCase, TestError, TestResult } from '@playwright/test/reporter';
import { RECORD_CONTENT_TYPE, recordSchema, type GembaRecord } from '../../shared/record.ts';
import { parseJson } from '../../shared/json.ts';
import { ingest } from './ingest.ts';
import type { Collected, SeenResult, SeenTest } from './collected.ts';
import { ensure } from './tally.ts';

/** A worker's record holds at most some thousand attempts. */
const MAX_RECORD = 32 * 1024 * 1024;
const TOO_LARGE = 'larger than a record can be';

/** What the runner knows of itself; both are unknown while blobs are merged. */
export interface Origin {
  readonly rootDir: string;
  /** The part of the run that this process is, or null where the results come from several. */
  readonly shard: number | null;
  /** Results keep the worker that they had: merging numbers workers anew. */
  readonly merging: boolean;
}

/** One finished attempt of a test, as it was taken in. */
interface Taken {
  readonly test: SeenTest;
  readonly result: SeenResult;
  /** Its records as they came. */
  readonly texts: readonly string[];
}

/** The test as the report knows it. */
export function seeTest(collected: Collected, test: TestCase, origin: Origin): SeenTest {
  return ensure(collected.tests, test.id, () => describeTest(test, origin));
}

/** Take in one finished attempt of a test. Nothing of the result is changed, and no record of it is kept. */
export function collectResult(
  collected: Collected,
  test: TestCase,
  result: TestResult,
  origin: Origin,
): Taken {
  const seenTest = seeTest(collected, test, origin);
  const seen = describeResult(test, result, origin);
  seenTest.status = test.outcome();
  seenTest.results.push(seen);
  const { records, texts } = recordsOf(result, collected);
  ingest(collected, records, seenTest, seen);
  return { test: seenTest, result: seen, texts };
}

/** All tests of the run in its own order, those that never ran included, with their final outcomes. */
export function collectTests(collected: Collected, tests: readonly TestCase[], origin: Origin): SeenTest[] {
  const ordered = tests.map((test) => {
    const seen = collected.tests.get(test.id) ?? describeTest(test, origin);
    seen.status = test.outcome();
    return seen;
  });
  const known = new Set(tests.map((test) => test.id));
  return [...ordered, ...[...collected.tests.values()].filter((test) => !known.has(test.id))];
}

function describeTest(test: TestCase, origin: Origin): SeenTest {
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

function describeResult(test: TestCase, result: TestResult, origin: Origin): SeenResult {
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
    told: null,
  };
}

/** As Playwright counts it: a test that is expected to fail and does has not failed. */
function hasFailed(test: TestCase, result: TestResult): boolean {
  if (result.status === 'skipped' || result.status === 'interrupted') return false;
  return result.status !== test.expectedStatus;
}

function hasCrashed(result: TestResult): boolean {
  return result.status !== 'passed' && result.errors.some(saysCrashed);
}

function saysCrashed(error: TestError): boolean {
  const text = `${error.message ?? ''} ${error.value ?? ''}`;
  if (text.includes('worker process exited unexpectedly')) return true;
  return error.cause !== undefined && saysCrashed(error.cause);
}

function recordsOf(
  result: TestResult,
  collected: Collected,
): { readonly records: GembaRecord[]; readonly texts: string[] } {
  const records: GembaRecord[] = [];
  const texts: string[] = [];
  for (const { contentType, body, path: file } of result.attachments) {
    if (contentType !== RECORD_CONTENT_TYPE) continue;
    const parsed = parse(() => body ?? (file === undefined ? Buffer.alloc(0) : readAttached(file)));
    if (typeof parsed === 'string') {
      noteBadRecord(collected, parsed);
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
    // The parser's own message would quote whatever stands there.
    if (value === undefined) return 'not JSON';
    // As it is: parsing would make a second one of it.
    if (recordSchema.validate(value)) return { record: value, text };
    const issue = recordSchema.safeParse(value).error?.issues[0];
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a record'}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Records come as a body. A test may attach a file as one, too, but not a device that is read for ever. */
function readAttached(file: string): Buffer {
  const stats = statSync(file);
  if (!stats.isFile()) throw new Error('not a file');
  if (stats.size > MAX_RECORD) throw new Error(TOO_LARGE);
  return readFileSync(file);
}

function noteBadRecord(collected: Collected, why: string): void {
  if (collected.badRecords.count++ === 0) collected.badRecords.first = why;
}
