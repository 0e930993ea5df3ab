import { OUTCOME_KINDS, type Gate, type GateRule, type Transition } from '../../core/types.ts';
import { isFault, recoveries } from '../../core/verdict/recovery.ts';
import { identityOf, routeNumber, type Target } from '../../core/verdict/route.ts';
import { shorten, withinDates } from '../../shared/format.ts';
import type { GembaRecord } from '../../shared/record.ts';
import { type RecordedRequest, REQUEST_FLAGS } from '../../shared/recorded-request.ts';
import type { Collected, SeenHolding, SeenRequest, SeenResult, SeenTest } from './collected.ts';
import { subjectName } from '../report/members.ts';
import {
  EndpointTally,
  ensure,
  KeyTally,
  type MemberTally,
  type PoolTally,
  type StrategyTally,
} from './tally.ts';

type RecordedLease = GembaRecord['leases'][number];

/** Errors kept for the report; further ones are counted, not kept. */
const MAX_ERRORS = 500;
const MAX_MESSAGE = 1000;
/** Requests of passed first attempts that a report shows, over the whole run. */
const MAX_REQUESTS_SHOWN = 20_000;
/** A record that speaks of more parts is none of a run: each that is missing would be counted. */
const MAX_SHARDS = 10_000;

/** What the records of one result have told so far of its leases. */
interface Announced {
  readonly holdings: Map<string, SeenHolding>;
  readonly seen: Set<string>;
}

/** Add what the records of a result tell, to the run and to the result. A result may have several records. */
export function ingest(
  collected: Collected,
  records: readonly GembaRecord[],
  test: SeenTest,
  result: SeenResult,
): void {
  const told: Announced = { holdings: new Map(), seen: new Set() };
  for (const record of records) {
    absorbRoster(collected, record);
    absorbRun(collected, record);
    const places = record.leases.map((lease) => placeOf(collected, absorbLease(collected, lease, told)));
    ingestRequests(collected, record, places, result);
    absorbErrors(collected, record, test.id);
    absorbStrategies(collected, record);
    absorbRefusals(collected, record, test.id, result);
    absorbResult(collected, record, result);
  }
  result.leases.push(...told.holdings.values());
  keepRequests(collected, result);
}

function absorbResult(collected: Collected, record: GembaRecord, result: SeenResult): void {
  collected.calls += record.calls;
  collected.requestsOmitted += record.requestsOmitted;
  result.requestsOmitted += record.requestsOmitted;
  result.worker = record.worker;
  result.shard = shardOf(record.shard)?.current ?? 1;
  result.degraded ||= record.degraded;
  result.pinned ||= record.pinned !== null;
  result.refused ||= record.refused === true;
  result.told = record.verdict ?? result.told;
}

/** `2/3` → part 2 of 3. */
function shardOf(text: string | null): { current: number; total: number } | null {
  const match = /^(\d+)\/(\d+)$/.exec(text ?? '');
  const [current, total] = [Number(match?.[1]), Number(match?.[2])];
  return match && current <= total && total <= MAX_SHARDS ? { current, total } : null;
}

function absorbRun(collected: Collected, record: GembaRecord): void {
  const { startedAt, revision, gate } = record;
  if (revision !== null && startedAt >= (collected.revision?.at ?? -Infinity)) {
    collected.revision = { at: startedAt, value: revision };
  }
  if (revision !== null) {
    collected.revisions.set(revision, Math.min(startedAt, collected.revisions.get(revision) ?? startedAt));
  }
  if (record.revisions) for (const state of record.revisions) collected.configStates.add(state);
  else for (const error of record.configErrors) collected.configErrors.add(error);
  if (gate) collected.gate = collected.gate ? stricter(collected.gate, gate) : gate;
  const shard = shardOf(record.shard);
  if (shard) {
    collected.shards.total = Math.max(collected.shards.total, shard.total);
    collected.shards.present.add(shard.current);
  }
  for (const estimate of record.routerEstimates ?? []) {
    const name = subjectName(estimate);
    if ((collected.routerEstimates.get(name)?.at ?? -Infinity) <= estimate.at)
      collected.routerEstimates.set(name, estimate);
  }
  for (const transition of record.transitions) {
    collected.transitions.set(`${transition.broker}\n${transition.seq}`, transition);
    noteMember(collected, transition);
  }
}

function stricter(a: Gate, b: Gate): Gate {
  const pick = (on: GateRule): 'fail' | 'warn' => (a[on] === 'fail' || b[on] === 'fail' ? 'fail' : 'warn');
  const [product, environment] = [pick('product'), pick('environment')];
  return { product, environment, unknown: pick('unknown'), degraded: pick('degraded') };
}

function absorbRoster(collected: Collected, record: GembaRecord): void {
  for (const { name, endpoints, keys } of record.memberList ?? []) {
    const pool = poolOf(collected, name);
    for (const endpoint of endpoints) endpointOf(pool, endpoint.name).url = withoutSecrets(endpoint.url);
    for (const key of keys) keyOf(pool, key.name).fingerprint = key.fingerprint;
  }
  if (!record.healthSnapshots) return;
  for (const standing of record.healthSnapshots) noteMember(collected, standing);
  const shard = record.shard ?? '';
  if ((collected.healthSnapshots.get(shard)?.at ?? -Infinity) > record.startedAt) return;
  collected.healthSnapshots.set(shard, { at: record.startedAt, healthSnapshots: record.healthSnapshots });
}

function absorbLease(collected: Collected, lease: RecordedLease, told: Announced): SeenHolding {
  const { id, pool, endpoint, key, waitedMs, heldMs } = lease;
  const name = `${id}\n${pool}\n${endpoint}\n${key}`;
  const known = told.holdings.get(name);
  if (known) {
    known.waitedMs = Math.max(known.waitedMs, waitedMs);
    known.heldMs = Math.max(known.heldMs, heldMs);
    return known;
  }
  // A worker's lease comes with each of its tests and is counted with the first.
  countLease(collected, lease, name, lease.scope === 'worker' ? collected.workerLeases : told.seen);
  const holding = { pool, endpoint, key, waitedMs, heldMs, requests: 0, failures: 0 };
  told.holdings.set(name, holding);
  return holding;
}

function countLease(collected: Collected, lease: RecordedLease, name: string, seen: Set<string>): void {
  if (!seen.has(lease.id)) collected.all.leases++;
  if (seen.has(name)) return;
  seen.add(lease.id).add(name);
  collected.waitedMs += lease.waitedMs;
  const pool = poolOf(collected, lease.pool);
  if (lease.endpoint !== null) endpointOf(pool, lease.endpoint).leases++;
  if (lease.key !== null) keyOf(pool, lease.key).leases++;
}

/** A holding with the counts of its members, looked up once for all its attempts. */
interface CountedHolding {
  readonly holding: SeenHolding;
  readonly endpoint: MemberTally | null;
  readonly key: MemberTally | null;
}

function placeOf(collected: Collected, holding: SeenHolding): CountedHolding {
  const { pool: name, endpoint, key } = holding;
  const pool = poolOf(collected, name);
  return {
    holding,
    endpoint: endpoint === null ? null : endpointOf(pool, endpoint),
    key: key === null ? null : keyOf(pool, key),
  };
}

function ingestRequests(
  collected: Collected,
  record: GembaRecord,
  places: readonly CountedHolding[],
  result: SeenResult,
): void {
  const targets = (record.targets ?? []).map((target) => ({ ...target, route: routeNumber(target) }));
  for (const request of record.requests) {
    const [after, leaseIndex, kindIndex, , durationMs, , waitedMs, target = -1] = request;
    const at = withinDates(record.startedAt + after);
    const kind = OUTCOME_KINDS[kindIndex]!;
    const failed = isFault(kind);
    const counted = { kind, durationMs };
    collected.all.add(counted);
    collected.waitedMs += waitedMs;
    collected.pulse.add(at, failed, durationMs);
    const place = places[leaseIndex];
    if (!place) continue;
    const { holding } = place;
    holding.requests++;
    if (failed) holding.failures++;
    place.endpoint?.add(counted, at);
    place.key?.add(counted, at);
    result.requests.push(seenRequest(request, at, holding, targets[target] ?? NO_TARGET));
  }
}

const NO_TARGET = { method: '', path: '', route: null };

function seenRequest(
  request: RecordedRequest,
  at: number,
  { pool, endpoint, key }: SeenHolding,
  target: Target & { readonly route: number | null },
): SeenRequest {
  const [, , kindIndex, status, durationMs, call, waitedMs, , payload = 0, flags = 0] = request;
  return {
    pool,
    endpoint,
    key,
    kind: OUTCOME_KINDS[kindIndex]!,
    status: status === 0 ? null : status,
    at,
    durationMs: durationMs < 0 ? null : durationMs,
    elapsedMs: Math.abs(durationMs),
    waitedMs,
    call,
    method: target.method,
    path: target.path,
    route: target.route,
    identity: identityOf(target, payload),
    unsent: (flags & REQUEST_FLAGS.unsent) > 0,
    afterError: (flags & REQUEST_FLAGS.afterError) > 0,
    recovered: null,
  };
}

/** What the whole of an attempt says of its requests; then those that no report will show are let go. */
function keepRequests(collected: Collected, result: SeenResult): void {
  const { requests } = result;
  recoveries(requests).forEach((recovered, index) => {
    const request = requests[index]!;
    request.recovered = recovered;
    collected.replicas.add(request);
    if (isFault(request.kind)) result.faults.push(request);
  });
  if (result.failed || result.retry > 0) return;
  const kept = Math.max(0, Math.min(requests.length, MAX_REQUESTS_SHOWN - collected.requestsKept));
  collected.requestsKept += kept;
  result.requestsOmitted += requests.length - kept;
  requests.length = kept;
}

function absorbErrors(collected: Collected, record: GembaRecord, testId: string): void {
  for (const { lease, ...error } of record.errors) {
    if (collected.errors.length >= MAX_ERRORS) {
      collected.errorsCut++;
      continue;
    }
    const { pool = '', endpoint = null, key = null } = record.leases[lease] ?? {};
    const message = shorten(error.message, MAX_MESSAGE);
    collected.errors.push({ ...error, message, pool, endpoint, key, testId });
  }
}

function absorbStrategies(collected: Collected, record: GembaRecord): void {
  for (const { at, task, name, ok, durationMs, fallback } of record.strategies) {
    const tally = strategyOf(collected, task, name);
    tally.runs++;
    if (ok !== null) tally.totalMs += durationMs;
    if (ok === true) tally.successes++;
    if (ok === false) tally.failures++;
    if (fallback) tally.fallbacks++;
    else if (at !== undefined) tally.chosenAt.push(at);
  }
  for (const { task, name, ...estimate } of record.strategyEstimates ?? []) {
    const tally = strategyOf(collected, task, name);
    if (estimate.at >= (tally.estimate?.at ?? -Infinity)) tally.estimate = estimate;
  }
}

function strategyOf(collected: Collected, task: string, name: string): StrategyTally {
  return ensure(collected.strategies, `${task}\n${name}`, () => {
    const counts = { runs: 0, successes: 0, failures: 0, fallbacks: 0, totalMs: 0 };
    return { task, name, ...counts, chosenAt: [], estimate: null };
  });
}

function absorbRefusals(collected: Collected, record: GembaRecord, testId: string, result: SeenResult): void {
  for (const { pool, fallbackPool, why } of record.refusals ?? []) {
    if (fallbackPool === null) result.unleased = true;
    else {
      const name = [pool, fallbackPool, why].join('\n');
      ensure(collected.fallbacks, name, () => ({ pool, fallbackPool, why, tests: new Set() })).tests.add(
        testId,
      );
    }
  }
}

/** A member that changed is shown, also where no roster or lease has told of it. */
function noteMember(collected: Collected, member: Pick<Transition, 'pool' | 'endpoint' | 'key'>): void {
  const pool = poolOf(collected, member.pool);
  if (member.endpoint !== null) endpointOf(pool, member.endpoint);
  if (member.key !== null) keyOf(pool, member.key);
}

function poolOf(collected: Collected, name: string): PoolTally {
  return ensure(collected.pools, name, () => ({ name, endpoints: new Map(), keys: new Map() }));
}

function endpointOf(pool: PoolTally, name: string): EndpointTally {
  return ensure(pool.endpoints, name, () => new EndpointTally());
}

function keyOf(pool: PoolTally, name: string): KeyTally {
  return ensure(pool.keys, name, () => new KeyTally());
}

/** An address may carry a user, a password or a key; none of them belongs in a report. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (!parsed.username && !parsed.password && !parsed.search && !parsed.hash) return url;
  parsed.username = parsed.password = parsed.search = parsed.hash = '';
  return parsed.href;
}
