import { type Verdict, VERDICTS } from '../../core/types.ts';
import { isRefusal } from '../../core/verdict/recovery.ts';
import { routeOf } from '../../core/verdict/route.ts';
import { isoTime } from '../../shared/format.ts';
import type { CollectedError, SeenRequest } from '../collect/run-state.ts';
import type { JudgedTest } from './judging.ts';
import type { ReportCause } from '../report/model.ts';
import { getOrCreate } from '../collect/counts.ts';

const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** Why tests failed: failures alike in one group, the product's first, then the most frequent. */
export function groupCauses(judged: readonly JudgedTest[], errors: readonly CollectedError[]): ReportCause[] {
  const groups = new Map<string, { test: JudgedTest; faults: readonly SeenRequest[] }[]>();
  for (const test of judged) {
    if (test.verdict === null) continue;
    const faults = mainFaults(test);
    getOrCreate(groups, nameOfCause(test, faults[0]), () => []).push({ test, faults });
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

/** The test's most frequent faults, of one kind and member. */
function mainFaults(test: JudgedTest): readonly SeenRequest[] {
  const groups = new Map<string, SeenRequest[]>();
  for (const fault of test.faults)
    getOrCreate(groups, nameOfFault(fault, test.verdict), () => []).push(fault);
  return [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

/** A bug of the product belongs to a route, at whichever endpoint; another fault to its member, on whichever route. */
function nameOfFault(fault: SeenRequest, verdict: Verdict | null): string {
  const { pool, kind, status } = fault;
  const of = verdict === 'product' ? routeOf(fault) : blamedMember(fault);
  return [pool, kind, status, of ?? ''].join('\n');
}

function nameOfCause(test: JudgedTest, fault: SeenRequest | undefined): string {
  const { verdict, reason } = test;
  if (fault) return [verdict, nameOfFault(fault, verdict)].join('\n');
  // A pause that several calls extended has another end in each test's text, and is one cause.
  const evidence = verdict === 'product' ? '' : firstEvidence(test).replaceAll(MOMENT, '');
  return [verdict, reason, evidence].join('\n');
}

function toCause(
  group: readonly JudgedTest[],
  faults: readonly SeenRequest[],
  errors: readonly CollectedError[],
): ReportCause {
  const first = group[0]!;
  const fault = faults[0];
  const ofProduct = first.verdict === 'product';
  const times = fault ? faults.map(({ at }) => at) : [];
  const failed = group.filter(({ test }) => test.status === 'unexpected');
  const rest = group.filter(({ test }) => test.status !== 'unexpected');
  const ofKey = fault !== undefined && blamesKey(fault);
  return {
    verdict: first.verdict!,
    text: fault ? describeFault(fault, first.verdict, errors) : describeWithoutFault(first),
    pool: fault?.pool ?? null,
    endpoint: fault && !ofProduct && !ofKey ? fault.endpoint : null,
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
  if (test.verdict === 'product') return 'the tests failed, and no call of theirs ended in a fault';
  return test.reason === 'crashed' ? 'the worker crashed during the test' : firstEvidence(test);
}

function firstEvidence(test: JudgedTest): string {
  const judgement = test.judgements.find((candidate) => candidate?.verdict === test.verdict);
  return judgement?.evidence[0] ?? 'nothing was measured';
}

function describeFault(
  fault: SeenRequest,
  verdict: Verdict | null,
  errors: readonly CollectedError[],
): string {
  const status = fault.status === null ? '' : ` ${fault.status}`;
  if (verdict === 'product') {
    const route = routeOf(fault);
    return `${fault.pool}${route === null ? '' : `: ${route}`} ${status ? `answered${status}` : 'did not answer'}`;
  }
  const subject = `${blamesKey(fault) ? 'key' : 'endpoint'} ${fault.pool}/${blamedMember(fault) ?? '?'}`;
  if (fault.kind === 'network') return `${subject} ${describeNetwork(fault, errors)}`;
  if (fault.kind === 'timeout') return `${subject} did not answer in time`;
  if (fault.kind === 'rate-limit') return `${subject} was rate limited${status && ` (${fault.status})`}`;
  if (fault.kind === 'auth') return `${subject} was refused${status && ` (${fault.status})`}`;
  if (fault.kind === 'exhausted') return `${subject} has used up its quota${status && ` (${fault.status})`}`;
  return `${subject} answered${status || ' with server errors'}`;
}

const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|CONNECTION_REFUSED|refused/i, 'refused connections'],
  [/ENOTFOUND|EAI_AGAIN|NAME_NOT_RESOLVED|getaddrinfo/i, 'was not found (DNS)'],
  [/ECONNRESET|EPIPE|socket hang up|CONNECTION_RESET|other side closed/i, 'reset connections'],
  [/CERT|TLS|SSL/i, 'has a TLS problem'],
  [/EHOSTUNREACH|ENETUNREACH|UNREACHABLE/i, 'could not be reached'],
];

function describeNetwork(fault: SeenRequest, errors: readonly CollectedError[]): string {
  const alike = errors.find((error) => {
    return error.kind === 'network' && error.pool === fault.pool && error.endpoint === fault.endpoint;
  });
  const known = NETWORK.find(([pattern]) => pattern.test(alike?.message ?? ''));
  return known?.[1] ?? 'had network errors';
}

function blamesKey(fault: SeenRequest): boolean {
  return fault.key !== null && (isRefusal(fault.kind) || fault.endpoint === null);
}

function blamedMember(fault: SeenRequest): string | null {
  return blamesKey(fault) ? fault.key : (fault.endpoint ?? fault.key);
}
