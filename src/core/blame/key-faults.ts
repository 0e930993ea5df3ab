import { RECHECK_MS } from '../health/probe-state.ts';
import {
  everOnRequest,
  inSameCall,
  onSameRequest,
  refusedOnlyHere,
  type RecentOutcome,
  wasRefusedWith,
} from './comparison.ts';
import { isWidespread } from './correlation.ts';
import { ownHealth, untilOf } from '../health/states.ts';
import { limitsOf } from '../pace/model-limits.ts';
import { learnPace } from '../pace/learned-pace.ts';
import {
  exonerateKeys,
  blamedAlike,
  decide,
  find,
  keySpec,
  observe,
  noteOutcome,
  othersServe,
  sameLabels,
  type OutcomeEvent,
  statusOf,
  usableKeys,
} from './outcome.ts';
import type { MemberState } from '../state.ts';

const EXHAUSTED_MS = 3_600_000;
const THROTTLED_MS = 1_000;
const MAX_THROTTLED_MS = 60_000;
/** A key that was served this recently is not throttled as a whole. */
const ALIVE_MS = 5_000;

/** The vendor's own words prove it, unless many keys are refused alike at one endpoint. */
export function invalid(event: OutcomeEvent): void {
  const { endpoint, lease, key, report } = event;
  const alike = blamedAlike(event, 'refused');
  if (alike.length === 0) {
    // What the protocol itself has for a probe would give the same answer again.
    const recheckAfterMs = key && lease.resolved.of.get(key)?.checked ? 0 : RECHECK_MS;
    const why = `refused as invalid${statusOf(report)}`;
    decide(event, key, { type: 'quarantine', why, recheckAfterMs });
    return;
  }
  exonerateKeys(event, alike, `every key is refused at ${endpoint?.name}`);
  if (endpoint && othersServe(event, endpoint))
    decide(event, endpoint, { type: 'fault', why: `refuses every key${statusOf(report)}` });
}

/** The allowance of a key and of those that share its quota is gone, for all it serves or for one model. */
export function exhausted(event: OutcomeEvent): void {
  const { key, lease, report, context } = event;
  if (!key) return;
  const until = context.now + (report.outcome.retryAfterMs ?? EXHAUSTED_MS);
  for (const sharer of quotaSharers(event, key)) {
    const limits = limitsOf(sharer, lease.need);
    if (report.outcome.perModel && lease.need['model'] !== undefined)
      limits.coolUntil = Math.max(limits.coolUntil, until);
    else decide(event, sharer, { type: 'exhaust', until, why: `its quota is used up${statusOf(report)}` });
  }
}

/** A refusal is the caller's own until the same safe call passes with another, equal key. */
export function refused(event: OutcomeEvent): void {
  const { pool, lease, key } = event;
  if (!key) return;
  const recent = noteOutcome(event, 'refused');
  if (refusedHere(event, recent)) return;
  const alike = inSameCall(pool.recentOutcomes, recent, 'refused');
  if (alike.length > 0) {
    for (const id of alike) exonerate(find(pool, 'key', id));
    return;
  }
  key.refusals++;
  observe(event, key, false);
  const inCall = inSameCall(pool.recentOutcomes, recent, 'passed');
  const before = key.proven || key.refusals < 2 ? [] : onSameRequest(pool.recentOutcomes, recent, 'passed');
  const equal = [...inCall, ...before].map((id) => find(pool, 'key', id));
  if (equal.some((other) => other && sameLabels(lease, other, key))) noteProof(event, key.id, recent);
}

export function throttled(event: OutcomeEvent): void {
  const { pool, lease, report, key, endpoint, context } = event;
  const recent = noteOutcome(event, 'throttled');
  // Where nothing else could serve, a pause would only keep the tests from what the server itself answers.
  const member = key ?? (lease.spec.endpoints.length > 1 ? endpoint : null);
  if (!member) return;
  const alive = context.now - member.lastServedAt < ALIVE_MS;
  const answersSoAnyway =
    onSameRequest(pool.recentOutcomes, recent, 'throttled').length > 0 &&
    !everOnRequest(pool.recentOutcomes, recent, 'passed');
  if (alive && answersSoAnyway) return;
  const limits = limitsOf(member, lease.need);
  const restsUntil = Math.max(limits.coolUntil, untilOf(ownHealth(member.health)) ?? 0);
  // What was under way when the pause began was refused for the same reason.
  if (restsUntil <= context.now) limits.throttles++;
  const pause = Math.min(
    MAX_THROTTLED_MS,
    THROTTLED_MS * 2 ** Math.min(Math.max(0, limits.throttles - 1), 10),
  );
  // Zero is no hint.
  const waitMs = report.outcome.retryAfterMs || pause;
  const isVendor = lease.spec.protocol !== 'http';
  limits.learned = learnPace(limits.learned, limits.served, context.now, isVendor ? waitMs : null);
  observe(event, member, false, 'rate-limit');
  const until = context.now + waitMs;
  const asked =
    report.outcome.retryAfterMs === null ? '' : `, asked to wait ${report.outcome.retryAfterMs} ms`;
  // A limit per address, or for all keys together, which no key of it gets around: another endpoint may.
  const isWhole = lease.need['model'] === undefined;
  const alike =
    key && endpoint && isWhole && othersServe(event, endpoint) ? blamedAlike(event, 'throttled') : [];
  if (alike.length > 0) {
    const latest = Math.max(until, ...alike.map((other) => untilOf(ownHealth(other.health)) ?? 0));
    exonerateKeys(event, alike, `every key is throttled at ${endpoint!.name}`);
    return decide(event, endpoint, { type: 'cool', until: latest, why: `throttles every key (429)${asked}` });
  }
  for (const sharer of key ? quotaSharers(event, key) : [member]) {
    // A vendor counts per model: the key's other models go on.
    const sharers = limitsOf(sharer, lease.need);
    if (!isWhole) sharers.coolUntil = Math.max(sharers.coolUntil, until);
    else decide(event, sharer, { type: 'cool', until, why: `throttled (429)${asked}` });
  }
}

/** Many keys are refused here on what another endpoint takes: then it is the endpoint. */
function refusedHere(event: OutcomeEvent, recent: RecentOutcome): boolean {
  const { pool, endpoint } = event;
  if (!endpoint || !othersServe(event, endpoint)) return false;
  const ids = refusedOnlyHere(pool.recentOutcomes, recent);
  const usable = usableKeys(event, endpoint);
  if (!isWidespread(usable.filter((spec) => ids.includes(spec.id)).length, usable.length, 'refused'))
    return false;
  const keys = ids.map((id) => find(pool, 'key', id)).filter((key) => key !== null);
  for (const key of keys) exonerate(key);
  exonerateKeys(event, keys, `every key is refused at ${endpoint.name}, and not elsewhere`);
  decide(event, endpoint, { type: 'fault', why: `refuses every key${statusOf(event.report)}` });
  return true;
}

/**
 * Another key passed where this one was refused. Once is proof for a 401 of a key that never worked; one that worked
 * before, and a 403, which may be about the resource, take two different calls.
 */
export function noteProof(event: OutcomeEvent, id: string, recent: RecentOutcome): void {
  const { pool, lease, endpoint } = event;
  const key = find(pool, 'key', id);
  if (!key || (event.key && !sameLabels(lease, key, event.key))) return;
  key.proofs.add(recent.signature ?? recent.call);
  const unauthorized = wasRefusedWith(pool.recentOutcomes, id, 401);
  const enough = !key.proven && (unauthorized || key.refusals >= 2) ? 1 : 2;
  if (key.proofs.size < enough) return;
  const where = endpoint ? ` at ${endpoint.name}` : '';
  const why = `refused${where} where another key passed the same call (${key.refusals} refused in a row)`;
  decide(event, key, { type: 'quarantine', why });
}

function exonerate(key: MemberState | null): void {
  if (key) key.refusals = Math.max(0, key.refusals - 1);
}

function quotaSharers(event: OutcomeEvent, key: MemberState): MemberState[] {
  const { pool, lease } = event;
  const group = keySpec(event.lease, key)?.quotaGroup;
  const ids = lease.spec.keys.filter((spec) => spec.quotaGroup === group).map((spec) => spec.id);
  return ids.map((id) => find(pool, 'key', id)).filter((sharer) => sharer !== null);
}
