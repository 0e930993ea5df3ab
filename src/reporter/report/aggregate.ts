/**
 * Makes the data of report.json (`model.ts`) from a run's state: totals here, members in `members.ts`, strategies in `strategies.ts`,
 * verdicts and causes from `judge/`. `text.ts` writes it. All of it is pure.
 */
import type { Transition, Verdict } from '../../core/types.ts';
import { isoTime } from '../../shared/format.ts';
import { groupCauses } from '../judge/causes.ts';
import type { CollectedResult, CollectedTest, RunState, SeenRequest, Waited } from '../collect/run-state.ts';
import { judgeGate } from '../judge/gate.ts';
import { spanOf } from '../collect/timeline-counts.ts';
import { type JudgedTest, judgeCollectedTest } from '../judge/judging.ts';
import { poolsOf } from './members.ts';
import { pinsOf } from './pins.ts';
import type {
  Report,
  ReportRequest,
  ReportRevision,
  ReportRun,
  ReportTest,
  ReportTotals,
  ReportTransition,
  ReportWaited,
  RunStatus,
} from './model.ts';
import { strategiesOf } from './strategies.ts';
import { rounded, roundedOrNull } from '../collect/counts.ts';

/** Facts of the run that are not in the records. */
export interface RunFacts {
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly playwright: string;
  readonly version: string;
  readonly shard: { readonly current: number; readonly total: number } | null;
  readonly ci?: ReportRun['ci'];
  readonly git?: ReportRun['git'];
  readonly links?: ReportRun['links'];
  /** The run was killed: from its journal. */
  readonly cutOff?: ReportRun['cutOff'];
}

/** The report of a run. Pure: no clock, no file, no network. */
export function aggregate(runState: RunState, tests: readonly CollectedTest[], run: RunFacts): Report {
  const judged = tests.map((test) => judgeCollectedTest(test, runState.view));
  const endedAt = run.startedAt + run.durationMs;
  const transitions = [...runState.transitions.values()].sort(inOrder);
  const totals = totalsOf(runState, tests);
  const verdicts = countVerdicts(judged);
  const timeline = runState.timeline.buckets(run.startedAt, endedAt);
  const shards = shardsOf(runState, run);
  // A shard's own report has the others' missing by nature.
  const missingShards = run.shard ? 0 : shards.total - shards.present.length;
  const gate = judgeGate(runState.gate, { verdicts, degraded: totals.degraded, missingShards });
  return {
    schema: 'gemba-report/1',
    generator: { name: 'gemba-agent', version: run.version },
    run: {
      status: gate?.failed && run.status === 'passed' ? 'failed' : run.status,
      startedAt: isoTime(run.startedAt),
      durationMs: rounded(run.durationMs),
      playwright: run.playwright,
      configRevision: runState.configStates.inForce ?? runState.revision?.value ?? null,
      configErrors: [...runState.configErrors, ...runState.configStates.errors],
      brokerErrors: [...runState.brokerErrors],
      revisions: runState.configStates.isEmpty ? revisionsOf(runState) : runState.configStates.revisions,
      shards,
      ci: run.ci ?? null,
      git: run.git ?? null,
      links: run.links ?? { playwrightReport: null, ci: null },
      gate,
      pins: pinsOf(tests),
      cutOff: run.cutOff ?? null,
    },
    totals,
    verdicts,
    causes: groupCauses(judged, runState),
    pools: poolsOf(runState, transitions, { ...spanOf(timeline, run.startedAt, endedAt), endedAt }),
    fallbacks: [...runState.fallbacks.values()].map((each) => ({ ...each, tests: each.tests.size })),
    strategies: strategiesOf([...runState.strategies.values()]),
    errors: runState.errors
      .toSorted((a, b) => a.at - b.at)
      .map((error) => ({ ...error, at: isoTime(error.at) })),
    transitions: transitions.map(toTransition),
    tests: judged.map(toTest),
    foreignRecords: runState.foreign.list,
    timeline,
  };
}

/** From the tests: each revision with the start of its first test. */
function revisionsOf(runState: RunState): ReportRevision[] {
  const seen = [...runState.revisions].sort(([, a], [, b]) => a - b);
  return seen.map(([revision, at]) => ({ at: isoTime(at), revision, changes: [], errors: [] }));
}

function inOrder(a: Transition, b: Transition): number {
  return a.at - b.at || a.broker.localeCompare(b.broker) || a.seq - b.seq;
}

function totalsOf(runState: RunState, tests: readonly CollectedTest[]): ReportTotals {
  const { all, requestsOmitted, calls } = runState;
  const requests = all.requests + requestsOmitted;
  const interrupted = tests.filter(isInterrupted).length;
  const ended = (status: CollectedTest['status']): number =>
    tests.filter((test) => test.status === status).length;
  return {
    tests: tests.length,
    passed: ended('expected'),
    failed: ended('unexpected'),
    flaky: ended('flaky'),
    skipped: ended('skipped') - interrupted,
    interrupted,
    leases: all.leases,
    calls,
    requests,
    successes: all.successes,
    failures: all.failures,
    requestRetries: Math.max(0, requests - calls),
    tokens: tokensOf(runState),
    successRate: all.successRate(),
    avgResponseMs: roundedOrNull(all.durations.mean()),
    p50Ms: roundedOrNull(all.durations.percentile(0.5)),
    p95Ms: roundedOrNull(all.durations.percentile(0.95)),
    p99Ms: roundedOrNull(all.durations.percentile(0.99)),
    waitedMs: rounded(runState.waited.leasesMs + runState.waited.rateLimitsMs + runState.waited.retriesMs),
    waited: waitedOf(runState.waited),
    degraded: tests.filter((test) => test.results.some((result) => result.degraded)).length,
    pinned: tests.filter((test) => test.results.some((result) => result.pinned !== null)).length,
    unmeasured: tests.filter(isUnmeasured).length,
    errorsCut: runState.errorsCut,
  };
}

/** Null where no answer said what it used. */
function tokensOf({ pools }: RunState): number | null {
  const keys = [...pools.values()].flatMap((pool) => [...pool.keys.values()]);
  const used = keys.filter(({ tokens, tokensEstimated }) => (tokens ?? 0) > (tokensEstimated ?? 0));
  if (used.length === 0) return null;
  return keys.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
}

function waitedOf({ leasesMs, rateLimitsMs, retriesMs }: Waited): ReportWaited {
  return {
    leasesMs: rounded(leasesMs),
    rateLimitsMs: rounded(rateLimitsMs),
    retriesMs: rounded(retriesMs),
  };
}

/** Playwright's outcome of it is "skipped". */
function isInterrupted({ status, results }: CollectedTest): boolean {
  return status === 'skipped' && results.at(-1)?.status === 'interrupted';
}

function isUnmeasured({ status, results }: CollectedTest): boolean {
  return status !== 'skipped' && results.length > 0 && results.every(isQuiet);
}

function isQuiet({ requests, requestsOmitted }: CollectedResult): boolean {
  return requests.length + requestsOmitted === 0;
}

function countVerdicts(judged: readonly JudgedTest[]): Record<Verdict, number> {
  const counts = { product: 0, environment: 0, unknown: 0 };
  for (const { verdict } of judged) if (verdict !== null) counts[verdict]++;
  return counts;
}

function shardsOf(runState: RunState, run: RunFacts): { total: number; present: number[] } {
  const total = Math.max(runState.shards.total, run.shard?.total ?? 1);
  const present = new Set(runState.shards.present);
  if (run.shard) present.add(run.shard.current);
  if (present.size === 0) present.add(1);
  return { total, present: [...present].sort((a, b) => a - b) };
}

function toTransition({ at, until, pool, endpoint, key, from, to, why }: Transition): ReportTransition {
  const ends = until === null ? null : isoTime(until);
  return { at: isoTime(at), pool, endpoint, key, from, to, why, until: ends };
}

function toTest({ test, verdict, judgements }: JudgedTest): ReportTest {
  const { id, title, file, line, project, status, tags } = test;
  return {
    id,
    title,
    file,
    line,
    project,
    status,
    verdict,
    degraded: test.results.some((result) => result.degraded),
    pinned: test.results.some((result) => result.pinned !== null),
    pin: test.results.find((result) => result.pinned !== null)?.pinned ?? null,
    tags,
    results: test.results.map((result, index) => ({
      retry: result.retry,
      status: result.status,
      startedAt: isoTime(result.startedAt),
      durationMs: rounded(result.durationMs),
      verdict: judgements[index]?.verdict ?? null,
      evidence: judgements[index]?.evidence ?? [],
      errors: result.errors,
      trace: result.trace,
      waited: waitedOf(result.waited),
      refused: result.refused,
      shard: result.shard,
      worker: result.worker,
      requests: result.requests.map(toRequest),
      requestsOmitted: result.requestsOmitted,
      leases: result.leases.map(({ ofVendor: _, ...lease }) => lease),
    })),
  };
}

function toRequest(request: SeenRequest): ReportRequest {
  const { at, method, path, pool, endpoint, key, kind, status, durationMs, waitedMs, recovered } = request;
  return {
    at: isoTime(at),
    method,
    path,
    pool,
    endpoint,
    key,
    kind,
    status,
    durationMs,
    waitedMs,
    recovered,
  };
}
