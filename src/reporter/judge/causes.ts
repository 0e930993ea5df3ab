import { type OutcomeKind, VERDICTS } from '../../core/types.ts';
import type { SeenRequest } from '../../core/blame/verdict.ts';
import { isoTime } from '../../shared/format.ts';
import type { SeenError } from '../collect/collected.ts';
import type { JudgedTest } from './judging.ts';
import type { ReportCause } from '../report/model.ts';
import { ensure } from '../collect/tally.ts';

/** Kinds that speak of the key; the other faults speak of the endpoint. */
const OF_KEY: ReadonlySet<OutcomeKind> = new Set(['auth', 'rate-limit', 'exhausted']);

/** Why tests failed: alike failures together, the product's first, then the most frequent. */
export function groupCauses(judged: readonly JudgedTest[], errors: readonly SeenError[]): ReportCause[] {
  const groups = new Map<string, { test: JudgedTest; faults: readonly SeenRequest[] }[]>();
  for (const test of judged) {
    if (test.verdict === null) continue;
    const faults = mainFaults(test);
    ensure(groups, nameOfCause(test, faults[0]), () => []).push({ test, faults });
  }
  const causes = [...groups.values()].map((group) => {
    const tests = group.map(({ test }) => test);
    return toCause(
      tests,
      group.flatMap(({ faults }) => faults),
      errors,
    );
  });
  const rank = (cause: ReportCause): number => VERDICTS.indexOf(cause.verdict);
  return causes.sort((a, b) => rank(a) - rank(b) || b.tests.length - a.tests.length);
}

/** The faults of the kind and member that hit the test most often. */
function mainFaults(test: JudgedTest): readonly SeenRequest[] {
  const groups = new Map<string, SeenRequest[]>();
  for (const fault of test.faults) ensure(groups, nameOfFault(fault, test.everywhere), () => []).push(fault);
  return [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

function nameOfFault(fault: SeenRequest, everywhere: boolean): string {
  const { pool, kind, status } = fault;
  return [pool, kind, status, everywhere ? '' : (subjectOf(fault) ?? '')].join('\n');
}

function nameOfCause(test: JudgedTest, fault: SeenRequest | undefined): string {
  const { verdict, everywhere, crashed } = test;
  if (fault && !crashed) return [verdict, everywhere, nameOfFault(fault, everywhere)].join('\n');
  return [verdict, crashed, verdict === 'product' ? '' : toldEvidence(test)].join('\n');
}

function toCause(
  group: readonly JudgedTest[],
  faults: readonly SeenRequest[],
  errors: readonly SeenError[],
): ReportCause {
  const first = group[0]!;
  const fault = first.crashed ? undefined : faults[0];
  const times = fault ? faults.map(({ at }) => at) : [];
  const failed = group.filter(({ test }) => test.status === 'unexpected');
  const rest = group.filter(({ test }) => test.status !== 'unexpected');
  const ofKey = fault !== undefined && blamesKey(fault);
  return {
    verdict: first.verdict!,
    text: fault ? describeFault(fault, first.everywhere, errors) : describeWithoutFault(first),
    pool: fault?.pool ?? null,
    endpoint: fault && !first.everywhere && !ofKey ? fault.endpoint : null,
    key: fault && ofKey ? fault.key : null,
    kind: fault?.kind ?? null,
    status: fault?.status ?? null,
    from: times.length === 0 ? null : isoTime(times.reduce((a, b) => Math.min(a, b))),
    to: times.length === 0 ? null : isoTime(times.reduce((a, b) => Math.max(a, b))),
    tests: [...failed, ...rest].map(({ test }) => test.id),
    failed: failed.length,
  };
}

function describeWithoutFault(test: JudgedTest): string {
  if (test.verdict === 'product') return 'the tests failed while all their calls went well';
  return test.crashed ? 'the worker died in mid-test' : toldEvidence(test);
}

function toldEvidence(test: JudgedTest): string {
  const judgement = test.judgements.find((candidate) => candidate?.verdict === test.verdict);
  return judgement?.evidence[0] ?? 'nothing was measured';
}

function describeFault(fault: SeenRequest, everywhere: boolean, errors: readonly SeenError[]): string {
  const status = fault.status === null ? '' : ` ${fault.status}`;
  if (everywhere) return `every endpoint of ${fault.pool} that was asked answered${status}`;
  const subject = `${blamesKey(fault) ? 'key' : 'endpoint'} ${fault.pool}/${subjectOf(fault) ?? '?'}`;
  if (fault.kind === 'network') return `${subject} ${describeNetwork(fault, errors)}`;
  if (fault.kind === 'timeout') return `${subject} did not answer in time`;
  if (fault.kind === 'rate-limit') return `${subject} was rate limited${status && ` (${fault.status})`}`;
  if (fault.kind === 'auth') return `${subject} was refused${status && ` (${fault.status})`}`;
  if (fault.kind === 'exhausted') return `${subject} has used up its quota${status && ` (${fault.status})`}`;
  return `${subject} answered${status || ' with server errors'}`;
}

const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|CONNECTION_REFUSED|refused/i, 'refused connections'],
  [/ENOTFOUND|EAI_AGAIN|NAME_NOT_RESOLVED|getaddrinfo/i, 'could not be found (DNS)'],
  [/ECONNRESET|EPIPE|socket hang up|CONNECTION_RESET|other side closed/i, 'broke connections off'],
  [/CERT|TLS|SSL/i, 'has a TLS problem'],
  [/EHOSTUNREACH|ENETUNREACH|UNREACHABLE/i, 'could not be reached'],
];

function describeNetwork(fault: SeenRequest, errors: readonly SeenError[]): string {
  const alike = errors.find((error) => {
    return error.kind === 'network' && error.pool === fault.pool && error.endpoint === fault.endpoint;
  });
  const said = NETWORK.find(([pattern]) => pattern.test(alike?.message ?? ''));
  return said?.[1] ?? 'had network errors';
}

function blamesKey(fault: SeenRequest): boolean {
  return fault.key !== null && (OF_KEY.has(fault.kind) || fault.endpoint === null);
}

function subjectOf(fault: SeenRequest): string | null {
  return blamesKey(fault) ? fault.key : (fault.endpoint ?? fault.key);
}
