/**
 * Judges the run: a verdict for each failed attempt and each test (`judging.ts`, with the rules of `core/verdict`), failures of one cause
 * in one group (`causes.ts`), and the CI gate (`gate.ts`).
 */
import type { FailedAttempt } from '../../core/verdict/attempt.ts';
import { isGrounded, type Judgement, judgementOf, type NamedAttempt } from '../../core/verdict/describe.ts';
import { type Ruling, judgeAttempt, judgeTest } from '../../core/verdict/judge.ts';
import type { RunView } from '../../core/verdict/run-view.ts';
import { spanOf } from '../../core/verdict/span.ts';
import type { Verdict } from '../../core/types.ts';
import type { SeenRequest, CollectedResult, CollectedTest } from '../collect/run-state.ts';

/** A test with its verdict over the whole run. */
export interface JudgedTest {
  readonly test: CollectedTest;
  readonly verdict: Verdict | null;
  /** By result; null for one that did not fail. */
  readonly judgements: readonly (Judgement | null)[];
  /** What decided: the reason, and the calls that it is about. */
  readonly reason: Ruling['reason'] | null;
  readonly faults: readonly SeenRequest[];
}

export function judgeCollectedTest(test: CollectedTest, view: RunView): JudgedTest {
  const judged = test.results.map((result) => (result.failed ? judgeResult(result, view) : null));
  const verdict = judgeTest(judged.map((each) => each?.finding.verdict ?? null));
  const deciding = judged.filter((each) => each !== null && each.finding.verdict === verdict);
  return {
    test,
    verdict,
    judgements: judged.map((each) => each?.judgement ?? null),
    reason: deciding[0]?.finding.reason ?? null,
    faults: deciding.flatMap((each) => each?.faults ?? []),
  };
}

interface JudgedResult {
  readonly finding: Ruling;
  readonly judgement: Judgement;
  readonly faults: readonly SeenRequest[];
}

/**
 * Where nothing else was found, only the worker knows more: why it had no configuration, which check failed, why the attempt
 * was not run.
 */
function judgeResult(result: CollectedResult, view: RunView): JudgedResult {
  const ended = result.requests.filter(({ recovered }) => recovered === false);
  const attempt = attemptOf(result, ended);
  const finding = judgeAttempt(attempt, view);
  const judgement = judgementOf(finding, attempt, result.evidence);
  const { workerVerdict } = result;
  const isLeft = isUnseen(finding) || (!isGrounded(finding) && workerVerdict?.verdict === finding.verdict);
  const ofWorker = result.refused || isLeft ? workerVerdict : null;
  return {
    finding: ofWorker ? { ...finding, verdict: ofWorker.verdict } : finding,
    judgement: ofWorker ?? judgement,
    faults: isAboutCalls(finding) ? finding.by.map((index) => ended[index]!) : [],
  };
}

function attemptOf(result: CollectedResult, ended: readonly SeenRequest[]): NamedAttempt {
  const { crashed, status, requests, requestsOmitted, foreign, unmet, outOfService } = result;
  const recovered = requests.filter((request) => request.recovered === true);
  return {
    crashed,
    timedOut: status === 'timedOut',
    requests: requests.length + requestsOmitted,
    ended,
    foreign,
    unmet,
    outOfService,
    ownMs: Math.max(0, result.durationMs - result.extendedMs),
    lostMs: spanOf(recovered) + result.unextendedMs,
  } satisfies FailedAttempt;
}

function isUnseen({ reason }: Ruling): boolean {
  return reason === 'not measured';
}

const NOT_ABOUT_CALLS: ReadonlySet<Ruling['reason']> = new Set(['mistake', 'no lease', 'another origin']);

function isAboutCalls({ reason }: Ruling): boolean {
  return !NOT_ABOUT_CALLS.has(reason);
}
