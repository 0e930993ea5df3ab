/**
 * Judges the run: a verdict for each failed attempt and each test (`judging.ts`, with the rules of `core/blame`), failures of one cause
 * in one group (`causes.ts`), and the CI gate (`gate.ts`).
 */
import { type Judgement, judge, judgeTest, type SeenRequest } from '../../core/blame/verdict.ts';
import type { Verdict } from '../../core/types.ts';
import type { CollectedResult, CollectedTest } from '../collect/run-state.ts';
import type { Replicas } from '../collect/replicas.ts';

/** A test with its verdict over the whole run. */
export interface JudgedTest {
  readonly test: CollectedTest;
  readonly verdict: Verdict | null;
  /** By result; null for one that did not fail. */
  readonly judgements: readonly (Judgement | null)[];
  /** Faults that are evidence: the environment's, or those that every endpoint gives. */
  readonly faults: readonly SeenRequest[];
  readonly everywhere: boolean;
  readonly crashed: boolean;
}

export function judgeCollectedTest(test: CollectedTest, replicas: Replicas): JudgedTest {
  const seenEverywhere = (fault: SeenRequest): boolean =>
    replicas.everywhere(fault) && gaveWhereverAsked(test, fault);
  const judgements = test.results.map((result) =>
    result.failed ? judgeResult(result, seenEverywhere) : null,
  );
  const verdict = judgeTest(judgements.map((judgement) => judgement?.verdict ?? null));
  const deciding = test.results.filter((_, index) => judgements[index]?.verdict === verdict);
  const faults = deciding.flatMap((result) => result.faults);
  const own = faults.filter((fault) => !seenEverywhere(fault));
  return {
    test,
    verdict,
    judgements,
    faults: verdict === 'environment' ? own : faults,
    everywhere: verdict === 'product' && faults.length > 0,
    crashed: deciding.some((result) => result.crashed),
  };
}

function judgeResult(result: CollectedResult, seenEverywhere: (fault: SeenRequest) => boolean): Judgement {
  const { crashed, faults, workerVerdict } = result;
  const requests = result.requests.length + result.requestsOmitted;
  // Why a test that got no lease failed is known to its worker alone.
  const unleased = requests === 0 || (result.unleased && faults.length === 0);
  if (unleased && !crashed && workerVerdict) return workerVerdict;
  return judge(faults, { crashed, seenEverywhere, wentWell: requests - faults.length });
}

/** Every endpoint that this test used must have given the fault: other tests may have met one that this test recovered from. */
function gaveWhereverAsked(test: CollectedTest, fault: SeenRequest): boolean {
  const gave = new Set(
    test.results.flatMap(({ faults }) => faults.filter((other) => alike(other, fault))).map(endpointOf),
  );
  return test.results.every(({ leases }) =>
    leases.every((lease) => lease.pool !== fault.pool || lease.requests === 0 || gave.has(lease.endpoint)),
  );
}

function alike(a: SeenRequest, b: SeenRequest): boolean {
  return a.pool === b.pool && a.kind === b.kind && a.status === b.status;
}

function endpointOf(request: SeenRequest): string | null {
  return request.endpoint;
}
