/**
 * The data that the page carries for its script, and the constants that both share. `page-data.ts` writes it, `browser/data.ts` reads
 * it; a row that differs between them does not compile. Rows are tuples, and texts that repeat are indexes into lists: that is what
 * keeps ten thousand tests small.
 */
import type { TestOutcome } from '../report/model.ts';
import type { MemberRow } from './member-rows.ts';

export const OUTCOMES: readonly TestOutcome[] = ['unexpected', 'flaky', 'expected', 'skipped'];
export const OUTCOME_LABELS: Readonly<Record<TestOutcome, string>> = {
  unexpected: 'Failed',
  flaky: 'Flaky',
  expected: 'Passed',
  skipped: 'Skipped',
};
/** Of a test that was running when the run ended. */
export const INTERRUPTED = 'Interrupted';
/** What else is noted of a test, by bit. */
export const TEST_MARKS: readonly string[] = ['degraded', 'pinned', 'not measured'];
/** Errors that the markup has; the script lists the others. */
export const FIRST_ERRORS = 8;

/** Requests that the markup has; the script lists the others. */
export const FIRST_REQUESTS = 5;

export interface PackedData {
  /** Milliseconds since the epoch; other times count from it. */
  readonly start: number;
  readonly files: readonly string[];
  readonly projects: readonly string[];
  /** Playwright’s html report; null where there is none. */
  readonly playwrightReport: string | null;
  /** `pool/endpoint/key` */
  readonly members: readonly string[];
  readonly evidence: readonly string[];
  /** Pools, endpoints, keys and kinds of errors. */
  readonly names: readonly string[];
  readonly messages: readonly string[];
  readonly causes: readonly string[];
  /** Ids of the tests: apart from their rows they deflate better. */
  readonly ids: readonly string[];
  /** What each test waited, in milliseconds. */
  readonly waits: readonly number[];
  readonly tags: readonly string[];
  /** The tags of each test; apart from their rows, since few tests have some. */
  readonly testTags: readonly (readonly number[])[];
  readonly tests: readonly PackedTest[];
  /** Outcomes of a test over runs, one letter a run (`history/outcomes.ts`); of those that have earlier ones. */
  readonly outcomes: readonly string[];
  /** What the history says of a test: `new failure` */
  readonly changes: readonly string[];
  /** The branch that the run is compared with; null for all. */
  readonly branch: string | null;
  /** Messages of attempts, and the code around them. */
  readonly texts: readonly string[];
  readonly traces: readonly string[];
  readonly errors: readonly PackedError[];
}

export type PackedTest = readonly [
  title: string,
  file: number,
  line: number,
  project: number,
  outcome: number,
  /** -1: none. */
  verdict: number,
  /** Bits of TEST_MARKS. */
  marks: number,
  /** -1: none. */
  cause: number,
  results: readonly PackedResult[],
  /** -1: none. */
  outcomes: number,
  /** -1: none. */
  change: number,
];

export type PackedResult = readonly [
  retry: number,
  status: string,
  tookMs: number,
  verdict: number,
  evidence: readonly number[],
  /** -1: the run has one shard, or it is unknown. */
  shard: number,
  worker: number,
  leases: readonly PackedLease[],
  /** Seconds after the run's start. */
  began: number,
  /** Not run, since an earlier attempt was a product failure. */
  refused: 0 | 1,
  attempt: PackedAttempt,
];

/** What an attempt shows of itself: see pack-attempts.ts. */
export type PackedAttempt = readonly [
  errors: readonly PackedAttemptError[],
  /** -1: none. */
  trace: number,
];

export type PackedAttemptError = readonly [
  /** -1: not on the page. */
  message: number,
  /** -1: none. */
  snippet: number,
  /** -1: none. */
  file: number,
  line: number,
  column: number,
];

export type PackedLease = readonly [
  member: number,
  waitedMs: number,
  heldMs: number,
  requests: number,
  failures: number,
  /** 1: another key than the fixed lease's, for one call. Absent else: few are. */
  rerouted?: 1,
];

export type PackedError = readonly [
  after: number,
  pool: number,
  endpoint: number,
  key: number,
  kind: number,
  /** 0: no answer. */
  status: number,
  message: number,
  test: number,
];

/** What the timeline's script reads: buckets of `size` milliseconds each. */
export interface TimelineData {
  readonly start: number;
  readonly size: number;
  readonly requests: readonly number[];
  readonly failures: readonly number[];
  readonly avg: readonly (number | null)[];
}

/**
 * The requests of all attempts, apart from the other data: unpacked only when a reader asks for them. Each list from `at` on has one
 * entry a request, attempt by attempt, in the order of `attempts`.
 */
export interface PackedRequestLog {
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** `GET /orders`; only the method where the path is not known. */
  readonly calls: readonly string[];
  readonly members: readonly (readonly [pool: string, endpoint: string | null, key: string | null])[];
  readonly kinds: readonly string[];
  readonly attempts: readonly RequestSpan[];
  /** Milliseconds after the entry before; the first one after `start`. */
  readonly at: readonly number[];
  readonly call: readonly number[];
  readonly member: readonly number[];
  readonly kind: readonly number[];
  /** 0: no response. */
  readonly status: readonly number[];
  /** -1: no response. */
  readonly tookMs: readonly number[];
  readonly waitedMs: readonly number[];
  /** Position in RECOVERIES. */
  readonly recovered: readonly number[];
}

/** What followed on a request: nothing on one that is no fault. */
export const RECOVERIES: readonly (boolean | null)[] = [null, true, false];

/** An attempt with the number of its requests in the lists, and of those that are not there. */
export type RequestSpan = readonly [test: number, retry: number, requests: number, omitted: number];

/** All members of the pools, by the id of their table, in the order that the page begins with; `first`: rows of the markup. */
export type PackedMembers = Readonly<
  Record<string, { readonly rows: readonly MemberRow[]; readonly first: number }>
>;
