import { type Verdict, VERDICTS } from '../../core/types.ts';
import { isRefusal } from '../../core/verdict/recovery.ts';
import { isSoftFault } from '../../core/verdict/run-view.ts';
import { routeOf } from '../../core/verdict/route.ts';
import { counted, isoTime } from '../../shared/format.ts';
import type { CollectedError, RunState, SeenRequest } from '../collect/run-state.ts';
import { answersOf, type PoolAnswers, spreadOf } from './cause-answers.ts';
import { decidingError, errorAndPlace, errorName } from './error-text.ts';
import type { JudgedTest } from './judging.ts';
import type { ReportCause, ReportCauseAnswers } from '../report/model.ts';
import { getOrCreate } from '../collect/counts.ts';

const NOTHING_MEASURED = 'nothing was measured';
const NOT_JUDGED = 'not judged, made no leased request';
const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** Members of one pool that fail alike are one cause from this number on, whichever routes they failed. */
const MANY = 3;

interface FailedTest {
  readonly test: JudgedTest;
  readonly faults: readonly SeenRequest[];
}

/** Why tests failed: failures alike in one group, the product's first, then the most frequent. */
export function groupCauses(judged: readonly JudgedTest[], runState: RunState): ReportCause[] {
  const groups = new Map<string, FailedTest[]>();
  const answers = new Map<string, PoolAnswers>();
  for (const test of judged) {
    if (test.verdict === null) continue;
    const faults = mainFaults(test);
    getOrCreate(groups, nameOfCause(test, faults[0]), () => []).push({ test, faults });
  }
  const causes = merged([...groups.values()], runState.errors).map((group) => {
    return toCause(group, runState, (pool) =>
      getOrCreate(answers, pool, () => runState.view.answersOf(pool)),
    );
  });
  const rank = (cause: ReportCause): number => VERDICTS.indexOf(cause.verdict);
  return causes.sort((a, b) => rank(a) - rank(b) || b.tests.length - a.tests.length);
}

/** Members that fail alike become one cause: where many do, or where one route of theirs does. */
function merged(groups: readonly FailedTest[][], errors: readonly CollectedError[]): FailedTest[][] {
  const alike = new Map<string, FailedTest[][]>();
  groups.forEach((group, index) => {
    const { test, faults } = group[0]!;
    const fault = faults[0];
    const name =
      test.verdict === 'environment' && fault
        ? [fault.pool, blamesKey(fault), doingOf(fault, errors)].join('\n')
        : String(index);
    getOrCreate(alike, name, () => []).push(group);
  });
  return [...alike.values()].flatMap((list) => {
    const faults = list.flat().flatMap((failure) => failure.faults);
    const routes = new Set(faults.map(routeOf));
    const isOneRoute = routes.size === 1 && !routes.has(null) && faults.every(isSoftFault);
    return list.length >= MANY || (list.length > 1 && isOneRoute) ? [list.flat()] : list;
  });
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
  const error = isAboutErrors(test) ? decidingError(test) : null;
  if (error) return [verdict, reason, errorName(error)].join('\n');
  // A pause that several calls extended has another end in each test's text, and is one cause.
  const evidence = verdict === 'product' ? '' : firstEvidence(test).replaceAll(MOMENT, '');
  return [verdict, reason, evidence].join('\n');
}

/** Whether only its error says what happened: no call does, and nothing kept the test from making one. */
function isAboutErrors(test: JudgedTest): boolean {
  return test.verdict === 'product' || isNotMeasured(test);
}

function isNotMeasured(test: JudgedTest): boolean {
  return test.reason === 'not measured' && firstEvidence(test) === NOTHING_MEASURED;
}

function toCause(
  failures: readonly FailedTest[],
  runState: RunState,
  ofPool: (pool: string) => PoolAnswers,
): ReportCause {
  const group = failures.map(({ test }) => test);
  const faults = failures.flatMap((failure) => failure.faults);
  const first = group[0]!;
  const fault = faults[0];
  const ofProduct = first.verdict === 'product';
  const times = fault ? faults.map(({ at }) => at) : [];
  const failed = group.filter(({ test }) => test.status === 'unexpected');
  const rest = group.filter(({ test }) => test.status !== 'unexpected');
  const ofKey = fault !== undefined && blamesKey(fault);
  const members = new Set(faults.map(blamedMember));
  const isOne = members.size === 1;
  const answers = answersOf(faults, ofPool);
  return {
    verdict: first.verdict!,
    text: fault ? describeFaults({ fault, members, answers }, first.verdict, runState) : describeError(first),
    pool: fault?.pool ?? null,
    endpoint: fault && !ofProduct && !ofKey && isOne ? fault.endpoint : null,
    key: fault && ofKey && isOne ? fault.key : null,
    kind: fault?.kind ?? null,
    status: fault?.status ?? null,
    from: times.length === 0 ? null : isoTime(times.reduce((a, b) => Math.min(a, b))),
    to: times.length === 0 ? null : isoTime(times.reduce((a, b) => Math.max(a, b))),
    tests: [...failed, ...rest].map(({ test }) => test.id),
    failed: failed.length,
    error: decidingError(failed[0] ?? first),
    answers,
  };
}

function describeError(test: JudgedTest): string {
  const error = decidingError(test);
  if (isNotMeasured(test)) return error ? `${NOT_JUDGED}: ${errorAndPlace(error)}` : NOT_JUDGED;
  if (test.verdict !== 'product')
    return test.reason === 'crashed' ? 'the worker crashed during the test' : firstEvidence(test);
  return error ? errorAndPlace(error) : 'the tests failed, and no call of theirs ended in a fault';
}

function firstEvidence(test: JudgedTest): string {
  const judgement = test.judgements.find((candidate) => candidate?.verdict === test.verdict);
  return judgement?.evidence[0] ?? NOTHING_MEASURED;
}

interface Faults {
  readonly fault: SeenRequest;
  readonly members: ReadonlySet<string | null>;
  readonly answers: ReportCauseAnswers | null;
}

/** `GET /bug answered 500 at 6 of 7 endpoints of api`, `endpoint api/eu refused connections`, `4 of 12 keys of api were refused (401)` */
function describeFaults(
  { fault, members, answers }: Faults,
  verdict: Verdict | null,
  { errors, pools }: RunState,
): string {
  const doing = doingOf(fault, errors);
  const spread = spreadOf(answers, fault);
  if (verdict === 'product') {
    const route = routeOf(fault);
    if (spread) return `${route} ${doing} at ${spreadText(spread)} of ${fault.pool}`;
    return `${route === null ? `pool ${fault.pool}` : `${route} of ${fault.pool}`} ${doing}`;
  }
  if (members.size === 1)
    return `${blamesKey(fault) ? 'key' : 'endpoint'} ${fault.pool}/${blamedMember(fault) ?? '?'} ${doing}`;
  if (spread) return `${spread.route} ${doing} at ${spreadText(spread)} of ${fault.pool}`;
  const pool = pools.get(fault.pool);
  const [all, kind] = blamesKey(fault) ? [pool?.keys.size, 'keys'] : [pool?.endpoints.size, 'endpoints'];
  return `${members.size} of ${Math.max(all ?? 0, members.size)} ${kind} of ${fault.pool} ${plural(doing)}`;
}

function spreadText({ failing, asked }: { readonly failing: number; readonly asked: number }): string {
  return `${failing} of ${counted(asked, 'endpoint')}`;
}

/** `answered 503` */
function doingOf(fault: SeenRequest, errors: readonly CollectedError[]): string {
  const status = fault.status === null ? '' : ` ${fault.status}`;
  if (fault.kind === 'network') return describeNetwork(fault, errors);
  if (fault.kind === 'timeout') return 'did not answer in time';
  if (fault.kind === 'rate-limit') return `was rate limited${status && ` (${fault.status})`}`;
  if (fault.kind === 'auth') return `was refused${status && ` (${fault.status})`}`;
  if (fault.kind === 'exhausted') return `has used up its quota${status && ` (${fault.status})`}`;
  return `answered${status || ' with server errors'}`;
}

function plural(doing: string): string {
  return doing
    .replace(/^was /, 'were ')
    .replace(/^has used up its quota/, 'have used up their quotas')
    .replace(/^has a/, 'have a');
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
