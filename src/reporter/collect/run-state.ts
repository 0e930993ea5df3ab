import type { Gate, RouterEstimate, OutcomeKind, HealthSnapshot, Transition } from '../../core/types.ts';
import type { Pin } from '../../shared/pin.ts';
import type { GembaRecord } from '../../shared/record.ts';
import type { AttemptRequest, MemberName, UnmetLease } from '../../core/verdict/attempt.ts';
import type { AskedOnceMore, Judgement, NamedAttempt } from '../../core/verdict/describe.ts';
import { RunView } from '../../core/verdict/run-view.ts';
import type { AttemptError } from './attempt-errors.ts';
import type { ReportForeignRecord, ResultStatus, TestOutcome } from '../report/model.ts';
import { TimelineCounts } from './timeline-counts.ts';
import { ConfigStates } from './config-states.ts';
import { type PoolCounts, type StrategyCounts, OutcomeCounts } from './counts.ts';

/** That a token was minted for a key. */
type SeenToken = NonNullable<GembaRecord['mintedTokens']>[number];

/** The run so far: counts, not the records that they come from. */
export interface RunState {
  readonly tests: Map<string, CollectedTest>;
  readonly all: OutcomeCounts;
  calls: number;
  requestsOmitted: number;
  /** Requests of passed first attempts that are kept, to be shown. */
  requestsKept: number;
  readonly waited: Waited;
  readonly pools: Map<string, PoolCounts>;
  readonly strategies: Map<string, StrategyCounts>;
  readonly errors: CollectedError[];
  errorsCut: number;
  readonly transitions: Map<string, Transition>;
  /** Each shard's last reported health. */
  readonly healthSnapshots: Map<string, { at: number; healthSnapshots: readonly HealthSnapshot[] }>;
  /** Fallbacks by both pools and the reason, with the tests that used them. */
  readonly fallbacks: Map<string, FallbackUse>;
  /** The router's last estimate of each member. */
  readonly routerEstimates: Map<string, RouterEstimate>;
  /** Tokens that were minted, each once. */
  readonly mintedTokens: Map<string, SeenToken>;
  readonly timeline: TimelineCounts;
  /** What the run has seen of each route. */
  readonly view: RunView;
  /** Leases that several tests use, by id, and each of their members. */
  readonly workerLeases: Set<string>;
  revision: { at: number; value: string } | null;
  /** Each revision with the start of the first result that had it. */
  readonly revisions: Map<string, number>;
  readonly configErrors: Set<string>;
  readonly brokerErrors: Set<string>;
  readonly configStates: ConfigStates;
  gate: Gate | null;
  readonly shards: { total: number; readonly present: Set<number> };
  /** Members that records have listed, as `key api/ci-1`. */
  readonly members: Set<string>;
  /** Records that no worker of the run wrote. */
  readonly foreign: { count: number; readonly list: ReportForeignRecord[] };
}

export interface CollectedTest {
  readonly id: string;
  title: string;
  readonly file: string;
  readonly line: number;
  readonly project: string;
  status: TestOutcome;
  readonly tags: readonly string[];
  readonly results: CollectedResult[];
}

export interface CollectedResult {
  readonly retry: number;
  readonly status: ResultStatus;
  /** Its status is not the one that the test expects. */
  readonly failed: boolean;
  readonly crashed: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  shard: number | null;
  worker: number | null;
  /** Of a failed attempt. */
  readonly errors: readonly AttemptError[];
  /** The link to its trace. */
  readonly trace: string | null;
  readonly waited: Waited;
  readonly leases: CollectedLease[];
  /** All of a failed attempt and of a retry; of others while the run has room for them. */
  readonly requests: SeenRequest[];
  /** Those that are not in `requests`. */
  requestsOmitted: number;
  degraded: boolean;
  /** The target that the test named; null where it named none. */
  pinned: Pin | null;
  /** Not run: an earlier attempt was a product failure. */
  refused: boolean;
  /** Leases that it asked for and did not get. */
  readonly unmet: UnmetLease[];
  readonly foreign: NamedAttempt['foreign'][number][];
  /** Members that refusals had put out of service as it ended. */
  readonly outOfService: MemberName[];
  /** Waits of ours: those that extended its timeout, and those that its own time paid for. */
  extendedMs: number;
  unextendedMs: number;
  /** Calls that were made once more, elsewhere, after it had failed. */
  readonly evidence: AskedOnceMore[];
  /** The verdict of the worker, which saw this attempt alone. */
  workerVerdict: Judgement | null;
}

/** One request of an attempt. */
export interface SeenRequest extends AttemptRequest {
  readonly path: string;
  readonly operation?: string | undefined;
  readonly waitedMs: number;
  /** Null for what is no fault; else whether a later success made up for it. */
  recovered: boolean | null;
}

/** Time that tests waited, by reason. */
export interface Waited {
  leasesMs: number;
  /** For a permit, and as long as a server asked. */
  rateLimitsMs: number;
  /** Between the requests of a call. */
  retriesMs: number;
}

export function noWaits(): Waited {
  return { leasesMs: 0, rateLimitsMs: 0, retriesMs: 0 };
}

interface FallbackUse {
  readonly pool: string;
  readonly fallbackPool: string;
  readonly why: string;
  readonly tests: Set<string>;
}

export interface CollectedLease {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  waitedMs: number;
  heldMs: number;
  requests: number;
  failures: number;
  /** Its pool speaks a vendor's protocol. */
  readonly ofVendor: boolean;
  /** It was another key than the fixed lease's, for one call. */
  readonly rerouted: boolean;
}

export interface CollectedError {
  readonly at: number;
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly message: string;
  readonly testId: string;
}

export function emptyRunState(): RunState {
  return {
    tests: new Map(),
    all: new OutcomeCounts(),
    calls: 0,
    requestsOmitted: 0,
    requestsKept: 0,
    waited: noWaits(),
    pools: new Map(),
    strategies: new Map(),
    errors: [],
    errorsCut: 0,
    transitions: new Map(),
    healthSnapshots: new Map(),
    fallbacks: new Map(),
    routerEstimates: new Map(),
    mintedTokens: new Map(),
    timeline: new TimelineCounts(),
    view: new RunView(),
    workerLeases: new Set(),
    revision: null,
    revisions: new Map(),
    configErrors: new Set(),
    brokerErrors: new Set(),
    configStates: new ConfigStates(),
    gate: null,
    shards: { total: 1, present: new Set() },
    members: new Set(),
    foreign: { count: 0, list: [] },
  };
}
