import type { Gate, RouterEstimate, OutcomeKind, HealthSnapshot, Transition } from '../../core/types.ts';
import type { AttemptRequest } from '../../core/verdict/attempt.ts';
import type { Judgement } from '../../core/blame/verdict.ts';
import type { ResultStatus, TestOutcome } from '../report/model.ts';
import { Pulse } from './timeline.ts';
import { Replicas } from './replicas.ts';
import { SeenStates } from './config-states.ts';
import { type PoolTally, type StrategyTally, Tally } from './tally.ts';

/** A run as far as it has been seen: counts instead of the records that they come from. */
export interface Collected {
  readonly tests: Map<string, SeenTest>;
  readonly all: Tally;
  calls: number;
  requestsOmitted: number;
  /** Requests of passed first attempts that are kept, to be shown. */
  requestsKept: number;
  waitedMs: number;
  readonly pools: Map<string, PoolTally>;
  readonly strategies: Map<string, StrategyTally>;
  readonly errors: SeenError[];
  errorsCut: number;
  readonly transitions: Map<string, Transition>;
  /** Of each shard the standings that were told last. */
  readonly healthSnapshots: Map<string, { at: number; healthSnapshots: readonly HealthSnapshot[] }>;
  /** Pools that others stood in for, by both names and the reason, with the tests that met it. */
  readonly fallbacks: Map<string, StandIn>;
  /** What the router believed last of each member. */
  readonly routerEstimates: Map<string, RouterEstimate>;
  readonly pulse: Pulse;
  readonly replicas: Replicas;
  /** Leases that live longer than one test, by id, and each of their holdings. */
  readonly workerLeases: Set<string>;
  revision: { at: number; value: string } | null;
  /** Each revision with the start of the first result that had it. */
  readonly revisions: Map<string, number>;
  readonly configErrors: Set<string>;
  readonly configStates: SeenStates;
  gate: Gate | null;
  readonly shards: { total: number; readonly present: Set<number> };
  readonly badRecords: { count: number; first: string };
}

export interface SeenTest {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly project: string;
  status: TestOutcome;
  readonly results: SeenResult[];
}

export interface SeenResult {
  readonly retry: number;
  readonly status: ResultStatus;
  /** It ended otherwise than the test expects. */
  readonly failed: boolean;
  readonly crashed: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  shard: number | null;
  worker: number | null;
  readonly leases: SeenHolding[];
  readonly faults: SeenRequest[];
  /** All of a failed attempt and of a retry; of others while the run has room for them. */
  readonly requests: SeenRequest[];
  /** Those that are not in `requests`. */
  requestsOmitted: number;
  degraded: boolean;
  pinned: boolean;
  /** Not run: an earlier attempt failed by the product. */
  refused: boolean;
  /** It asked for a lease in vain. */
  unleased: boolean;
  /** What the worker itself made of it. */
  told: Judgement | null;
}

/** One request of an attempt. */
export interface SeenRequest extends AttemptRequest {
  readonly path: string;
  readonly waitedMs: number;
  /** Null for what is no fault; else whether a later success made up for it. */
  recovered: boolean | null;
}

interface StandIn {
  readonly pool: string;
  readonly fallbackPool: string;
  readonly why: string;
  readonly tests: Set<string>;
}

export interface SeenHolding {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  waitedMs: number;
  heldMs: number;
  requests: number;
  failures: number;
}

export interface SeenError {
  readonly at: number;
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly message: string;
  readonly testId: string;
}

export function emptyCollected(): Collected {
  return {
    tests: new Map(),
    all: new Tally(),
    calls: 0,
    requestsOmitted: 0,
    requestsKept: 0,
    waitedMs: 0,
    pools: new Map(),
    strategies: new Map(),
    errors: [],
    errorsCut: 0,
    transitions: new Map(),
    healthSnapshots: new Map(),
    fallbacks: new Map(),
    routerEstimates: new Map(),
    pulse: new Pulse(),
    replicas: new Replicas(),
    workerLeases: new Set(),
    revision: null,
    revisions: new Map(),
    configErrors: new Set(),
    configStates: new SeenStates(),
    gate: null,
    shards: { total: 1, present: new Set() },
    badRecords: { count: 0, first: '' },
  };
}
