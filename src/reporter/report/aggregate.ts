import type { Transition, Verdict } from '../../core/types.ts';
import { isoTime } from '../../shared/format.ts';
import { groupCauses } from '../judge/causes.ts';
import type { Collected, SeenRequest, SeenResult, SeenTest } from '../collect/collected.ts';
import { judgeGate } from '../judge/gate.ts';
import { spanOf } from '../collect/timeline.ts';
import { type JudgedTest, judgeSeenTest } from '../judge/judging.ts';
import { poolsOf } from './members.ts';
import type {
  Report,
  ReportRequest,
  ReportRevision,
  ReportRun,
  ReportTest,
  ReportTotals,
  ReportTransition,
  RunStatus,
} from './model.ts';
import { strategiesOf } from './strategies.ts';
import { rounded, roundedOrNull } from '../collect/tally.ts';

/** What the records do not tell of a run. */
export interface RunFacts {
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly playwright: string;
  readonly version: string;
  readonly shard: { readonly current: number; readonly total: number } | null;
  /** The run was ended before it could report: what of its tests a journal tells. */
  readonly cutOff?: ReportRun['cutOff'];
}

/** The report of a run from what was collected of it. Pure: no clock, no file, no network. */
export function aggregate(collected: Collected, tests: readonly SeenTest[], run: RunFacts): Report {
  const judged = tests.map((test) => judgeSeenTest(test, collected.replicas));
  const endedAt = run.startedAt + run.durationMs;
  const transitions = [...collected.transitions.values()].sort(inOrder);
  const totals = totalsOf(collected, tests);
  const verdicts = countVerdicts(judged);
  const timeline = collected.pulse.timeline(run.startedAt, endedAt);
  const gate = judgeGate(collected.gate, { verdicts, degraded: totals.degraded });
  return {
    schema: 'gemba-report/1',
    generator: { name: 'gemba-agent', version: run.version },
    run: {
      status: gate?.failed && run.status === 'passed' ? 'failed' : run.status,
      startedAt: isoTime(run.startedAt),
      durationMs: rounded(run.durationMs),
      playwright: run.playwright,
      configRevision: collected.configStates.inForce ?? collected.revision?.value ?? null,
      configErrors: [...collected.configErrors, ...collected.configStates.errors],
      revisions: collected.configStates.isEmpty ? revisionsOf(collected) : collected.configStates.revisions,
      shards: shardsOf(collected, run),
      gate,
      cutOff: run.cutOff ?? null,
    },
    totals,
    verdicts,
    causes: groupCauses(judged, collected.errors),
    pools: poolsOf(collected, transitions, { ...spanOf(timeline, run.startedAt, endedAt), endedAt }),
    fallbacks: [...collected.fallbacks.values()].map((each) => ({ ...each, tests: each.tests.size })),
    strategies: strategiesOf([...collected.strategies.values()]),
    errors: collected.errors
      .toSorted((a, b) => a.at - b.at)
      .map((error) => ({ ...error, at: isoTime(error.at) })),
    transitions: transitions.map(toTransition),
    tests: judged.map(toTest),
    timeline,
  };
}

/** As the tests told it: each revision with the first that began under it. */
function revisionsOf(collected: Collected): ReportRevision[] {
  const seen = [...collected.revisions].sort(([, a], [, b]) => a - b);
  return seen.map(([revision, at]) => ({ at: isoTime(at), revision, changes: [], errors: [] }));
}

function inOrder(a: Transition, b: Transition): number {
  return a.at - b.at || a.broker.localeCompare(b.broker) || a.seq - b.seq;
}

function totalsOf(collected: Collected, tests: readonly SeenTest[]): ReportTotals {
  const { all, requestsOmitted, calls } = collected;
  const requests = all.requests + requestsOmitted;
  const ended = (status: SeenTest['status']): number => tests.filter((test) => test.status === status).length;
  return {
    tests: tests.length,
    passed: ended('expected'),
    failed: ended('unexpected'),
    flaky: ended('flaky'),
    skipped: ended('skipped'),
    leases: all.leases,
    calls,
    requests,
    successes: all.successes,
    failures: all.failures,
    requestRetries: Math.max(0, requests - calls),
    successRate: all.successRate(),
    avgResponseMs: roundedOrNull(all.durations.mean()),
    p50Ms: roundedOrNull(all.durations.percentile(0.5)),
    p95Ms: roundedOrNull(all.durations.percentile(0.95)),
    p99Ms: roundedOrNull(all.durations.percentile(0.99)),
    waitedMs: rounded(collected.waitedMs),
    degraded: tests.filter((test) => test.results.some((result) => result.degraded)).length,
    pinned: tests.filter((test) => test.results.some((result) => result.pinned)).length,
    unmeasured: tests.filter(isUnmeasured).length,
    errorsCut: collected.errorsCut,
  };
}

function isUnmeasured({ status, results }: SeenTest): boolean {
  return status !== 'skipped' && results.length > 0 && results.every(isQuiet);
}

function isQuiet({ requests, requestsOmitted }: SeenResult): boolean {
  return requests.length + requestsOmitted === 0;
}

function countVerdicts(judged: readonly JudgedTest[]): Record<Verdict, number> {
  const counts = { product: 0, environment: 0, unknown: 0 };
  for (const { verdict } of judged) if (verdict !== null) counts[verdict]++;
  return counts;
}

function shardsOf(collected: Collected, run: RunFacts): { total: number; present: number[] } {
  const total = Math.max(collected.shards.total, run.shard?.total ?? 1);
  const present = new Set(collected.shards.present);
  if (run.shard) present.add(run.shard.current);
  if (present.size === 0) present.add(1);
  return { total, present: [...present].sort((a, b) => a - b) };
}

function toTransition({ at, until, pool, endpoint, key, from, to, why }: Transition): ReportTransition {
  const ends = until === null ? null : isoTime(until);
  return { at: isoTime(at), pool, endpoint, key, from, to, why, until: ends };
}

function toTest({ test, verdict, judgements }: JudgedTest): ReportTest {
  const { id, title, file, line, project, status } = test;
  return {
    id,
    title,
    file,
    line,
    project,
    status,
    verdict,
    degraded: test.results.some((result) => result.degraded),
    pinned: test.results.some((result) => result.pinned),
    results: test.results.map((result, index) => ({
      retry: result.retry,
      status: result.status,
      startedAt: isoTime(result.startedAt),
      durationMs: rounded(result.durationMs),
      verdict: judgements[index]?.verdict ?? null,
      evidence: judgements[index]?.evidence ?? [],
      refused: result.refused,
      shard: result.shard,
      worker: result.worker,
      requests: result.requests.map(toRequest),
      requestsOmitted: result.requestsOmitted,
      leases: result.leases,
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
