/*
 * Every closed list of words stands here once, as an array: schemas, configuration, records, facts and the cache file take
 * their words from it.
 */

/**
 * What a request came to. `ok` and `caller` are successes of the member, the rest are faults of someone; `session`: the session
 * of the account had expired, which is no fault of a member.
 */
export const OUTCOME_KINDS = [
  'ok',
  'auth',
  'session',
  'rate-limit',
  'exhausted',
  'server',
  'timeout',
  'network',
  'caller',
] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

/** Whose failure a failed test is. */
export const VERDICTS = ['product', 'environment', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The health of an endpoint or of a key, as users read it. */
export const HEALTH_STATES = [
  'healthy',
  'cooling',
  'ejected',
  'half-open',
  'quarantined',
  'exhausted',
  'dirty',
  'reserved',
  'disabled',
] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

export const PROTOCOLS = ['http', 'openai', 'gemini', 'anthropic', 'azure-openai'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** How keys are picked. */
export const ROTATIONS = ['round-robin', 'least-busy', 'success-rate', 'random'] as const;
export type Rotation = (typeof ROTATIONS)[number];

/** How endpoints are picked. */
export const ROUTINGS = ['success-rate', 'round-robin', 'least-busy', 'priority'] as const;
export type Routing = (typeof ROUTINGS)[number];

export const FAILOVERS = ['first-request', 'always', 'never'] as const;
export type Failover = (typeof FAILOVERS)[number];

export const GATE_ACTIONS = ['warn', 'fail'] as const;
export type GateAction = (typeof GATE_ACTIONS)[number];
export type GateRule = Verdict | 'degraded' | 'shards';
export const GATE_RULES: readonly GateRule[] = [...VERDICTS, 'degraded', 'shards'];
export type Gate = Readonly<Record<GateRule, GateAction>>;

/** Whose a lease is. */
export const LEASE_SCOPES = ['test', 'worker'] as const;

/** What is probed before it is leased, or only when it is out. */
export const PROBE_MODES = ['health', 'protocol'] as const;
type ProbeMode = (typeof PROBE_MODES)[number];

export const MEMBER_KINDS = ['endpoint', 'key'] as const;
export type MemberKind = (typeof MEMBER_KINDS)[number];

/** What a person does to a member by hand. */
export const ADMIN_ACTIONS = ['enable', 'disable', 'reset', 'reserve'] as const;
export type AdminAction = (typeof ADMIN_ACTIONS)[number];

/** For how long a person takes a member, and why. */
export interface Reservation {
  readonly forMs: number;
  readonly reason: string;
}

/** What keys and endpoints have in common for the broker. Absent limits mean unlimited. */
interface MemberSpec {
  readonly name: string;
  /** A hash of what makes it this one (a key's value, an endpoint's address): its identity over edits, renaming and runs. */
  readonly id: string;
  readonly weight: number;
  readonly maxConcurrent?: number | undefined;
  /** Calls per minute over all workers. */
  readonly rpm?: number | undefined;
  readonly enabled: boolean;
}

export interface EndpointSpec extends MemberSpec {
  readonly url: string;
  readonly priority: number;
  /**
   * What a probe asks there: a `health` path, which also checks members before they are leased; or only what the
   * protocol itself has to check a key with. Absent: nothing.
   */
  readonly probe?: ProbeMode | undefined;
}

/** What a key may use of its quota; absent: as much as it wants. */
export interface BudgetSpec {
  /** Tokens a minute, over all workers. */
  readonly tpm?: number | undefined;
  readonly daily?: DailyBudget | undefined;
}

/** Requests and tokens of a day. */
export type DailyBudget = {
  readonly calls?: number | undefined;
  readonly tokens?: number | undefined;
  /** When the day begins anew: `00:00 UTC`. */
  readonly resetsAt: string;
};

export interface KeySpec extends MemberSpec, BudgetSpec {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly quotaGroup: string;
  /** Names of the endpoints that this key works at; absent: all. */
  readonly endpoints?: readonly string[] | undefined;
}

/** A pool as the broker sees it: no secret in it. Durations are in milliseconds. */
export interface PoolSpec {
  readonly name: string;
  /** The revision of the configuration that it is of; absent where nothing follows the configuration's edits. */
  readonly revision?: string | undefined;
  readonly endpoints: readonly EndpointSpec[];
  readonly keys: readonly KeySpec[];
  readonly protocol: Protocol;
  readonly rotation: Rotation;
  readonly routing: Routing;
  readonly maxFailures: number;
  readonly maxRetries: number;
  readonly timeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly ejection: { readonly baseMs: number; readonly maxMs: number };
  readonly retryBudget: number;
}

/** What the broker says of the configuration: the revision in force, and what is wrong with a later edit. */
export interface ConfigState {
  /** Position in its broker's history; with `broker` it names the state once, however many links tell of it. */
  readonly seq: number;
  readonly broker: string;
  /** Since when, ms since the epoch. */
  readonly at: number;
  readonly revision: string;
  /** Problems of an edit that was refused; empty while the file is the revision in force. */
  readonly errors: readonly string[];
}

/** Labels (and `model`) that a leased key must carry. */
export type Need = Readonly<Record<string, string>>;

/** A change of a member's health, as the report tells it. */
export interface Transition {
  /** Position in its broker's history; with `broker` it names the transition once, however many workers report it. */
  readonly seq: number;
  readonly broker: string;
  readonly at: number;
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly why: string;
  readonly until: number | null;
}

/** The present health of a member that is not simply healthy. */
export interface HealthSnapshot {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly state: HealthState;
  readonly why: string;
  readonly until: number | null;
}

/** Why a member is picked or not: what the router believed of it. Bounds hold with 95 % chance. */
export interface RouterEstimate {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly at: number;
  readonly successRate: number;
  readonly successLow: number;
  readonly successHigh: number;
  readonly avgMs: number;
  readonly avgLowMs: number;
  readonly avgHighMs: number;
  /** Attempts that were to find out whether it is back. */
  readonly probes: number;
  /** Times that its speed was found to have changed. */
  readonly changes: number;
}

/** What was learned of a member: the router's own, opaque to the core. */
export interface RouterHandle {
  readonly id: string;
}

/** What one attempt tells of a member. */
export interface Observation {
  readonly ok: boolean;
  /** Only where the member's own pace or standing is not somebody else's business. */
  readonly kind?: OutcomeKind | undefined;
  /** Null where no response came. */
  readonly durationMs: number | null;
  readonly retryAfterMs: number | null;
  /** Which request of its call it was, from 1. */
  readonly request: number;
  /** Other leases that held the member. */
  readonly inFlight: number;
}

/** Why an account has to be reset before its next use. */
export const RESET_REASONS = ['failed', 'timedOut', 'crashed', 'always'] as const;
export type ResetReason = (typeof RESET_REASONS)[number];

/** What became of a leased account. */
export const ACCOUNT_EVENTS = [
  'signed-in',
  'sign-in-failed',
  'cleaned',
  'reset-failed',
  'token-refused',
] as const;
export type AccountEvent = (typeof ACCOUNT_EVENTS)[number];

/** How a pool's keys are sent. */
export type Auth =
  | 'bearer'
  | 'basic'
  | 'none'
  | { readonly header: string }
  | { readonly query: string }
  | { readonly oauth2: OAuth2 };

/** Client credentials (RFC 6749, 4.4): a token is minted for each key. */
export interface OAuth2 {
  readonly tokenUrl: string;
  /** The fields of a key that hold its client's id and secret. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

/** A rule that overrides what an answer counts as; all its conditions must hold. */
export interface ClassifyRule {
  readonly status?: number | undefined;
  /** A text that the answer's body contains. */
  readonly body?: string | undefined;
  /** `name` of a header that is present, or `name: text` that its value contains. */
  readonly header?: string | undefined;
  readonly as: OutcomeKind;
}

/** What one run of a strategy came to. */
export interface StrategyOutcome {
  readonly ok: boolean;
  readonly durationMs: number;
  readonly kind: OutcomeKind | null;
}
