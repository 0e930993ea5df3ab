import { newRecentOutcomes, type RecentOutcomes } from './blame/comparison.ts';
import type { CorrelatedFailures } from './blame/correlation.ts';
import type { Random } from './clock.ts';
import type { ProbeState } from './health/probe-state.ts';
import type { Health } from './health/states.ts';
import type { LearnedPace } from './pace/learned-pace.ts';
import type { Budget } from './pace/budget.ts';
import type { Pace } from './pace/pace.ts';
import type { RetryBudget } from './pace/retry-budget.ts';
import type {
  BudgetSpec,
  EndpointSpec,
  KeySpec,
  MemberKind,
  Need,
  Observation,
  PoolSpec,
  ResetReason,
  Rotation,
  RouterHandle,
  Routing,
  Transition,
} from './types.ts';

/*
 * The state of a pool, and what its decisions ask for. Decisions are deterministic: they do no I/O, and time and chance
 * are parameters. They change the pool's state in place and return effects, which the broker carries out.
 */

/** What the broker knows of one endpoint or key. Mutable, owned by its pool's state. */
export interface MemberState {
  readonly kind: MemberKind;
  readonly id: string;
  /** As the last specification has it: an edit may rename it. */
  name: string;
  health: Health;
  /** Leases that hold it. */
  inUse: number;
  /** Its place among those that take turns: grows by 1 / weight with each lease. */
  pass: number;
  /** It is new or back: its next turn comes level with those that it is picked among. */
  joins: boolean;
  /** Soft faults since its last success, with what they were about. */
  faults: { readonly about: string; readonly at: number }[];
  ejections: number;
  ejectedAt: number;
  /** It had a success in this broker's life; until then one attempt at a time finds out. */
  proven: boolean;
  /** When it was last answered other than by a 429. */
  lastServedAt: number;
  /** When this machine last found no way to it. */
  unreachableAt: number;
  /** Refusals (401, 403) since its last success, and those that another key was not given. */
  refusals: number;
  proofs: Set<string>;
  /** The lease whose attempt finds out whether an unproven member works. */
  trial: { readonly lease: string; readonly since: number } | null;
  /** An account that was left as no other test may find it; null: it is clean. */
  dirty: Dirty | null;
  /** The lease that resets it now. */
  cleaning: string | null;
  /** Failed sign-ins, or a failed reset, that it is out of service for. */
  accountFault: AccountFault | null;
  /** Until when another machine is known to hold it; 0: not known. */
  elsewhereUntil: number;
  /** Calls before that are not known. */
  readonly callsKnownFrom: number;
  /** Rates and pauses, per model. */
  readonly modelLimits: Map<string, ModelLimits>;
  routerHandle: RouterHandle;
  /** What probes found out about it. */
  probeState: ProbeState;
}

/** What an account has to be reset for. */
export interface Dirty {
  readonly why: ResetReason;
  /** The lease that left it so. */
  readonly lease: string;
}

interface AccountFault {
  /** Failed sign-ins since the last one that succeeded. */
  readonly failures: number;
  readonly why: string;
  /** Id of the endpoint where it came. */
  readonly endpoint: string | null;
}

export interface LeaseState {
  readonly id: string;
  readonly client: string;
  /** What it got its member by. */
  spec: PoolSpec;
  /** What its next member comes by: the latest that its link has told. */
  latest: PoolSpec;
  /** What it asked for; its `model` follows its calls, where they say which. */
  need: Need;
  /** The endpoint that it must have, by name; null: any. */
  readonly onlyEndpoint: string | null;
  readonly holder: string;
  readonly testId: string | null;
  resolved: ResolvedPool;
  /** Subjects that it holds; both null while it waits for another member. */
  endpoint: MemberState | null;
  key: MemberState | null;
  /** Its calls may go without asking for a turn. */
  fastPath: boolean;
  /** Its holder resets dirty accounts, so one that it leaves by a crash is dirty. */
  resets: boolean;
  /** It is another key for one call of a lease that its client has at that endpoint, whose place there serves both. */
  readonly forCall: boolean;
  /** Its claim in the shared store; `none` without one. */
  claim: 'none' | 'pending' | 'held';
  /** Until when no other machine can have it, by its claim; on the machine's monotonic clock. */
  provedUntil?: number | undefined;
  grantedAt: number;
}

/** A request of a link that waits for its answer. */
export interface ReplyTo {
  readonly client: string;
  readonly ask: number;
}

export interface LeaseWaiter {
  readonly replyTo: ReplyTo[];
  /** The lease that it waits for. */
  readonly id: string;
  readonly client: string;
  spec: PoolSpec;
  readonly need: Need;
  /** The endpoint that it must have, by name; null: any. */
  readonly onlyEndpoint: string | null;
  readonly holder: string;
  readonly testId: string | null;
  readonly since: number;
  /** Its place among all that ever waited; 0: not in the queue yet. */
  position: number;
  /** It lost its member and goes before those that never had one. */
  readonly moving: boolean;
  /** Its link has no such lease yet. */
  readonly isNew: boolean;
  /** Its test can give back what it holds, and ask for all of it anew. */
  readonly canYield: boolean;
  /** It resets a dirty account; others take one only where no clean one is free. */
  readonly resets: boolean;
  /** It wants another key for one call of a lease that its client has at that endpoint. */
  readonly forCall: boolean;
  readonly deadline: number;
  /** Subjects that will not do: the ones a call just failed at. */
  readonly exclude: ReadonlySet<string>;
  /** Subjects to keep where possible, when a lease moves. */
  readonly prefer: ReadonlySet<string>;
  /** Members that this test failed on before: avoided until `avoidUntil`. */
  readonly avoid: ReadonlySet<string>;
  readonly avoidUntil: number;
}

export interface PermitWaiter extends ReplyTo {
  readonly lease: string;
  readonly movable: boolean;
  /** The model that the call is for; absent: as the lease has it. */
  readonly model?: string | undefined;
  readonly since: number;
  /** Rather than wait longer than this, the call is sent without the wait: its caller would not wait for it. */
  readonly mostMs?: number | undefined;
  /** What it is expected to use of its key's budget. */
  readonly spending?: { readonly id: string; readonly tokens: number } | undefined;
  /** Another key may serve the call: it wants to hear where its own is out of service, rather than to wait. */
  readonly reroutable?: boolean | undefined;
  /** When its key's budget is looked at again; absent: it is not waited for. */
  budgetAt?: number | undefined;
  /** When its reserved turn comes; null: not reserved yet. */
  dueAt: number | null;
}

/** All that the broker knows of one pool. */
export interface PoolState {
  readonly name: string;
  /** The revision of the configuration in force: nothing is granted by another. Null where none is followed. */
  revision: string | null;
  readonly members: Map<string, MemberState>;
  readonly leases: Map<string, LeaseState>;
  queue: LeaseWaiter[];
  /** The highest place in the queue that was given. */
  lastPosition: number;
  permitQueue: PermitWaiter[];
  readonly recentOutcomes: RecentOutcomes;
  readonly correlated: CorrelatedFailures;
  readonly budget: RetryBudget;
  /** What was used of the quotas of keys, by group of keys and model. */
  readonly budgets: Map<string, Budget>;
  /** Limits hold over several machines, so that leases take claims in a shared store. */
  shared: boolean;
  /** Waiters whose claim the shared store has not answered yet, by lease. */
  readonly claiming: Map<string, LeaseWaiter>;
  /** Until when no claim is tried, since the shared store did not answer. */
  storeDownUntil: number;
  /** What it said, or that it does not answer. */
  storeDownWhy: string;
  /** Why nothing is granted now: some process may hold members that this broker does not have on its books. Null: it is. */
  awaits: string | null;
  readonly resolvedPools: WeakMap<PoolSpec, ResolvedPool>;
  /** Subjects whose gate is shut. */
  readonly gated: Set<MemberState>;
  /** By run and endpoint: accounts that have signed in there. */
  readonly signedIn: Map<string, Set<string>>;
  /** Members that a test's earlier attempts failed on. */
  readonly failedOn: Map<string, Set<string>>;
  /** What there is to probe, while some link can send a probe; null while none can. */
  prober: PoolSpec | null;
  /** Probes under way, by id. */
  readonly probes: Map<string, Probe>;
  probesSent: number;
}

/** A request of our own that finds out about its members, sent by a link that the broker picks. */
export interface Probe {
  readonly id: string;
  readonly spec: PoolSpec;
  readonly endpoint: MemberState;
  readonly key: MemberState | null;
  /** Which of them it was sent for. */
  readonly about: MemberState;
  /** It decides about the return of a member: one at a time over all machines. */
  readonly recovers: boolean;
  /** Links that were asked to send it. */
  tries: number;
  /** When another link is asked. */
  deadline: number;
}

/** What vendors count per key and model: its pace, its refusals, its pause. Calls without a model have a lane too. */
export interface ModelLimits {
  readonly pace: Pace;
  /** Times of the calls that were served last. */
  readonly served: number[];
  /** The pace that refusals taught. */
  learned: LearnedPace | null;
  /** Throttled answers since its last success. */
  throttles: number;
  /** Until when the server wants no calls for this model. */
  coolUntil: number;
}

/** A member of a pool as one specification has it, with what the broker knows of it. */
export interface ResolvedMember<S extends EndpointSpec | KeySpec = EndpointSpec | KeySpec> {
  readonly spec: S;
  readonly member: MemberState;
  readonly weight: number;
  readonly priority: number;
  /** A probe finds out whether it works before it is leased. */
  readonly checked: boolean;
}

/** The members of a specification, looked up once. */
export interface ResolvedPool {
  readonly endpoints: readonly ResolvedMember<EndpointSpec>[];
  readonly keys: readonly ResolvedMember<KeySpec>[];
  readonly of: ReadonlyMap<MemberState, ResolvedMember>;
  /** Some key works at some endpoints only. */
  readonly bound: boolean;
  /** There is something to probe. */
  readonly probed: boolean;
}

/** What a lease hands out: an endpoint and a key, or one alone. */
export interface Grant {
  readonly endpoint: MemberState | null;
  readonly key: MemberState | null;
}

/** Why a subject cannot be had now. */
export interface Refusal {
  readonly name: string;
  readonly why: string;
  /** A fault put it out; the configuration or a person keeps it out; others have it for now; or it could not sign in. */
  readonly cause: 'fault' | 'off' | 'busy' | 'sign-in';
}

/** A place that is limited over all machines: it takes a claim in the shared store. */
export interface Slot {
  readonly member: string;
  readonly limit: number;
}

/** What decisions get from outside, besides state and event. */
export interface Context {
  /** The present time, which never jumps. */
  readonly now: number;
  /** The date of a time, for people, files and other machines: the machine's date may have been set meanwhile. */
  readonly dateOf: (at: number) => number;
  /** Calls before that are not known: a broker was lost then. */
  readonly callsKnownFrom: number;
  readonly random: Random;
  /** The rotation's or routing's choice for the `attempt`-th member of a call, from 1; null where there is none. */
  readonly choose: <P extends ResolvedMember>(
    how: Rotation | Routing,
    candidates: readonly P[],
    now: number,
    random: Random,
    attempt: number,
  ) => P | null;
  readonly newHandle: (pool: string, kind: MemberState['kind'], id: string) => RouterHandle;
  readonly observe: (routerHandle: RouterHandle, learned: Observation, now: number) => void;
  /** A person says that the member works again. */
  readonly renew: (routerHandle: RouterHandle) => void;
}

/** A transition before it has a place in the broker's history. */
export interface HealthChange extends Omit<Transition, 'seq' | 'broker' | 'at'> {
  readonly member: MemberState;
}

/** It waited for a test that waits for it in turn, or for what its own test holds. */
export type DeadlockKind = 'circle' | 'own';

/** What a call draws on a budget that all machines share: the shared store says whether it may. */
export interface SharedDraw {
  readonly waiter: PermitWaiter;
  /** The budget's name. */
  readonly budget: string;
  readonly spec: BudgetSpec;
  readonly id: string;
  readonly tokens: number;
  /** When the day ends. */
  readonly until: number;
}

/** How long a key is out of service. */
export type KeyOut = 'for a moment' | 'for long';

/** What a pool wants done after an event: answers to links, and news. */
export type Effect =
  | { readonly type: 'granted'; readonly to: ReplyTo; readonly lease: LeaseState; readonly waitedMs: number }
  | {
      readonly type: 'permit';
      readonly to: ReplyTo;
      readonly lease: LeaseState;
      readonly delayMs: number;
      /** Its member has a pace, so that it matters when the call goes. */
      readonly isPaced: boolean;
      /** Paces that all machines share: the shared store tells the further wait. */
      readonly paces: readonly { readonly member: string; readonly rpm: number }[];
      /** What it draws on a budget that all machines share. */
      readonly draw: SharedDraw | null;
    }
  | {
      readonly type: 'stay';
      readonly to: ReplyTo;
      readonly why: string;
      /** Members with their reasons, where none of the pool can serve now. */
      readonly gone?: readonly Refusal[];
      /** The key is out of service: for a moment, or for longer than a call can wait. */
      readonly keyOut?: KeyOut;
    }
  /** The lease is not on the broker's books: nothing may use it any more. */
  | { readonly type: 'lost'; readonly to: ReplyTo; readonly why: string }
  | {
      readonly type: 'refused';
      readonly to: ReplyTo;
      readonly timedOut: boolean;
      readonly deadlock: DeadlockKind | null;
      readonly waitedMs: number;
      readonly reasons: readonly Refusal[];
    }
  /** The shared store is to be asked; its answer comes back as claimGranted, claimRefused or claimFailed. */
  | { readonly type: 'claim'; readonly lease: LeaseState; readonly slots: readonly Slot[] }
  | { readonly type: 'unclaim'; readonly lease: string }
  /** A link is to send this probe; the result comes back as probed, or as probesLost or probedElsewhere. */
  | { readonly type: 'probe'; readonly probe: Probe }
  /** The lease's calls must ask for turns from now on. */
  | { readonly type: 'fast-path-ended'; readonly lease: LeaseState }
  /** The lease has another member now, before any answer says so. */
  | { readonly type: 'moved'; readonly lease: LeaseState }
  | { readonly type: 'changed'; readonly change: HealthChange }
  /** Whether an account is dirty has changed: all machines are to see it. */
  | {
      readonly type: 'dirtiness';
      readonly member: MemberState;
      readonly lease: string;
      readonly is: Dirty | null;
    };

export function newPoolState(name: string, shared = false, revision: string | null = null): PoolState {
  return {
    name,
    revision,
    members: new Map(),
    leases: new Map(),
    queue: [],
    lastPosition: 0,
    permitQueue: [],
    recentOutcomes: newRecentOutcomes(),
    correlated: new Map(),
    shared,
    claiming: new Map(),
    storeDownUntil: 0,
    storeDownWhy: '',
    awaits: null,
    resolvedPools: new WeakMap(),
    gated: new Set(),
    budget: { calls: 0, retries: 0 },
    budgets: new Map(),
    signedIn: new Map(),
    failedOn: new Map(),
    prober: null,
    probes: new Map(),
    probesSent: 0,
  };
}
