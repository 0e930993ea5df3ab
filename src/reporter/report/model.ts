import type { Gate, HealthState, OutcomeKind, Verdict } from '../../core/types.ts';
import type { Pin } from '../../shared/pin.ts';

/**
 * `report.json`, schema `gemba-report/1`. Times are ISO texts, durations milliseconds, rates 0 to 1; `null` means not measured.
 * New versions only add fields.
 */
export interface Report {
  readonly schema: 'gemba-report/1';
  readonly generator: { readonly name: 'gemba-agent'; readonly version: string };
  readonly run: ReportRun;
  readonly totals: ReportTotals;
  /** Tests with a failed attempt, by the test's verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly causes: readonly ReportCause[];
  readonly pools: readonly ReportPool[];
  /** Pools that served tests of another pool, which had no member to lease. */
  readonly fallbacks: readonly ReportFallback[];
  readonly strategies: readonly ReportStrategy[];
  readonly errors: readonly ReportError[];
  readonly transitions: readonly ReportTransition[];
  readonly tests: readonly ReportTest[];
  /** Attachments in the name of a record that no worker of this run wrote: they count for nothing. At most 100. */
  readonly foreignRecords: readonly ReportForeignRecord[];
  readonly timeline: readonly ReportBucket[];
}

export type RunStatus = 'passed' | 'failed' | 'timedout' | 'interrupted';

export interface ReportRun {
  /** Playwright's status, or `failed` where the gate failed the run. */
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly playwright: string;
  readonly configRevision: string | null;
  /** Problems of an edit that was refused, and was not corrected before the end; without a revision, of the file at the start. */
  readonly configErrors: readonly string[];
  /** What brokers printed to their standard error that ended unexpectedly; each 64 KB at most. */
  readonly brokerErrors: readonly string[];
  /** The configuration at the start, and each edit since, applied or refused. */
  readonly revisions: readonly ReportRevision[];
  readonly shards: { readonly total: number; readonly present: readonly number[] };
  /** The CI run, from its variables; null elsewhere. */
  readonly ci: ReportCi | null;
  /** The working copy that the run was started in; null without one. */
  readonly git: ReportGit | null;
  readonly links: ReportLinks;
  readonly gate: ReportGate | null;
  /** The targets that tests named, with how many tests each. */
  readonly pins: readonly ReportPin[];
  /** The run was killed: how many of its tests had ended by then. Else null. */
  readonly cutOff: { readonly planned: number; readonly ended: number } | null;
}

export interface ReportCi {
  readonly provider: 'github' | 'gitlab' | 'jenkins' | 'azure' | 'circleci';
  readonly url: string | null;
  readonly branch: string | null;
  readonly commit: string | null;
}

export interface ReportGit {
  readonly branch: string | null;
  readonly commit: string | null;
}

/** Addresses, or paths that start at the report's folder. */
export interface ReportLinks {
  /** Playwright's html report of the same run. */
  readonly playwrightReport: string | null;
  readonly ci: string | null;
}

/** A target that tests named, where their pool has others. */
export interface ReportPin extends Pin {
  readonly tests: number;
}

/** A state of the configuration. */
export interface ReportRevision {
  readonly at: string;
  /** In force since `at`. */
  readonly revision: string;
  /** Fields that differ from the revision before; a secret is shown by its fingerprint, `null` means no such field. */
  readonly changes: readonly { readonly path: string; readonly old: unknown; readonly new: unknown }[];
  /** Why an edit, or a part of it, was refused. */
  readonly errors: readonly string[];
}

/** The gate's rules, from the records, and its result. */
export interface ReportGate {
  readonly rules: Gate;
  readonly failed: boolean;
  readonly line: string | null;
}

export interface ReportTotals {
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly flaky: number;
  /** Including tests that did not run. */
  readonly skipped: number;
  /** Tests that were running when the run ended. */
  readonly interrupted: number;
  readonly leases: number;
  readonly calls: number;
  readonly requests: number;
  readonly successes: number;
  readonly failures: number;
  readonly requestRetries: number;
  /** Of all keys; null where no answer had a usage. */
  readonly tokens: number | null;
  readonly successRate: number | null;
  readonly avgResponseMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** The sum of `waited`. */
  readonly waitedMs: number;
  readonly waited: ReportWaited;
  readonly degraded: number;
  readonly pinned: number;
  /** Tests that ran without a leased request. */
  readonly unmeasured: number;
  /** Errors that happened but are not in `errors`. */
  readonly errorsCut: number;
}

/** Time that tests waited, by reason. */
export interface ReportWaited {
  readonly leasesMs: number;
  /** For a permit of a pace, and as long as a server asked. */
  readonly rateLimitsMs: number;
  /** Between the requests of a call. */
  readonly retriesMs: number;
}

/** One cause of failures, with its tests. */
export interface ReportCause {
  readonly verdict: Verdict;
  /** `endpoint api/eu refused connections` */
  readonly text: string;
  readonly pool: string | null;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly kind: OutcomeKind | null;
  readonly status: number | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Ids of the tests, those that failed in the end first. */
  readonly tests: readonly string[];
  /** How many of them failed in the end; the others passed on a retry. */
  readonly failed: number;
  /** The error of the first test. Null where it has none. */
  readonly error: ReportAttemptError | null;
  /** What endpoints answered: of causes that are 5xx or timeouts of known routes. Else null. */
  readonly answers: ReportCauseAnswers | null;
}

/** What each endpoint gave over the run to the routes of a cause, the most frequent ones first, and to all other routes. */
export interface ReportCauseAnswers {
  readonly routes: readonly string[];
  readonly endpoints: readonly {
    readonly name: string;
    /** One for each of `routes`. */
    readonly answers: readonly ReportAnswers[];
    readonly others: ReportAnswers;
  }[];
}

export interface ReportAnswers {
  readonly successes: number;
  /** By status, or `timeout`. */
  readonly failures: Readonly<Record<string, number>>;
}

interface ReportFallback {
  readonly pool: string;
  readonly fallbackPool: string;
  readonly why: string;
  /** How many tests it served. */
  readonly tests: number;
}

export interface ReportPool {
  readonly name: string;
  readonly endpoints: readonly ReportEndpoint[];
  readonly keys: readonly ReportKey[];
}

export interface ReportMember {
  readonly name: string;
  /** At the end of the run. */
  readonly state: HealthState;
  readonly until: string | null;
  /** Why the member is in its state. */
  readonly why: string | null;
  readonly leases: number;
  readonly requests: number;
  readonly successes: number;
  readonly failures: number;
  readonly successRate: number | null;
  readonly avgMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Its share of the requests of its pool’s endpoints or keys. */
  readonly share: number | null;
  /** Requests and failures over time, in equal parts of the time that `timeline` covers. Null where it was not used. */
  readonly parts: ReportParts | null;
  /** The router's estimate at the end. */
  readonly estimate?: ReportEstimate | null;
  readonly kinds: Readonly<Partial<Record<OutcomeKind, number>>>;
}

export interface ReportParts {
  readonly requests: readonly number[];
  readonly failures: readonly number[];
}

/** A learned estimate; recent results weigh more. */
export interface ReportEstimate {
  readonly successRate: number | null;
  readonly avgMs: number | null;
  /** 95 % intervals of success rate and mean time. */
  readonly successRange?: readonly [low: number, high: number];
  readonly avgRangeMs?: readonly [low: number, high: number];
  /** Requests that tested whether it has recovered. */
  readonly probes?: number;
  /** How often its speed changed. */
  readonly changes?: number;
}

interface ReportEndpoint extends ReportMember {
  readonly url: string;
}

interface ReportKey extends ReportMember {
  readonly fingerprint: string;
  /** Tokens of its answers, also by model; of these `tokensEstimated` of answers without a usage. Null: none used any. */
  readonly tokens: number | null;
  readonly tokensByModel: Readonly<Record<string, number>>;
  readonly tokensEstimated: number | null;
  /** The token that its calls carried, where its pool has `oauth2`, and this run minted one. */
  readonly token?: ReportToken;
}

interface ReportToken {
  readonly minted: number;
  /** How many of these took the place of another one in the run. */
  readonly renewed: number;
  /** When the last one ends; null: its issuer did not say. */
  readonly expiresAt: string | null;
}

export interface ReportStrategy {
  readonly task: string;
  readonly name: string;
  readonly runs: number;
  readonly successes: number;
  readonly failures: number;
  readonly successRate: number | null;
  readonly avgMs: number | null;
  /** Runs in which it was the first choice. */
  readonly chosen: number;
  /** Runs in which it was the fallback of another strategy. */
  readonly fallbacks: number;
  /** The router's estimate at its task's last choice; null where there is none. */
  readonly estimate?: ReportEstimate | null;
  /** The periods in which it was mostly the first choice of its task. */
  readonly periods?: readonly { readonly from: string; readonly to: string; readonly runs: number }[];
}

export interface ReportError {
  readonly at: string;
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly message: string;
  readonly testId: string;
}

export interface ReportTransition {
  readonly at: string;
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly why: string;
  readonly until: string | null;
}

export type TestOutcome = 'expected' | 'unexpected' | 'flaky' | 'skipped';
export type ResultStatus = 'passed' | 'failed' | 'timedOut' | 'skipped' | 'interrupted';

export interface ReportTest {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly project: string;
  readonly status: TestOutcome;
  readonly verdict: Verdict | null;
  readonly degraded: boolean;
  readonly pinned: boolean;
  /** The target that it named; null where it named none. */
  readonly pin: Pin | null;
  readonly tags: readonly string[];
  readonly results: readonly ReportResult[];
}

export interface ReportResult {
  readonly retry: number;
  readonly status: ResultStatus;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly verdict: Verdict | null;
  readonly evidence: readonly string[];
  /** Of a failed attempt, as Playwright reports them, without secrets. */
  readonly errors: readonly ReportAttemptError[];
  /** The link to Playwright's trace of it. */
  readonly trace: string | null;
  readonly waited: ReportWaited;
  /** Not run, since an earlier attempt was a product failure (`"retryTests": "environment"`). */
  readonly refused: boolean;
  readonly shard: number | null;
  readonly worker: number | null;
  /** In the order in which they ended. All of a failed attempt and of a retry; of others up to 20,000 a run. */
  readonly requests: readonly ReportRequest[];
  /** Requests that happened and are not in `requests`. */
  readonly requestsOmitted: number;
  readonly leases: readonly ReportLease[];
}

/** One HTTP request of an attempt. */
export interface ReportRequest {
  readonly at: string;
  readonly method: string;
  /** Without the query; empty where it is not known. */
  readonly path: string;
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  /** Null where no response came. */
  readonly durationMs: number | null;
  /** Waited before it, for a rate limit or before a request retry. */
  readonly waitedMs: number;
  /** True for a fault that a later success made up for, false for one that ended its call, null for what is no fault. */
  readonly recovered: boolean | null;
}

export interface ReportAttemptError {
  readonly message: string;
  /** The code around it; empty where Playwright has none. */
  readonly snippet: string;
  /** Its place in the user's files; null where it has none. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

interface ReportLease {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly waitedMs: number;
  readonly heldMs: number;
  readonly requests: number;
  readonly failures: number;
  /** It was another key than the fixed lease's, for one call that this could not serve. */
  readonly rerouted: boolean;
}

export interface ReportForeignRecord {
  readonly testId: string;
  readonly retry: number;
  readonly why: string;
}

export interface ReportBucket {
  readonly at: string;
  readonly requests: number;
  readonly failures: number;
  readonly avgMs: number | null;
}
