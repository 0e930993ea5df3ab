import { attribute, type AuthSent, type Blame, type Locality } from './attribution.ts';
import { RECHECK_MS, worked } from './checks.ts';
import {
  everOnRequest,
  failingAlikeElsewhere,
  inSameCall,
  onSameRequest,
  refusedOnlyHere,
  remember,
  type Seen,
  wasRefusedWith,
} from './comparison.ts';
import { areMany, clearMarks, mark } from './guard.ts';
import { isOut, untilOf } from './health.ts';
import { openGate } from './holding.ts';
import { laneOf } from './lane.ts';
import { learnPace, noteServed } from './learned-pace.ts';
import { settleTurn } from './pace.ts';
import {
  changeHealth,
  type Context,
  type HealthChange,
  isSuspect,
  type LeaseState,
  type PoolState,
  type Subject,
} from './subject.ts';
import { works } from './roster.ts';
import type { KeySpec, OutcomeKind } from './types.ts';

/** What a link tells of one attempt of a call. */
export interface AttemptReport {
  readonly call: string;
  /** Which attempt of its call this is, from 1. */
  readonly attempt: number;
  readonly signature: string | null;
  readonly auth: AuthSent;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  /** Null where no response came. */
  readonly durationMs: number | null;
  readonly retryAfterMs: number | null;
  readonly unsent: boolean;
  /** Whether it may have been this machine's own network; absent: no. */
  readonly local?: Locality | undefined;
  /** The limit that was met is the asked model's, not the whole key's; absent: not known. */
  readonly perModel?: boolean | undefined;
  /** The model that the call was for; absent: as the lease has it. */
  readonly model?: string | undefined;
  /** The member that the attempt went to, which the lease may have left since. */
  readonly endpoint: string | null;
  readonly key: string | null;
}

const EXHAUSTED_MS = 3_600_000;
const CUT_OFF_MS = 60_000;
const THROTTLED_MS = 1_000;
const MAX_THROTTLED_MS = 60_000;
/** A key that was served this recently is not throttled as a whole. */
const ALIVE_MS = 5_000;

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
  const blame = attribute({ ...report, protocol: lease.spec.protocol });
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

interface Settling {
  readonly pool: PoolState;
  readonly lease: LeaseState;
  readonly report: AttemptReport;
  readonly endpoint: Subject | null;
  readonly key: Subject | null;
  readonly context: Context;
  readonly changes: HealthChange[];
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
  key.proofs.clear();
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

/** The vendor's own words prove it, unless many keys are refused alike at one endpoint. */
function invalid(event: Settling): void {
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
function exhausted(event: Settling): void {
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

/** Keys that were blamed like this one at this endpoint within moments, where that says that it is the endpoint. */
function blamedAlike(event: Settling, what: 'refused' | 'throttled'): Subject[] {
  const { pool, endpoint, key, context } = event;
  if (!endpoint || !key) return [];
  const ids = mark(pool.marks, endpoint.id, key.id, what, context.now);
  const usable = usableKeys(event, endpoint);
  const blamed = usable.filter((spec) => ids.includes(spec.id));
  // Keys of one quota are throttled together; that is one case.
  const count = (specs: readonly KeySpec[]): number =>
    what === 'refused' ? specs.length : new Set(specs.map((spec) => spec.quotaGroup)).size;
  if (!areMany(count(blamed), count(usable), what)) return [];
  return blamed.map((spec) => find(pool, 'key', spec.id)).filter((subject) => subject !== null);
}

function usableKeys({ lease }: Settling, endpoint: Subject): KeySpec[] {
  return lease.spec.keys.filter((spec) => spec.enabled && spec.weight > 0 && works(spec, endpoint.name));
}

function acquitKeys(event: Settling, keys: readonly Subject[], why: string): void {
  for (const key of keys) {
    const { state } = key.health;
    if (state === 'quarantined' || state === 'cooling') change(event, key, { type: 'reset', why });
  }
}

/** A refusal is the caller's own until the same safe call passes with another, equal key. */
function refused(event: Settling): void {
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

function forgive(key: Subject | null): void {
  if (key) key.refusals = Math.max(0, key.refusals - 1);
}

/**
 * Another key passed where this one was refused. Once is proof for a 401 of a key that never worked; one that worked
 * before, and a 403, which may be about the resource, take two different calls.
 */
function prove(event: Settling, id: string, seen: Seen): void {
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

function throttled(event: Settling): void {
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

function quotaSharers(event: Settling, key: Subject): Subject[] {
  const { pool, lease } = event;
  const group = keySpec(event.lease, key)?.quotaGroup;
  const ids = lease.spec.keys.filter((spec) => spec.quotaGroup === group).map((spec) => spec.id);
  return ids.map((id) => find(pool, 'key', id)).filter((sharer) => sharer !== null);
}

/** Counts a fault of an endpoint, unless every endpoint fails alike: then the product gives that answer. */
function failed(event: Settling, blame: Blame): void {
  const { pool, lease, report, endpoint, context } = event;
  if (!endpoint) return;
  if (blame === 'unreachable' && isCutOff(event, endpoint)) return;
  learn(event, endpoint, false);
  const what = `${report.kind}${statusOf(report)}`;
  if (blame !== 'endpoint') {
    note(event, 'failed');
    if (lease.spec.endpoints.length > 1) {
      change(event, endpoint, { type: 'fault', why: `${what}: nothing answers there` });
      endpoint.checks.sawFault = true;
    }
    return;
  }
  const seen = note(event, 'failed');
  const about = seen.signature ?? seen.call;
  const elsewhere = failingAlikeElsewhere(pool.comparisons, seen);
  if (elsewhere.length > 0) return acquit(event, [endpoint.id, ...elsewhere], about);
  endpoint.faults.push({ about, at: context.now });
  const onTrial = endpoint.health.state === 'half-open';
  if (!onTrial && endpoint.faults.length < lease.spec.maxFailures) return;
  if (!onTrial && !othersServe(event, endpoint)) return;
  change(event, endpoint, { type: 'fault', why: `${what}, ${endpoint.faults.length} in a row` });
}

/**
 * No way to any endpoint within the last minute, and no answer from one since: this machine has no network, and nobody
 * is to blame. One endpoint alone tells nothing; it is not ejected anyway.
 */
function isCutOff(event: Settling, endpoint: Subject): boolean {
  const { pool, lease, context } = event;
  endpoint.unreachableAt = context.now;
  const used = lease.spec.endpoints.filter((spec) => spec.enabled && spec.weight > 0);
  const subjects = used.map((spec) => find(pool, 'endpoint', spec.id));
  const isLost = (subject: Subject | null): boolean =>
    subject !== null &&
    context.now - subject.unreachableAt <= CUT_OFF_MS &&
    subject.lastServedAt < subject.unreachableAt;
  if (subjects.length < 2 || !subjects.every(isLost)) return false;
  for (const subject of subjects) {
    if (subject?.health.state !== 'ejected') continue;
    change(event, subject, { type: 'reset', why: 'no endpoint can be reached: this machine has no network' });
  }
  return true;
}

/** Takes back what was counted, and an ejection that only that caused. */
function acquit(event: Settling, ids: readonly string[], about: string): void {
  for (const id of ids) {
    const endpoint = find(event.pool, 'endpoint', id);
    if (!endpoint) continue;
    const counted = endpoint.faults.length;
    endpoint.faults = endpoint.faults.filter((fault) => fault.about !== about);
    const cleared = counted > 0 && endpoint.faults.length === 0;
    if (cleared && endpoint.health.state === 'ejected') change(event, endpoint, { type: 'reset' });
  }
}

function othersServe(event: Settling, endpoint: Subject): boolean {
  return event.lease.spec.endpoints.some((spec) => {
    const other = find(event.pool, 'endpoint', spec.id);
    return (
      spec.id !== endpoint.id && spec.enabled && spec.weight > 0 && !isOut(other?.health.state ?? 'healthy')
    );
  });
}

/** This attempt decided about its members; only about a suspect the repetition of the call elsewhere has still to. */
function openGates(pool: PoolState, lease: LeaseState, key: Subject | null): void {
  for (const subject of pool.gated) {
    const undecided = subject === key && isSuspect(subject) && subject.health.state === 'healthy';
    if (subject.gate?.lease === lease.id && !undecided) openGate(pool, subject);
  }
}

function note(event: Settling, result: Seen['result']): Seen {
  const { report, context } = event;
  const { call, signature, endpoint, key, status } = report;
  const seen: Seen = { call, signature, endpoint, key, status, result, at: context.now };
  remember(event.pool.comparisons, seen);
  return seen;
}

function change(event: Settling, subject: Subject | null, health: Parameters<typeof changeHealth>[2]): void {
  if (!subject) return;
  const changed = changeHealth(event.pool, subject, health, event.context.now, event.lease.spec.ejection);
  if (changed) event.changes.push(changed);
}

/** Keys and quotas that are refused are taken out by health alone; the router hears of faults and paces. */
function learn({ report, context }: Settling, subject: Subject, ok: boolean, kind?: OutcomeKind): void {
  const { durationMs, attempt, retryAfterMs } = report;
  const inFlight = Math.max(0, subject.inUse - 1);
  context.learn(subject.belief, { ok, kind, durationMs, retryAfterMs, attempt, inFlight }, context.now);
}

function keySpec(lease: LeaseState, subject: Subject): KeySpec | undefined {
  return lease.roster.keys.find((place) => place.subject === subject)?.spec;
}

function sameLabels(lease: LeaseState, one: Subject, other: Subject): boolean {
  const [labels, others] = [one, other].map((subject) => keySpec(lease, subject)?.labels ?? {});
  const names = new Set([...Object.keys(labels!), ...Object.keys(others!)]);
  return [...names].every((name) => labels![name] === others![name]);
}

function find(pool: PoolState, kind: Subject['kind'], id: string | null): Subject | null {
  return id === null ? null : (pool.subjects.get(`${kind}:${id}`) ?? null);
}

function statusOf(report: AttemptReport): string {
  return report.status === null ? '' : ` ${report.status}`;
}
