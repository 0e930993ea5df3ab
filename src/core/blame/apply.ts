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
import {
  type AttemptReport,
  change,
  find,
  observe,
  noteOutcome,
  sameLabels,
  type OutcomeEvent,
} from './outcome.ts';
import {
  type Context,
  type HealthChange,
  isSuspect,
  type LeaseState,
  type PoolState,
  type MemberState,
} from '../state.ts';

/** Attributes one attempt and applies it to the health of who is to blame. */
export function applyOutcome(
  pool: PoolState,
  lease: LeaseState,
  report: AttemptReport,
  context: Context,
): HealthChange[] {
  if (report.attempt === 1) pool.budget.calls++;
  const endpoint = find(pool, 'endpoint', report.endpoint);
  const key = find(pool, 'key', report.key);
  for (const member of [endpoint, key])
    if (member) settlePermit(limitsOf(member, lease.need).pace, lease.id, context.now);
  if (report.status !== null && report.kind !== 'rate-limit') {
    if (endpoint) endpoint.lastServedAt = context.now;
    if (key) {
      key.lastServedAt = context.now;
      noteServed(limitsOf(key, lease.need).served, context.now);
    }
  }
  // Spelled out: a copy of a report costs more than all that is learned from it.
  const { kind, status, auth, unsent, local } = report;
  const blame = attribute({ kind, status, auth, unsent, local, protocol: lease.spec.protocol });
  const event: OutcomeEvent = { pool, lease, report, endpoint, key, context, changes: [] };
  if (blame === 'nobody') {
    if (report.kind === 'ok' || report.kind === 'caller') passed(event);
  } else if (blame === 'suspicion') refused(event);
  else if (blame === 'key') invalid(event);
  else if (blame === 'quota') throttled(event);
  else if (blame === 'exhausted') exhausted(event);
  else failed(event, blame);
  endTrials(pool, lease, key);
  return event.changes;
}

function passed(event: OutcomeEvent): void {
  const { pool, lease, report, endpoint, key } = event;
  const recent = noteOutcome(event, 'passed');
  if (endpoint && report.auth === 'leased' && report.kind === 'ok')
    clearKeyFailures(pool.correlated, endpoint.id);
  if (endpoint) {
    endpoint.faults = [];
    succeed(event, endpoint);
    observe(event, endpoint, true);
  }
  if (!key || report.auth !== 'leased' || report.kind !== 'ok') return;
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
    change(event, member, { type: 'success' });
}

/** This attempt decided about its members; only about a suspect the repetition of the call elsewhere has still to. */
function endTrials(pool: PoolState, lease: LeaseState, key: MemberState | null): void {
  for (const member of pool.gated) {
    const undecided = member === key && isSuspect(member) && member.health.state === 'healthy';
    if (member.trial?.lease === lease.id && !undecided) endTrial(pool, member);
  }
}
