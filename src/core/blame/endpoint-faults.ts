import { isUsed } from '../resolved-pool.ts';
import type { Blame } from './attribution.ts';
import { failingAlikeElsewhere } from './comparison.ts';
import { decide, find, observe, noteOutcome, othersServe, type OutcomeEvent, statusOf } from './outcome.ts';
import type { MemberState } from '../state.ts';
import { whyDown } from './words.ts';

const CUT_OFF_MS = 60_000;

/** Counts a fault of an endpoint, unless every endpoint fails alike: then the product gives that answer. */
export function failed(event: OutcomeEvent, blame: Blame): void {
  const { pool, lease, report, endpoint, context } = event;
  if (!endpoint) return;
  if (blame === 'unreachable' && isCutOff(event, endpoint)) return;
  observe(event, endpoint, false);
  const what = `${report.outcome.kind}${statusOf(report)}`;
  if (blame !== 'endpoint') {
    noteOutcome(event, 'failed');
    const why = whyDown(report.outcome.code);
    return decide(event, endpoint, { type: 'fault', why, isSeenByProbes: true });
  }
  const recent = noteOutcome(event, 'failed');
  const about = recent.signature ?? recent.call;
  const elsewhere = failingAlikeElsewhere(pool.recentOutcomes, recent);
  if (elsewhere.length > 0) return exonerateEndpoints(event, [endpoint.id, ...elsewhere], about);
  endpoint.faults.push({ about, at: context.now });
  const onTrial = endpoint.health.state === 'half-open';
  if (!onTrial && endpoint.faults.length < lease.spec.maxFailures) return;
  // The last one that serves is better than none: it answers.
  if (!othersServe(event, endpoint))
    return onTrial
      ? decide(event, endpoint, { type: 'recover', why: 'it answers, and no other endpoint serves' })
      : undefined;
  decide(event, endpoint, { type: 'fault', why: `${what}, ${endpoint.faults.length} in a row` });
}

/**
 * No way to any endpoint within the last minute, and no answer from one since: this machine has no network, and nobody
 * is to blame. One endpoint alone tells nothing; it is not ejected anyway.
 */
function isCutOff(event: OutcomeEvent, endpoint: MemberState): boolean {
  const { pool, lease, context } = event;
  endpoint.unreachableAt = context.now;
  const used = lease.spec.endpoints.filter(isUsed);
  const members = used.map((spec) => find(pool, 'endpoint', spec.id));
  const isLost = (member: MemberState | null): boolean =>
    member !== null &&
    context.now - member.unreachableAt <= CUT_OFF_MS &&
    member.lastServedAt < member.unreachableAt;
  if (members.length < 2 || !members.every(isLost)) return false;
  for (const member of members) {
    if (member?.health.state !== 'ejected') continue;
    decide(event, member, { type: 'reset', why: 'no endpoint can be reached: this machine has no network' });
  }
  return true;
}

/** Takes back what was counted, and an ejection that only that caused. */
function exonerateEndpoints(event: OutcomeEvent, ids: readonly string[], about: string): void {
  for (const id of ids) {
    const endpoint = find(event.pool, 'endpoint', id);
    if (!endpoint) continue;
    const counted = endpoint.faults.length;
    endpoint.faults = endpoint.faults.filter((fault) => fault.about !== about);
    const cleared = counted > 0 && endpoint.faults.length === 0;
    if (cleared && endpoint.health.state === 'ejected') decide(event, endpoint, { type: 'reset' });
  }
}
