import { RECHECK_MS } from '../health/probe-state.ts';
import {
  everOnRequest,
  inSameCall,
  onSameRequest,
  refusedOnlyHere,
  type Seen,
  wasRefusedWith,
} from './comparison.ts';
import { areMany } from './correlation.ts';
import { untilOf } from '../health/states.ts';
import { laneOf } from '../pace/model-limits.ts';
import { learnPace } from '../pace/learned-pace.ts';
import {
  acquitKeys,
  blamedAlike,
  change,
  find,
  keySpec,
  learn,
  note,
  othersServe,
  sameLabels,
  type Settling,
  statusOf,
  usableKeys,
} from './outcome.ts';
import type { Subject } from '../state.ts';

const EXHAUSTED_MS = 3_600_000;
const THROTTLED_MS = 1_000;
const MAX_THROTTLED_MS = 60_000;
/** A key that was served this recently is not throttled as a whole. */
const ALIVE_MS = 5_000;

/** The vendor's own words prove it, unless many keys are refused alike at one endpoint. */
export function invalid(event: Settling): void {
  const { endpoint, lease, key, report, context } = event;
  const alike = blamedAlike(event, 'refused');
  if (alike.length === 0) {
    const isNew = key !== null && key.health.state !== 'quarantined';
    change(event, key, { type: 'quarantine', why: `refused as invalid${statusOf(report)}` });
    // What the protocol itself has for a probe would say the same again.
    if (isNew && lease.roster.of.get(key)?.checked !== true) key.checks.recheckAt = context.now + RECHECK_MS;
    return;
  }
  acquitKeys(event, alike, `every key is refused at ${endpoint?.name}`);
  if (endpoint && othersServe(event, endpoint))
    change(event, endpoint, { type: 'fault', why: `refuses every key${statusOf(report)}` });
}

/** The allowance of a key and of those that share its quota is gone, for all it serves or for one model. */
export function exhausted(event: Settling): void {
  const { key, lease, report, context } = event;
  if (!key) return;
  const until = context.now + (report.retryAfterMs ?? EXHAUSTED_MS);
  for (const sharer of quotaSharers(event, key)) {
    const lane = laneOf(sharer, lease.need);
    if (report.perModel && lease.need['model'] !== undefined)
      lane.coolUntil = Math.max(lane.coolUntil, until);
    else change(event, sharer, { type: 'exhaust', until, why: `its quota is used up${statusOf(report)}` });
  }
}

/** A refusal is the caller's own until the same safe call passes with another, equal key. */
export function refused(event: Settling): void {
  const { pool, lease, key } = event;
  if (!key) return;
  const seen = note(event, 'refused');
  if (refusedHere(event, seen)) return;
  const alike = inSameCall(pool.comparisons, seen, 'refused');
  if (alike.length > 0) {
    for (const id of alike) forgive(find(pool, 'key', id));
    return;
  }
  key.refusals++;
  learn(event, key, false);
  const inCall = inSameCall(pool.comparisons, seen, 'passed');
  const before = key.proven || key.refusals < 2 ? [] : onSameRequest(pool.comparisons, seen, 'passed');
  const equal = [...inCall, ...before].map((id) => find(pool, 'key', id));
  if (equal.some((other) => other && sameLabels(lease, other, key))) prove(event, key.id, seen);
}

export function throttled(event: Settling): void {
  const { pool, lease, report, key, endpoint, context } = event;
  const seen = note(event, 'throttled');
  // Where nothing else could serve, a pause would only keep the tests from what the server itself answers.
  const subject = key ?? (lease.spec.endpoints.length > 1 ? endpoint : null);
  if (!subject) return;
  const alive = context.now - subject.lastServedAt < ALIVE_MS;
  const answersSoAnyway =
    onSameRequest(pool.comparisons, seen, 'throttled').length > 0 &&
    !everOnRequest(pool.comparisons, seen, 'passed');
  if (alive && answersSoAnyway) return;
  const lane = laneOf(subject, lease.need);
  const pause = Math.min(MAX_THROTTLED_MS, THROTTLED_MS * 2 ** Math.min(lane.throttles, 10));
  lane.throttles++;
  lane.learned = learnPace(lane.learned, lane.served, context.now);
  learn(event, subject, false, 'rate-limit');
  const until = context.now + (report.retryAfterMs ?? pause);
  const asked = report.retryAfterMs === null ? '' : `, asked to wait ${report.retryAfterMs} ms`;
  // A limit per address, or for all keys together, which no key of it gets around: another endpoint may.
  const isWhole = lease.need['model'] === undefined;
  const alike =
    key && endpoint && isWhole && othersServe(event, endpoint) ? blamedAlike(event, 'throttled') : [];
  if (alike.length > 0) {
    const latest = Math.max(until, ...alike.map((other) => untilOf(other.health) ?? 0));
    acquitKeys(event, alike, `every key is throttled at ${endpoint!.name}`);
    return change(event, endpoint, { type: 'cool', until: latest, why: `throttles every key (429)${asked}` });
  }
  for (const sharer of key ? quotaSharers(event, key) : [subject]) {
    // A vendor counts per model: the key's other models go on.
    const sharers = laneOf(sharer, lease.need);
    if (!isWhole) sharers.coolUntil = Math.max(sharers.coolUntil, until);
    else change(event, sharer, { type: 'cool', until, why: `throttled (429)${asked}` });
  }
}

/** Many keys are refused here on what another endpoint takes: then it is the endpoint. */
function refusedHere(event: Settling, seen: Seen): boolean {
  const { pool, endpoint } = event;
  if (!endpoint || !othersServe(event, endpoint)) return false;
  const ids = refusedOnlyHere(pool.comparisons, seen);
  const usable = usableKeys(event, endpoint);
  if (!areMany(usable.filter((spec) => ids.includes(spec.id)).length, usable.length, 'refused')) return false;
  const keys = ids.map((id) => find(pool, 'key', id)).filter((key) => key !== null);
  for (const key of keys) forgive(key);
  acquitKeys(event, keys, `every key is refused at ${endpoint.name}, and not elsewhere`);
  change(event, endpoint, { type: 'fault', why: `refuses every key${statusOf(event.report)}` });
  return true;
}

/**
 * Another key passed where this one was refused. Once is proof for a 401 of a key that never worked; one that worked
 * before, and a 403, which may be about the resource, take two different calls.
 */
export function prove(event: Settling, id: string, seen: Seen): void {
  const { pool, lease, endpoint } = event;
  const key = find(pool, 'key', id);
  if (!key || (event.key && !sameLabels(lease, key, event.key))) return;
  key.proofs.add(seen.signature ?? seen.call);
  const unauthorized = wasRefusedWith(pool.comparisons, id, 401);
  const enough = !key.proven && (unauthorized || key.refusals >= 2) ? 1 : 2;
  if (key.proofs.size < enough) return;
  const where = endpoint ? ` at ${endpoint.name}` : '';
  const why = `refused${where} where another key passed the same call (${key.refusals} refused in a row)`;
  change(event, key, { type: 'quarantine', why });
}

function forgive(key: Subject | null): void {
  if (key) key.refusals = Math.max(0, key.refusals - 1);
}

function quotaSharers(event: Settling, key: Subject): Subject[] {
  const { pool, lease } = event;
  const group = keySpec(event.lease, key)?.quotaGroup;
  const ids = lease.spec.keys.filter((spec) => spec.quotaGroup === group).map((spec) => spec.id);
  return ids.map((id) => find(pool, 'key', id)).filter((sharer) => sharer !== null);
}
