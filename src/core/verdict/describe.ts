import type { EndedCall, ForeignFault, FailedAttempt } from './attempt.ts';
import type { Verdict } from '../types.ts';
import type { Ruling } from './judge.ts';
import { routeOf, type Target } from './route.ts';

type NamedCall = EndedCall & Target;

/** An attempt with what its evidence names. */
export interface NamedAttempt extends FailedAttempt {
  readonly ended: readonly NamedCall[];
  readonly foreign: readonly (ForeignFault & { readonly method: string })[];
}

/** A call that was made at another endpoint after the attempt. */
export interface AskedOnceMore extends Pick<EndedCall, 'endpoint' | 'kind' | 'status'> {
  readonly target: Target;
}

/** Whose failure an attempt is, and why. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly evidence: readonly string[];
}

const MOST_LINES = 5;

/** The verdict in words; `asked`: calls that were made once more for it. */
export function judgementOf(
  finding: Ruling,
  attempt: NamedAttempt,
  asked: readonly AskedOnceMore[] = [],
): Judgement {
  const lines = asked.map(({ target: { method, path }, endpoint, kind, status }) => {
    return `${method} ${path} was asked once more at ${endpoint}, for the evidence alone: ${status ?? kind}`;
  });
  return { verdict: finding.verdict, evidence: [...describeFinding(finding, attempt), ...lines] };
}

/** Whether something was found that the verdict rests on; else it is what is left. */
export function isGrounded({ reason }: Ruling): boolean {
  return reason !== 'not measured' && reason !== 'none of these';
}

/** The evidence for a verdict, for people: the faults that decided it, and what they were compared with. */
function describeFinding(finding: Ruling, attempt: NamedAttempt): string[] {
  const { reason, by, endpoints } = finding;
  const calls = (): string[] => describeCalls(by.map((index) => attempt.ended[index]!));
  const named = listed(endpoints);
  const [first] = by.map((index) => attempt.ended[index]!);
  const what = first ? statusText(first) : '';
  switch (reason) {
    case 'crashed':
      return ['the worker process died'];
    case 'not measured':
      return ['nothing was measured'];
    case 'mistake':
    case 'no lease':
      return limited([...new Set(by.map((index) => attempt.unmet[index]!.why))]);
    case 'another origin':
      return describeForeign(by.map((index) => attempt.foreign[index]!));
    case 'session expired':
      return limited([...new Set(by.map((index) => expiredText(attempt.ended[index]!)))]);
    case 'not sent':
      return calls();
    case 'key out of service':
      return [
        ...calls(),
        `${first?.key === null ? 'the endpoint' : 'the key'} was out of service when the attempt ended`,
      ];
    case 'vendor':
      return [...calls(), 'the server is the vendor’s'];
    case 'succeeded elsewhere':
      return [...calls(), `the same call succeeded at ${named}`];
    case 'comes and goes':
      return [...calls(), `${named} gave both ${what} and successes for this route`];
    case 'everywhere':
      return [...calls(), `${named} gave ${what} for this route, and succeeded for others`];
    case 'this endpoint alone':
      return [
        ...calls(),
        `no call of this route succeeded at ${endpointOf(first)}, and ${named} succeeded for it`,
      ];
    case 'serves other routes':
      return [...calls(), `${endpointOf(first)} succeeded for other routes`];
    case 'nothing to compare':
      return finding.verdict === 'unknown'
        ? [...calls(), 'nothing else was seen that it could be compared with']
        : calls();
    case 'time lost':
      return [
        `faults that recovered, and waits, took ${seconds(attempt.lostMs)} of its ${seconds(attempt.ownMs)}`,
      ];
    case 'none of these':
      return describeClean(attempt);
  }
}

function describeClean({ requests, ended }: NamedAttempt): string[] {
  if (ended.length === 0) {
    const none = requests === 1 ? 'its 1 request did not end' : `none of its ${requests} requests ended`;
    return [`${none} in a fault of an endpoint, a key or the network`];
  }
  return [
    ...describeCalls(ended),
    'no evidence: passed attempts end so too, or the attempt had failed before',
  ];
}

/** `api/eu/ci-1: GET /orders: server 503, 2×, 02:10:00–02:10:17` */
function describeCalls(calls: readonly NamedCall[]): string[] {
  const groups = new Map<string, NamedCall[]>();
  for (const call of calls) {
    const alike = [memberText(call), routeOf(call), call.kind, call.status].join('\n');
    groups.set(alike, [...(groups.get(alike) ?? []), call]);
  }
  return limited(
    [...groups.values()].map((group) => {
      const first = group[0]!;
      const isOne = group.every(({ path }) => path === first.path);
      const target = isOne ? `${first.method} ${first.path}`.trim() : routeOf(first);
      const times = group.map(({ at }) => at);
      const window = `${clockTime(least(times))}–${clockTime(most(times))}`;
      const status = first.status === null ? '' : ` ${first.status}`;
      return `${memberText(first)}: ${target ? `${target}: ` : ''}${first.kind}${status}, ${group.length}×, ${window}`;
    }),
  );
}

function expiredText({ key }: NamedCall): string {
  return `The session of account ${key ?? 'unknown'} has expired.`;
}

function describeForeign(faults: readonly (ForeignFault & { readonly method: string })[]): string[] {
  const lines = faults.map(({ origin, method, status }) => {
    return `another origin ended a call: ${method} ${origin}: ${status ?? 'no answer'}`;
  });
  return limited([...new Set(lines)]);
}

function limited(lines: readonly string[]): string[] {
  const cut = lines.length - MOST_LINES;
  return cut > 0 ? [...lines.slice(0, MOST_LINES), `and ${cut} more`] : [...lines];
}

function memberText(call: EndedCall): string {
  return [call.pool, call.endpoint, call.key].filter((part) => part !== null).join('/');
}

function endpointOf(call: EndedCall | undefined): string {
  return call?.endpoint ?? 'this address';
}

function statusText({ kind, status }: EndedCall): string {
  return status === null ? `a ${kind}` : String(status);
}

/** `eu, us and ap` */
function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

// Not by spreading: a long test may have more calls than a function takes arguments.
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}
