import { type OutcomeKind, type Verdict, VERDICTS } from '../types.ts';
import { isFault } from '../verdict/recovery.ts';

/** One attempt at a leased member, as a verdict needs it. */
export interface SeenRequest {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly evidence: readonly string[];
}

const EVERYWHERE = 'the same answer at every endpoint that was asked: the product gives it';

/**
 * Whose failure a failed attempt of a test is, from what was seen at its own leases in its own time.
 * `seenEverywhere` tells a server fault that every replica gives, which is the product's own; `wentWell` counts
 * attempts that are not among those given.
 */
export function judge(
  requests: readonly SeenRequest[],
  options: { crashed?: boolean; seenEverywhere?: (request: SeenRequest) => boolean; wentWell?: number } = {},
): Judgement {
  const all = requests.length + (options.wentWell ?? 0);
  if (options.crashed) return { verdict: 'unknown', evidence: ['the worker died before it could say'] };
  if (all === 0) return { verdict: 'unknown', evidence: ['nothing was measured'] };
  const faults = requests.filter((request) => isFault(request.kind));
  const own = faults.filter((request) => !options.seenEverywhere?.(request));
  if (own.length > 0) return { verdict: 'environment', evidence: describeFaults(own) };
  if (faults.length > 0) return { verdict: 'product', evidence: [...describeFaults(faults), EVERYWHERE] };
  const attempted = all === 1 ? 'its 1 attempt at a member' : `all ${all} attempts at its members`;
  return { verdict: 'product', evidence: [`${attempted} went well`] };
}

/** A test's verdict from those of its failed attempts: one product attempt decides. */
export function judgeTest(verdicts: readonly (Verdict | null)[]): Verdict | null {
  for (const verdict of VERDICTS) {
    if (verdicts.includes(verdict)) return verdict;
  }
  return null;
}

function describeFaults(faults: readonly SeenRequest[]): string[] {
  const groups = new Map<string, SeenRequest[]>();
  for (const fault of faults) {
    const alike = `${fault.kind} ${fault.status ?? ''} ${memberName(fault)}`;
    groups.set(alike, [...(groups.get(alike) ?? []), fault]);
  }
  return [...groups.values()].map((group) => {
    const first = group[0]!;
    const times = group.map((fault) => fault.at);
    const status = first.status === null ? '' : ` ${first.status}`;
    const window = `${clockTime(Math.min(...times))}–${clockTime(Math.max(...times))}`;
    return `${memberName(first)}: ${first.kind}${status}, ${group.length}×, ${window}`;
  });
}

function memberName(fault: SeenRequest): string {
  return [fault.pool, fault.endpoint, fault.key].filter((part) => part !== null).join('/');
}

function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
