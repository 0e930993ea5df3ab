import type {
  FullConfig,
  FullResult,
  Suite,
  TestCase,
  TestError,
  TestResult,
} from '@playwright/test/reporter';
import { OUTCOME_KINDS, type OutcomeKind } from '../../../src/core/types.ts';
import { aggregate, type RunFacts } from '../../../src/reporter/report/aggregate.ts';
import { collectResult, collectTests, type RecordOrigin } from '../../../src/reporter/collect/collect.ts';
import { type RunState, emptyRunState } from '../../../src/reporter/collect/run-state.ts';
import type { Report } from '../../../src/reporter/report/model.ts';
import { openSeal, sealed } from '../../../src/shared/seal.ts';
import { type GembaRecord, RECORD_CONTENT_TYPE, RECORD_NAME } from '../../../src/shared/record.ts';

/** 2026-11-23 02:00:00 UTC */
export const START: number = Date.UTC(2026, 10, 23, 2);

type Status = TestResult['status'];

export interface FakeResult {
  readonly status?: Status;
  readonly durationMs?: number;
  readonly records?: readonly GembaRecord[];
  readonly error?: string;
  readonly errors?: readonly TestError[];
  readonly trace?: string;
  readonly worker?: number;
}

export interface FakeTest {
  readonly title: string;
  readonly id?: string;
  readonly file?: string;
  readonly line?: number;
  readonly project?: string;
  readonly describe?: string;
  readonly tags?: readonly string[];
  readonly expectedStatus?: Status;
  readonly results: readonly FakeResult[];
}

export type FakeAttempt = readonly [
  afterMs: number,
  kind: OutcomeKind,
  status?: number,
  durationMs?: number,
  call?: number,
  /** Index into the record's `targets`. */
  target?: number,
];

let leaseNumber = 0;

export function record(parts: Partial<GembaRecord> = {}): GembaRecord {
  return {
    v: 1,
    // Filled in with the result that it is put into.
    test: 'unknown',
    retry: 0,
    startedAt: START,
    worker: 0,
    shard: null,
    revision: 'r1',
    configErrors: [],
    gate: null,
    leases: [],
    calls: 0,
    requests: [],
    requestsOmitted: 0,
    errors: [],
    strategies: [],
    transitions: [],
    pinned: null,
    degraded: false,
    verdict: null,
    ...parts,
  };
}

/** A record of one test that held `member` (`pool/endpoint/key`, `-` for none) and made these attempts. */
export function leased(
  member: string,
  requests: readonly FakeAttempt[],
  parts: Partial<GembaRecord> = {},
): GembaRecord {
  const lease = holding(member);
  const tuples = requests.map(([after, kind, status, durationMs, call, target], index) =>
    tuple(after, kind, status, durationMs, call ?? index, target),
  );
  const calls = new Set(tuples.map((request) => request[5])).size;
  return record({ leases: [lease], requests: tuples, calls, ...parts });
}

export function holding(
  member: string,
  parts: Partial<GembaRecord['leases'][number]> = {},
): GembaRecord['leases'][number] {
  const [pool = '', endpoint = '-', key = '-'] = member.split('/');
  const name = (text: string): string | null => (text === '-' ? null : text);
  return {
    id: `lease-${++leaseNumber}`,
    pool,
    endpoint: name(endpoint),
    key: name(key),
    scope: 'test',
    waitedMs: 0,
    heldMs: 1000,
    ...parts,
  };
}

function tuple(
  after: number,
  kind: OutcomeKind,
  status = kind === 'ok' ? 200 : 0,
  durationMs = status === 0 ? -1 : 40,
  call = 0,
  target = -1,
): GembaRecord['requests'][number] {
  return [after, 0, OUTCOME_KINDS.indexOf(kind), status, durationMs, call, 0, target];
}

export function attachment(content: unknown): TestResult['attachments'][number] {
  const text = typeof content === 'string' ? content : sealed(JSON.stringify(content), openSeal(process.env));
  return { name: RECORD_NAME, contentType: RECORD_CONTENT_TYPE, body: Buffer.from(text) };
}

/** A Playwright test as reporters see it, reduced to what this reporter reads. */
export function testCase(fake: FakeTest): TestCase {
  const { title, file = 'orders.spec.ts', line = 3, project = 'api', expectedStatus = 'passed' } = fake;
  const id = fake.id ?? `${project}/${file}:${line}/${title}`;
  const results = fake.results.map((result, retry) => testResult(result, id, retry));
  const counted = results.filter(({ status }) => status !== 'skipped' && status !== 'interrupted');
  const good = counted.filter(({ status }) => status === expectedStatus).length;
  const outcome =
    counted.length === 0
      ? 'skipped'
      : good === counted.length
        ? 'expected'
        : good > 0
          ? 'flaky'
          : 'unexpected';
  const path = ['', project, file, ...(fake.describe ? [fake.describe] : []), title];
  const location = { file: `/repo/tests/${file}`, line, column: 1 };
  const shape = {
    id,
    title,
    tags: fake.tags ?? [],
    expectedStatus,
    location,
    results,
    retries: 0,
    outcome: () => outcome,
    titlePath: () => path,
  };
  return shape as unknown as TestCase;
}

function testResult(fake: FakeResult, test: string, retry: number): TestResult {
  const errors = fake.errors ?? (fake.error === undefined ? [] : [{ message: fake.error }]);
  const trace = { name: 'trace', contentType: 'application/zip', path: fake.trace };
  const records = (fake.records ?? []).map((each) => attachment({ ...each, test, retry }));
  const shape = {
    retry,
    status: fake.status ?? 'passed',
    duration: fake.durationMs ?? 1000,
    startTime: new Date(fake.records?.[0]?.startedAt ?? START),
    workerIndex: fake.worker ?? 0,
    parallelIndex: fake.worker ?? 0,
    errors,
    attachments: [...records, ...(fake.trace === undefined ? [] : [trace])],
  };
  return shape as unknown as TestResult;
}

export const ORIGIN: RecordOrigin = {
  rootDir: '/repo/tests',
  shard: 1,
  merging: false,
  judgeRecord: () => null,
  redact: (text) => text,
  linkTo: (file) => file,
};

export const RUN: RunFacts = {
  status: 'passed',
  startedAt: START,
  durationMs: 60_000,
  playwright: '1.65.1',
  version: '0.1.0',
  shard: null,
};

export function collect(
  fakes: readonly FakeTest[],
  origin: RecordOrigin = ORIGIN,
): { runState: RunState; cases: TestCase[] } {
  const runState = emptyRunState();
  const cases = fakes.map(testCase);
  for (const test of cases) for (const result of test.results) collectResult(runState, test, result, origin);
  return { runState, cases };
}

export function reportOf(
  fakes: readonly FakeTest[],
  run: Partial<RunFacts> = {},
  origin: RecordOrigin = ORIGIN,
): Report {
  const { runState, cases } = collect(fakes, origin);
  return aggregate(runState, collectTests(runState, cases, origin), { ...RUN, ...run });
}

export function fakeSuite(cases: readonly TestCase[]): Suite {
  return { allTests: () => [...cases] } as unknown as Suite;
}

export function fakeConfig(parts: Partial<FullConfig> = {}): FullConfig {
  return {
    version: '1.65.1',
    rootDir: '/repo/tests',
    shard: null,
    projects: [],
    reporter: [],
    ...parts,
  } as FullConfig;
}

export function fullResult(parts: Partial<FullResult> = {}): FullResult {
  return { status: 'passed', startTime: new Date(START), duration: 60_000, ...parts };
}
