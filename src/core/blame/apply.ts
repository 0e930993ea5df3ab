import { attribute } from './attribution.ts';
import { markWorking } from '../health/probe-state.ts';
import { inSameCall, onSameRequest } from './comparison.ts';
import { clearKeyFailures } from './correlation.ts';
import { endTrial } from '../leases/holding.ts';
import { limitsOf } from '../pace/model-limits.ts';
import { noteServed } from '../pace/learned-pace.ts';
import { settlePermit } from '../pace/pace.ts';
import { failed } from './endpoint-faults.ts';
import { exhausted, invalid, noteProof, refused, throttled } from './key-faults.ts';
import { decide, find, observe, noteOutcome, sameLabels, type OutcomeEvent } from './outcome.ts';
import type { RequestReport } from '../request-outcome.ts';
import {
  type Context,
  type HealthChange,
  type LeaseState,
  type PoolState,
  type MemberState,
} from '../state.ts';
import { changeHealth } from '../health/change.ts';
import { isSuspect } from '../members.ts';

/** Judges the outcome of one request and applies what follows to the health of its members. */
export function applyOutcome(
  pool: PoolState,
  lease: LeaseState,
  report: RequestReport,
  context: Context,
): HealthChange[] {
  if (report.request === 1) pool.budget.calls++;
  const endpoint = find(pool, 'endpoint', report.endpoint);
  const key = find(pool, 'key', report.key);
  for (const member of [endpoint, key])
    if (member) settlePermit(limitsOf(member, lease.need).pace, lease.id, context.now);
  const { outcome } = report;
  if (outcome.status !== null && outcome.kind !== 'rate-limit') {
    if (endpoint) endpoint.lastServedAt = context.now;
    if (key) {
      key.lastServedAt = context.now;
      noteServed(limitsOf(key, lease.need).served, context.now);
    }
  }
  const event: OutcomeEvent = { pool, lease, report, endpoint, key, context, decisions: [] };
  judge(event);
  const changes = event.decisions.map(({ member, event: health }) =>
    changeHealth(pool, member, health, context.now, lease.spec.ejection),
  );
  endTrials(pool, lease, key);
  return changes.filter((change) => change !== null);
}

/** Decides who is to blame, and which health events follow. */
function judge(event: OutcomeEvent): void {
  const { outcome } = event.report;
  const blame = attribute(outcome, event.lease.spec.protocol);
  if (blame === 'nobody') {
    if (outcome.kind === 'ok' || outcome.kind === 'caller') passed(event);
  } else if (blame === 'suspicion') refused(event);
  else if (blame === 'key') invalid(event);
  else if (blame === 'quota') throttled(event);
  else if (blame === 'exhausted') exhausted(event);
  else failed(event, blame);
}

function passed(event: OutcomeEvent): void {
  const { pool, lease, report, endpoint, key } = event;
  const recent = noteOutcome(event, 'passed');
  const isByKey = report.outcome.auth === 'leased' && report.outcome.kind === 'ok';
  if (endpoint && isByKey) clearKeyFailures(pool.correlated, endpoint.id);
  if (endpoint) {
    endpoint.faults = [];
    succeed(event, endpoint);
    observe(event, endpoint, true);
  }
  if (!key || !isByKey) return;
  succeed(event, key);
  key.refusals = 0;
  limitsOf(key, lease.need).throttles = 0;
  if (key.proofs.size > 0) key.proofs.clear();
  observe(event, key, true);
  for (const id of inSameCall(pool.recentOutcomes, recent, 'refused')) noteProof(event, id, recent);
  for (const id of onSameRequest(pool.recentOutcomes, recent, 'refused')) {
    const other = find(pool, 'key', id);
    if (other && isSuspect(other) && other.refusals >= 2 && sameLabels(lease, other, key))
      noteProof(event, id, recent);
  }
}

function succeed(event: OutcomeEvent, member: MemberState): void {
  member.proven = true;
  markWorking(member.probeState, event.context.now);
  const { health } = member;
  if (health.state === 'half-open' && health.probe === event.lease.id)
    decide(event, member, { type: 'success' });
  // It was out since nothing answered there: a call of a lease that stayed is as good as a probe.
  if (health.state === 'ejected' && member.probeState.sawFault) {
    event.context.renew(member.routerHandle);
    decide(event, member, { type: 'recover', why: 'it answers again' });
  }
}

/** This attempt decided about its members; only about a suspect the repetition of the call elsewhere has still to. */
function endTrials(pool: PoolState, lease: LeaseState, key: MemberState | null): void {
  for (const member of pool.gated) {
    const undecided = member === key && isSuspect(member) && member.health.state === 'healthy';
    if (member.trial?.lease === lease.id && !undecided) endTrial(pool, member);
  }
}
