import { attribute } from './attribution.ts';
import { worked } from '../health/probe-state.ts';
import { inSameCall, onSameRequest } from './comparison.ts';
import { clearMarks } from './correlation.ts';
import { openGate } from '../leases/holding.ts';
import { laneOf } from '../pace/model-limits.ts';
import { noteServed } from '../pace/learned-pace.ts';
import { settleTurn } from '../pace/pace.ts';
import { failed } from './endpoint-faults.ts';
import { exhausted, invalid, prove, refused, throttled } from './key-faults.ts';
import { type AttemptReport, change, find, learn, note, sameLabels, type Settling } from './outcome.ts';
import {
  type Context,
  type HealthChange,
  isSuspect,
  type LeaseState,
  type PoolState,
  type Subject,
} from '../state.ts';

/** Attributes one attempt and applies it to the health of who is to blame. */
export function settle(
  pool: PoolState,
  lease: LeaseState,
  report: AttemptReport,
  context: Context,
): HealthChange[] {
  if (report.attempt === 1) pool.budget.calls++;
  const endpoint = find(pool, 'endpoint', report.endpoint);
  const key = find(pool, 'key', report.key);
  for (const subject of [endpoint, key])
    if (subject) settleTurn(laneOf(subject, lease.need).pace, lease.id, context.now);
  if (report.status !== null && report.kind !== 'rate-limit') {
    if (endpoint) endpoint.lastServedAt = context.now;
    if (key) {
      key.lastServedAt = context.now;
      noteServed(laneOf(key, lease.need).served, context.now);
    }
  }
  // Spelled out: a copy of a report costs more than all that is learned from it.
  const { kind, status, auth, unsent, local } = report;
  const blame = attribute({ kind, status, auth, unsent, local, protocol: lease.spec.protocol });
  const event: Settling = { pool, lease, report, endpoint, key, context, changes: [] };
  if (blame === 'nobody') {
    if (report.kind === 'ok' || report.kind === 'caller') passed(event);
  } else if (blame === 'suspicion') refused(event);
  else if (blame === 'key') invalid(event);
  else if (blame === 'quota') throttled(event);
  else if (blame === 'exhausted') exhausted(event);
  else failed(event, blame);
  openGates(pool, lease, key);
  return event.changes;
}

function passed(event: Settling): void {
  const { pool, lease, report, endpoint, key } = event;
  const seen = note(event, 'passed');
  if (endpoint && report.auth === 'leased' && report.kind === 'ok') clearMarks(pool.marks, endpoint.id);
  if (endpoint) {
    endpoint.faults = [];
    succeed(event, endpoint);
    learn(event, endpoint, true);
  }
  if (!key || report.auth !== 'leased' || report.kind !== 'ok') return;
  succeed(event, key);
  key.refusals = 0;
  laneOf(key, lease.need).throttles = 0;
  if (key.proofs.size > 0) key.proofs.clear();
  learn(event, key, true);
  for (const id of inSameCall(pool.comparisons, seen, 'refused')) prove(event, id, seen);
  for (const id of onSameRequest(pool.comparisons, seen, 'refused')) {
    const other = find(pool, 'key', id);
    if (other && isSuspect(other) && other.refusals >= 2 && sameLabels(lease, other, key))
      prove(event, id, seen);
  }
}

function succeed(event: Settling, subject: Subject): void {
  subject.proven = true;
  worked(subject.checks, event.context.now);
  const { health } = subject;
  if (health.state === 'half-open' && health.probe === event.lease.id)
    change(event, subject, { type: 'success' });
}

/** This attempt decided about its members; only about a suspect the repetition of the call elsewhere has still to. */
function openGates(pool: PoolState, lease: LeaseState, key: Subject | null): void {
  for (const subject of pool.gated) {
    const undecided = subject === key && isSuspect(subject) && subject.health.state === 'healthy';
    if (subject.gate?.lease === lease.id && !undecided) openGate(pool, subject);
  }
}
