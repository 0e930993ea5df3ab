import type * as zod from 'zod';
import type { PoolStatus } from '../core/admin.ts';
import type { ProductFailure } from '../core/blame/test-retries.ts';
import type { DeadlockKind, KeyOut, Refusal } from '../core/state.ts';
import { PROBE_SUBJECTS, type ProbeResult } from '../core/health/probe-results.ts';
import { AUTH_SENT, LOCALITIES, type RequestOutcome, type RequestReport } from '../core/request-outcome.ts';
import {
  ACCOUNT_EVENTS,
  ADMIN_ACTIONS,
  type ConfigState,
  type DailyBudget,
  type EndpointSpec,
  type HealthSnapshot,
  type KeySpec,
  OUTCOME_KINDS,
  type PoolSpec,
  PROBE_MODES,
  PROTOCOLS,
  type Reservation,
  RESET_REASONS,
  type ResetReason,
  ROTATIONS,
  type RouterEstimate,
  ROUTINGS,
  type StrategyOutcome,
  type Transition,
} from '../core/types.ts';
import { LIMITS } from '../core/limits.ts';
import type {
  EndedCall,
  FailedAttempt,
  ForeignFault,
  MemberName,
  UnmetLease,
} from '../core/verdict/attempt.ts';
import type { Ruling } from '../core/verdict/judge.ts';
import type { ViewedRequest } from '../core/verdict/run-view.ts';
import { compileLater } from '../shared/compile-later.ts';
import { z } from '../shared/zod.ts';
import { failFastArray, objectOf, stringRecord } from './schema.ts';

const id = z.string().min(1).max(LIMITS.name);
const text = z.string().max(LIMITS.text);
/** What people wrote, such as a title, only to be shown: cut where it is long. */
const words = z.string().overwrite((written) => written.slice(0, LIMITS.text));
const path = z.string().min(1).max(LIMITS.path);
const need = stringRecord();
/** The endpoint that a lease must have, by name; absent: any. */
const onlyEndpoint = id.nullable().optional();
const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();
const ask = count;

const member = {
  id,
  name: id,
  weight: z.number().nonnegative(),
  maxConcurrent: z.number().int().positive().optional(),
  rpm: z.number().positive().optional(),
  enabled: z.boolean(),
};

const endpointSpec = objectOf<EndpointSpec>()({
  ...member,
  url: text,
  priority: z.number(),
  probe: z.enum(PROBE_MODES).optional(),
});

const keySpec = objectOf<KeySpec>()({
  ...member,
  fingerprint: text,
  labels: stringRecord(),
  quotaGroup: text,
  endpoints: failFastArray(id).optional(),
  tpm: z.number().positive().optional(),
  daily: objectOf<DailyBudget>()({
    calls: z.number().positive().optional(),
    tokens: z.number().positive().optional(),
    resetsAt: text,
  }).optional(),
});

const poolSpec = objectOf<PoolSpec>()({
  name: id,
  revision: id.optional(),
  endpoints: failFastArray(endpointSpec),
  keys: failFastArray(keySpec),
  protocol: z.enum(PROTOCOLS),
  rotation: z.enum(ROTATIONS),
  routing: z.enum(ROUTINGS),
  maxFailures: z.number().int().positive(),
  maxRetries: count,
  timeoutMs: milliseconds,
  acquireTimeoutMs: milliseconds,
  ejection: objectOf<PoolSpec['ejection']>()({ baseMs: milliseconds, maxMs: milliseconds }),
  retryBudget: z.number().nonnegative(),
});

const outcomeKind = z.enum(OUTCOME_KINDS);
const requestOutcome = objectOf<RequestOutcome>()({
  kind: outcomeKind,
  status: z.number().int().nullable(),
  durationMs: milliseconds.nullable(),
  retryAfterMs: milliseconds.nullable(),
  unsent: z.boolean(),
  code: text.optional(),
  local: z.enum(LOCALITIES).optional(),
  perModel: z.boolean().optional(),
  auth: z.enum(AUTH_SENT),
});

const requestReport = {
  call: id,
  request: z.number().int().positive(),
  signature: id.nullable(),
  route: count.nullable(),
  identity: count.nullable(),
  model: id.optional(),
  endpoint: id.nullable(),
  key: id.nullable(),
  outcome: requestOutcome,
} satisfies { readonly [K in keyof RequestReport]-?: zod.ZodType<RequestReport[K]> };

const memberName = { pool: text, endpoint: text.nullable(), key: text.nullable() };
const judged = {
  kind: outcomeKind,
  status: z.number().int().nullable(),
  unsent: z.boolean(),
  route: count.nullable(),
};
const endedCall = objectOf<EndedCall>()({
  ...memberName,
  ...judged,
  at: z.number(),
  method: words,
  identity: count.nullable(),
  afterError: z.boolean(),
  ofVendor: z.boolean(),
  model: text.optional(),
});
const foreignFault = objectOf<ForeignFault>()({
  ...judged,
  origin: words,
  at: z.number(),
  method: words,
  afterError: z.boolean(),
});
const failedAttempt = objectOf<Omit<FailedAttempt, 'crashed' | 'outOfService'>>()({
  timedOut: z.boolean(),
  requests: count,
  ended: failFastArray(endedCall),
  foreign: failFastArray(foreignFault),
  unmet: failFastArray(objectOf<UnmetLease>()({ pool: text, isMistake: z.boolean(), why: words })),
  ownMs: milliseconds,
  lostMs: milliseconds,
});
const viewedRequest = objectOf<ViewedRequest>()({
  ...judged,
  pool: text,
  endpoint: text.nullable(),
  identity: count.nullable(),
  at: z.number(),
});

const strategyOutcome = objectOf<StrategyOutcome>()({
  ok: z.boolean(),
  durationMs: milliseconds,
  kind: outcomeKind.nullable(),
});

const probeResult = {
  kind: outcomeKind,
  status: z.number().int().nullable(),
  retryAfterMs: milliseconds.nullable(),
  unsent: z.boolean(),
  code: text.optional(),
  by: z.enum(PROBE_SUBJECTS),
} satisfies { readonly [K in keyof ProbeResult]-?: zod.ZodType<ProbeResult[K]> };

const grant = { endpoint: id.nullable(), key: id.nullable() };
const running = { run: count, test: id, group: words.nullable(), retry: count };

/** What a client is. A reporter prints before workers do; a command prints nothing. */
const CLIENT_ROLES = ['reporter', 'worker', 'command'] as const;

/** A file that a client read, with what differs after each save of it. */
const readFile = z.object({ path, stamp: text });
/** The texts of a configuration: its file, and what that extends. */
const layers = failFastArray(z.object({ path, text: z.string() }), { min: 1 });

/** How a client follows the configuration's edits. */
const follows = z.object({
  role: z.enum(CLIENT_ROLES),
  /** The run that it belongs to: what is to be said is said once in each. */
  run: id,
  /** The revision that it has; null where it has none. */
  revision: id.nullable(),
  /** What it read for it besides the texts of the configuration. */
  files: failFastArray(readFile),
});

const message = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    client: id,
    pid: z.number().int(),
    /** All names of its project, the one that it connected by among them. */
    projects: failFastArray(path, { min: 1, max: 2 }),
    /** Which store its configuration names, as a hash. */
    store: id,
    /** Its process is seen to live from the welcome on: what it holds outlives a connection. */
    isPresent: z.boolean(),
    pools: failFastArray(poolSpec),
    follows: follows.optional(),
    /** It can send probes: it has the secrets that they take. */
    probes: z.boolean().optional(),
    /** Leases of this link that a broker before this one granted. */
    held: failFastArray(
      z.object({
        lease: id,
        pool: id,
        need,
        onlyEndpoint,
        holder: words,
        testId: text.nullable(),
        resets: z.boolean().optional(),
        forCall: z.boolean().optional(),
        ...grant,
      }),
    ),
  }),
  z.object({
    type: z.literal('acquire'),
    ask,
    lease: id,
    pool: id,
    need,
    onlyEndpoint,
    holder: words,
    testId: text.nullable(),
    timeoutMs: milliseconds,
    exclude: failFastArray(id),
    prefer: failFastArray(id).optional(),
    isFirst: z.boolean().optional(),
    /** Its test can give back what it holds, and take all of it anew: nobody has seen or used that yet. */
    canYield: z.boolean().optional(),
    /** It resets a dirty account before it uses it. */
    resets: z.boolean().optional(),
    /** It is another key for one call of a lease that its client has at that endpoint. */
    forCall: z.boolean().optional(),
    /** It was asked before, of a broker or over a connection that was lost: so long ago. */
    waitedMs: milliseconds.optional(),
  }),
  /** The pools of a revision, as this link's environment has them, and what cannot be had there. */
  z.object({
    type: z.literal('pools'),
    revision: id,
    pools: failFastArray(poolSpec),
    problems: failFastArray(z.string().max(10_000)),
    files: failFastArray(readFile),
  }),
  /** The texts of the revision that it has, for a broker that has none. */
  z.object({ type: z.literal('offer'), revision: id, layers }),
  z.object({
    type: z.literal('permit'),
    ask,
    lease: id,
    movable: z.boolean(),
    /** What the call is for, where limits are per model and the lease named none. */
    model: id.optional(),
    mostMs: milliseconds.optional(),
    /** What it is expected to use of its key's budget; `spent` settles that. */
    spending: z.object({ id: text, tokens: z.number().nonnegative() }).optional(),
    /** Another key may serve it: where its own is out of service, the answer is `stay` with `keyOut`. */
    reroutable: z.boolean().optional(),
  }),
  /** What a request used of its key's budget; null: as much as was expected. */
  z.object({ type: z.literal('spent'), lease: id, id: text, tokens: z.number().nonnegative().nullable() }),
  z.object({
    type: z.literal('move'),
    ask,
    lease: id,
    from: z.object(grant),
    exclude: failFastArray(id),
    kind: outcomeKind,
    unsent: z.boolean(),
    /** The longest wait for another member; absent: as long as for a lease. */
    mostMs: milliseconds.optional(),
  }),
  z.object({ type: z.literal('retry'), ask, lease: id }),
  /** Asks whether the lease is still this client's: the time that the last proof of it gave is over. */
  z.object({ type: z.literal('prove'), ask, lease: id }),
  z.object({ type: z.literal('request'), lease: id, ...requestReport }),
  z.object({
    type: z.literal('release'),
    lease: id,
    failed: z.boolean(),
    /** How the account was left, where it has to be reset before its next use. */
    dirty: z.enum(RESET_REASONS).optional(),
  }),
  /** What became of the lease's account. */
  z.object({
    type: z.literal('account'),
    ask,
    lease: id,
    event: z.enum(ACCOUNT_EVENTS),
    why: text,
  }),
  /** Asks for a time step of one-time codes, for this client alone: the first free one from `first` to `last`. */
  z.object({
    type: z.literal('time-step'),
    ask,
    /** A hash of the secret. */
    secret: id,
    first: count,
    last: count,
  }),
  z.object({ type: z.literal('probed'), pool: id, probe: id, ...probeResult }),
  z.object({
    type: z.literal('pick'),
    ask,
    round: id,
    task: id,
    candidates: failFastArray(id, { min: 1, max: 1_000 }),
    attempt: z.number().int().positive(),
    seed: z.object({ value: text, run: id, worker: count, choice: count }).nullable(),
  }),
  /** What a picked strategy came to; null: it says nothing of the strategy. */
  z.object({
    type: z.literal('record'),
    round: id,
    outcome: strategyOutcome.nullable(),
  }),
  z.object({ type: z.literal('status'), ask }),
  /** Asks for a lock over all clients of the broker, which ends by `unlock` or with the client. */
  z.object({ type: z.literal('lock'), ask, lock: id, topic: text, timeoutMs: milliseconds }),
  /** Gives a lock back, or the wait for it up. */
  z.object({ type: z.literal('unlock'), lock: id }),
  /** Asks whether the broker answers at all. */
  z.object({ type: z.literal('ping') }),
  /** An attempt of a test failed; `product` where the product is to blame. */
  z.object({
    type: z.literal('test-failed'),
    ask,
    ...running,
    product: z.object({ title: words, retry: count, evidence: failFastArray(words) }).nullable(),
  }),
  /** Asks whose failure an attempt is; `evidence` is what was asked once more for that. */
  z.object({
    type: z.literal('judge'),
    ask,
    attempt: failedAttempt,
    evidence: failFastArray(viewedRequest),
  }),
  /** An attempt passed although these calls of it ended so. */
  z.object({
    type: z.literal('attempt-passed'),
    ended: failFastArray(z.object({ pool: text, ...judged })),
    foreign: failFastArray(z.object({ origin: words, ...judged })),
  }),
  /** Asks whether an earlier product failure makes this attempt pointless. */
  z.object({ type: z.literal('test-retry'), ask, ...running }),
  /** Asks whether it is the first of its run to print something that is printed once in a run. */
  z.object({ type: z.literal('first-notice'), ask, run: count, topic: text }),
  z.object({
    type: z.literal('admin'),
    ask,
    action: z.enum(ADMIN_ACTIONS),
    pool: id,
    name: id,
    /** Of `reserve`, which needs it. */
    reservation: objectOf<Reservation>()({
      forMs: z.number().positive().max(LIMITS.durationMs),
      reason: z.string().min(1).max(LIMITS.reason),
    }).optional(),
  }),
]);

const readers = new Map(
  message.options.map((option) => [option.shape.type.value, compileLater<ClientMessage>(option)]),
);

/**
 * What a link says to the broker: one JSON object a line. `ask` numbers a question; its answer carries it back. Schemas are
 * compiled when many messages of their type come: reading three a lease was a third of what it costs.
 */
export function readClientMessage(value: unknown): zod.ZodSafeParseResult<ClientMessage> {
  const reader = readers.get(
    (value as { type?: ClientMessage['type'] } | null)?.type as ClientMessage['type'],
  );
  return (reader ?? message).safeParse(value);
}

export type ClientMessage = zod.infer<typeof message>;

/** What is believed of a strategy that has run before. */
export interface StrategyEstimate {
  readonly name: string;
  readonly successRate: number;
  readonly avgMs: number;
}

/** The member of a lease, by identity and name. */
export interface WireGrant {
  readonly endpoint: { readonly id: string; readonly name: string } | null;
  readonly key: { readonly id: string; readonly name: string } | null;
  /** The revision of the configuration that it comes by. */
  readonly revision?: string | undefined;
  /** Its account has to be reset before it is used, for that reason; absent: it is clean. */
  readonly dirty?: ResetReason | undefined;
  /** Its calls may go without asking for a permit, until `fast-path-ended` says otherwise. */
  readonly fastPath: boolean;
  /** Until when no other machine can have it, on the machine's monotonic clock; absent: machines do not share it. */
  readonly provedUntil?: number | undefined;
}

export type Answer =
  | { readonly is: 'granted'; readonly grant: WireGrant; readonly waitedMs: number }
  | {
      readonly is: 'permit';
      readonly grant: WireGrant;
      readonly delayMs: number;
      /** When the call goes by its member's pace, on the machine's monotonic clock; absent where it has none. */
      readonly dueAt?: number | undefined;
    }
  /** `gone`: no member of the pool can serve now, for these reasons. */
  | {
      readonly is: 'stay';
      readonly why: string;
      readonly gone?: readonly Refusal[] | undefined;
      /** The key of a call that another one may serve is out of service. */
      readonly keyOut?: KeyOut | undefined;
    }
  /** Another may hold its member: nothing may use the lease any more. */
  | { readonly is: 'lost'; readonly why: string }
  | { readonly is: 'proved'; readonly provedUntil: number | null }
  /** The question is none that a broker understands. */
  | { readonly is: 'invalid'; readonly why: string }
  | { readonly is: 'retry'; readonly allowed: boolean }
  | { readonly is: 'picked'; readonly name: string; readonly strategyEstimates: readonly StrategyEstimate[] }
  | {
      readonly is: 'status';
      /** With what other machines hold, where some share the store. */
      readonly pools: readonly PoolStatus[];
      /** The name of this machine. */
      readonly machine: string;
      /** Why what the others hold is not known; null where it is. */
      readonly notice: string | null;
    }
  /** Whether the pool has a member of that name. */
  | { readonly is: 'administered'; readonly known: boolean }
  | { readonly is: 'noted' }
  | { readonly is: 'locked' }
  /** Null: all that were asked for are given; `why`: the store that machines share gave no answer. */
  | { readonly is: 'time-step'; readonly step: number | null; readonly why?: string | undefined }
  | { readonly is: 'judged'; readonly finding: Ruling; readonly outOfService: readonly MemberName[] }
  | { readonly is: 'test-retry'; readonly endedBy: ProductFailure | null }
  | { readonly is: 'first-notice'; readonly isFirst: boolean }
  | {
      readonly is: 'refused';
      readonly timedOut: boolean;
      readonly deadlock: DeadlockKind | null;
      readonly waitedMs: number;
      readonly reasons: readonly Refusal[];
    };

/** The configuration in force; its texts where the client has another revision. */
export interface ConfigUpdate {
  readonly state: ConfigState;
  readonly layers?: readonly { readonly path: string; readonly text: string }[] | undefined;
}

/** A probe of an endpoint with a key, by identity and name; without a key where the pool has none that works there. */
export interface ProbeRequest {
  readonly pool: string;
  readonly probe: string;
  readonly endpoint: { readonly id: string; readonly name: string };
  readonly key: { readonly id: string; readonly name: string } | null;
}

/** What the broker says to a link. */
export type BrokerMessage =
  | {
      readonly type: 'welcome';
      readonly broker: string;
      readonly healthSnapshots: readonly HealthSnapshot[];
      /** Null where this broker has no configuration yet: a link that has one offers it. */
      readonly config: ConfigUpdate | null;
      /** Others of the same run are or were here. */
      readonly isKnownRun: boolean;
      /** What is to be put right about the shared store. */
      readonly notices: readonly string[];
    }
  | { readonly type: 'config'; readonly config: ConfigUpdate }
  /** This link is to say it, for its run. */
  | { readonly type: 'say'; readonly about: ConfigState; readonly problems: readonly string[] }
  | {
      readonly type: 'rejected';
      readonly code: 'version' | 'message' | 'store' | 'other-store';
      readonly why: string;
    }
  | { readonly type: 'pong' }
  | { readonly type: 'answer'; readonly ask: number; readonly answer: Answer }
  | { readonly type: 'fast-path-ended'; readonly lease: string }
  /** To be sent by this link; answered with `probed`. */
  | ({ readonly type: 'probe' } & ProbeRequest)
  /** The lease has another member: its next calls go there. */
  | { readonly type: 'moved'; readonly lease: string; readonly grant: WireGrant }
  /** Another may hold the lease's member: nothing may use it any more. */
  | { readonly type: 'lost'; readonly lease: string; readonly why: string }
  /** No other machine can have these leases before that time, on the machine's monotonic clock. */
  | { readonly type: 'proved'; readonly leases: readonly string[]; readonly until: number }
  /** What the router believes of the members that it chooses among. */
  | { readonly type: 'router-estimates'; readonly routerEstimates: readonly RouterEstimate[] }
  | { readonly type: 'transition'; readonly transition: Transition };
