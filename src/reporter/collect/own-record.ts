import { readFileSync, statSync } from 'node:fs';
import type { TestCase, TestResult } from '@playwright/test/reporter';
import { parseJson } from '../../shared/json.ts';
import { RECORD_CONTENT_TYPE, recordSchema, type GembaRecord } from '../../shared/record.ts';
import { isSealed } from '../../shared/seal.ts';
import type { RunState } from './run-state.ts';

/** A worker's record holds at most some thousand requests. */
const MAX_RECORD = 32 * 1024 * 1024;
const TOO_LARGE = 'larger than a record can be';
/** The clock is read when a result begins and when its record does, both in the worker. */
const CLOCK_MS = 1_000;
/** Foreign records that are listed; further ones are counted. */
const MAX_LISTED = 100;

/** A record with the text that the worker attached. */
export interface ReadRecord {
  readonly record: GembaRecord;
  readonly text: string;
}

/** Why a record is not of this result's worker, or null. */
export type JudgeRecord = (read: ReadRecord, test: TestCase, result: TestResult) => string | null;

/** In the process of the run: a record carries the seal of its workers. */
export function bySeal(secret: string): JudgeRecord {
  return (read, test, result) =>
    isSealed(read.text, secret) ? otherResult(read, test, result) : 'no worker of this run wrote it';
}

/** While blobs are merged: a record fits the time of its result, and the run has the members that it names. */
export function byContent(runState: RunState): JudgeRecord {
  return (read, test, result) =>
    otherResult(read, test, result) ?? otherTime(read, result) ?? unknownMember(read, runState);
}

/**
 * The record of a result's worker, which is attached last. A test may attach others in its name: they are listed as
 * foreign, and count for nothing.
 */
export function ownRecord(
  runState: RunState,
  test: TestCase,
  result: TestResult,
  judge: JudgeRecord,
): ReadRecord | null {
  let own: ReadRecord | null = null;
  for (const attachment of result.attachments) {
    if (attachment.contentType !== RECORD_CONTENT_TYPE) continue;
    const read = readRecord(attachment);
    const why = typeof read === 'string' ? read : judge(read, test, result);
    if (why !== null) noteForeign(runState, test, result, why);
    else if (typeof read !== 'string') {
      if (own && read.record.again !== true)
        noteForeign(runState, test, result, 'a later one of this result takes its place');
      own = read;
    }
  }
  return own;
}

/** What is wrong with it, where it is no record. */
function readRecord({ body, path: file }: TestResult['attachments'][number]): ReadRecord | string {
  try {
    const bytes = body ?? (file === undefined ? Buffer.alloc(0) : readAttached(file));
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

function otherResult({ record }: ReadRecord, test: TestCase, result: TestResult): string | null {
  // Merging adds to the id of a test that several blobs have.
  const isOwn = test.id.startsWith(record.test) && record.retry === result.retry;
  return isOwn ? null : 'it is of another result';
}

function otherTime({ record }: ReadRecord, { startTime, duration }: TestResult): string | null {
  const after = record.startedAt - startTime.getTime();
  return after >= -CLOCK_MS && after <= Math.max(0, duration) + CLOCK_MS ? null : 'it is of another time';
}

function unknownMember({ record }: ReadRecord, { members }: RunState): string | null {
  const own = new Set(record.memberList?.flatMap(membersOf));
  const missing = record.leases.flatMap(membersOfLease).find((name) => !own.has(name) && !members.has(name));
  return missing === undefined ? null : `the run has no ${missing}`;
}

/** The names that `runState.members` has. */
export function membersOf({
  name,
  endpoints,
  keys,
}: NonNullable<GembaRecord['memberList']>[number]): string[] {
  return [
    `pool ${name}`,
    ...endpoints.map((endpoint) => `endpoint ${name}/${endpoint.name}`),
    ...keys.map((key) => `key ${name}/${key.name}`),
  ];
}

function membersOfLease({ pool, endpoint, key }: GembaRecord['leases'][number]): string[] {
  return [
    `pool ${pool}`,
    ...(endpoint === null ? [] : [`endpoint ${pool}/${endpoint}`]),
    ...(key === null ? [] : [`key ${pool}/${key}`]),
  ];
}

function noteForeign({ foreign }: RunState, test: TestCase, { retry }: TestResult, why: string): void {
  foreign.count++;
  if (foreign.list.length < MAX_LISTED) foreign.list.push({ testId: test.id, retry, why });
}
