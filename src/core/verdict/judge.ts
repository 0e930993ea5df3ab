import { type Verdict, VERDICTS } from '../types.ts';
import type { EndedCall, FailedAttempt, MemberName } from './attempt.ts';
import { judgeByRoute, ROUTE_REASONS } from './by-route.ts';
import { isRefusal } from './recovery.ts';
import { isRead } from './route.ts';
import { isSoftFault, type RunView } from './run-view.ts';

/*
 * Whose failure a failed attempt is: the product's, the environment's, or nobody can tell. The verdict follows what ended
 * the attempt and what the run saw of that route; the order of tests and the number of workers change nothing.
 */

/** Which rule decided, in the order in which they are tried. */
const REASONS = [
  'crashed',
  'not measured',
  'mistake',
  'another origin',
  'no lease',
  'session expired',
  'not sent',
  'key out of service',
  'vendor',
  ...ROUTE_REASONS,
  'time lost',
  'none of these',
] as const;
type Reason = (typeof REASONS)[number];

/** A verdict with what led to it: enough to put it into words, and to ask for more. */
export interface Ruling {
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** Indexes into `ended` (of another origin: into `foreign`; of leases: into `unmet`) of what decided. */
  readonly by: readonly number[];
  /** Other endpoints that were compared with. */
  readonly endpoints: readonly string[];
  /** Indexes into `ended` of calls about which one more request at another endpoint may say more. */
  readonly open: readonly number[];
}

/** An attempt that lost this part of its time to the environment ran out of it for that. */
const LOST_SHARE = 1 / 4;

export function judgeAttempt(attempt: FailedAttempt, view: RunView): Ruling {
  return (
    unknown(attempt, view) ??
    environment(attempt, view) ??
    byRoutes(attempt, view) ??
    timeLost(attempt) ??
    found('product', 'none of these', [])
  );
}

/** A test's verdict from those of its failed attempts: one product attempt decides. */
export function judgeTest(verdicts: readonly (Verdict | null)[]): Verdict | null {
  return VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? null;
}

function unknown({ crashed, requests, unmet, foreign }: FailedAttempt, view: RunView): Ruling | null {
  if (crashed) return found('unknown', 'crashed', []);
  const mistakes = indexesOf(unmet, ({ isMistake }) => isMistake);
  if (mistakes.length > 0) return found('unknown', 'mistake', mistakes);
  const elsewhere = indexesOf(foreign, (fault) => {
    return !fault.afterError && !view.isExpected({ ...fault, pool: fault.origin });
  });
  if (elsewhere.length > 0) return found('unknown', 'another origin', elsewhere);
  const isMeasured = requests > 0 || unmet.length > 0;
  return isMeasured ? null : found('unknown', 'not measured', []);
}

function environment(attempt: FailedAttempt, view: RunView): Ruling | null {
  const { ended, unmet, outOfService } = attempt;
  if (unmet.length > 0) return found('environment', 'no lease', [...unmet.keys()]);
  const isEvidence = evidenceBy(view);
  const decides = (reason: Reason, is: (call: EndedCall) => boolean): Ruling | null => {
    const by = indexesOf(ended, (call) => is(call) && isEvidence(call));
    return by.length > 0 ? found('environment', reason, by) : null;
  };
  return (
    decides('session expired', ({ kind }) => kind === 'session') ??
    decides('not sent', ({ unsent }) => unsent) ??
    decides('key out of service', (call) => isRefusal(call.kind) && isOut(call, outOfService)) ??
    decides('vendor', (call) => call.ofVendor && isSoftFault(call))
  );
}

function byRoutes({ ended }: FailedAttempt, view: RunView): Ruling | null {
  const isEvidence = evidenceBy(view);
  const judged = indexesOf(ended, (call) => isSoftFault(call) && isEvidence(call)).map((index) => {
    return { index, ...judgeByRoute(ended[index]!, view) };
  });
  const verdict = judgeTest(judged.map((each) => each.verdict));
  const first = judged.find((each) => each.verdict === verdict);
  if (verdict === null || !first) return null;
  const { reason, endpoints } = first;
  const by = judged.filter((each) => each.verdict === verdict && each.reason === reason);
  // Where more cannot change it, nothing more is asked.
  const isSettled = verdict === 'product' && !isOpen(reason);
  const open = isSettled
    ? []
    : judged.filter((each) => isOpen(each.reason) && isRead(ended[each.index]!.method));
  const indexes = (some: typeof judged): number[] => some.map(({ index }) => index);
  return { verdict, reason, by: indexes(by), endpoints, open: indexes(open) };
}

function isOpen(reason: Reason): boolean {
  return reason === 'serves other routes' || reason === 'nothing to compare';
}

function timeLost({ timedOut, ownMs, lostMs }: FailedAttempt): Ruling | null {
  const isMuch = timedOut && lostMs > 0 && lostMs >= ownMs * LOST_SHARE;
  return isMuch ? found('environment', 'time lost', []) : null;
}

/** What came after the attempt's first error explains nothing, nor does what passed attempts end with as well. */
function evidenceBy(view: RunView): (call: EndedCall) => boolean {
  return (call) => !call.afterError && !view.isExpected(call);
}

function isOut(call: EndedCall, members: readonly MemberName[]): boolean {
  return members.some(({ pool, endpoint, key }) => {
    if (pool !== call.pool) return false;
    return key === null ? endpoint === call.endpoint : key === call.key;
  });
}

function found(verdict: Verdict, reason: Reason, by: readonly number[]): Ruling {
  return { verdict, reason, by, endpoints: [], open: [] };
}

function indexesOf<T>(all: readonly T[], is: (one: T) => boolean): number[] {
  return [...all.keys()].filter((index) => is(all[index]!));
}
