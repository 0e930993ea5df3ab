import { GATE_RULES, OUTCOME_KINDS, type Gate, type Transition } from '../../core/types.ts';
import { isFault, recoveries } from '../../core/verdict/recovery.ts';
import { identityOf, routeNumber, type Target } from '../../core/verdict/route.ts';
import { shorten, withinDates } from '../../shared/format.ts';
import type { GembaRecord } from '../../shared/record.ts';
import { type RecordedRequest, REQUEST_FLAGS } from '../../shared/recorded-request.ts';
import type {
  CollectedLease,
  CollectedResult,
  CollectedTest,
  RunState,
  SeenRequest,
  Waited,
} from './run-state.ts';
import { membersOf } from './own-record.ts';
import { memberKeyOf } from '../report/member-names.ts';
import {
  EndpointCounts,
  getOrCreate,
  KeyCounts,
  type MemberCounts,
  type PoolCounts,
  type StrategyCounts,
} from './counts.ts';

type RecordedLease = GembaRecord['leases'][number];

/** Errors kept for the report; further ones are counted, not kept. */
const MAX_ERRORS = 500;
const MAX_MESSAGE = 1000;
/** Requests of passed first attempts that a report shows, over the whole run. */
const MAX_REQUESTS_SHOWN = 20_000;
/** A record with more shards is not believed: each missing shard is listed. */
const MAX_SHARDS = 10_000;

/** Which leases were counted, and the waits that they are added to. */
interface CountedLeases {
  readonly names: Set<string>;
  readonly waited: Waited;
}

/** Adds the record of a result to the run and to the result. */
export function ingest(
  runState: RunState,
  record: GembaRecord,
  test: CollectedTest,
  result: CollectedResult,
): void {
  const counted: CountedLeases = { names: new Set(), waited: result.waited };
  ingestMembers(runState, record);
  ingestRun(runState, record);
  const leases = record.leases.map((lease) => countedLease(runState, ingestLease(runState, lease, counted)));
  ingestRequests(runState, record, leases, result);
  ingestTokens(runState, record);
  ingestErrors(runState, record, test.id);
  ingestStrategies(runState, record);
  ingestRefusals(runState, record, test.id, result);
  ingestResult(runState, record, result);
  ingestEnd(runState, record, result);
  result.leases.push(...leases.map(({ lease }) => lease));
  addWaits(runState.waited, result.waited);
  keepRequests(runState, result);
}

function addWaits(sum: Waited, { leasesMs, rateLimitsMs, retriesMs }: Waited): void {
  sum.leasesMs += leasesMs;
  sum.rateLimitsMs += rateLimitsMs;
  sum.retriesMs += retriesMs;
}

function ingestResult(runState: RunState, record: GembaRecord, result: CollectedResult): void {
  runState.calls += record.calls;
  runState.requestsOmitted += record.requestsOmitted;
  result.requestsOmitted += record.requestsOmitted;
  const { retryWaitsMs = 0 } = record;
  result.waited.retriesMs += retryWaitsMs;
  result.waited.rateLimitsMs = Math.max(0, result.waited.rateLimitsMs - retryWaitsMs);
  result.worker = record.worker;
  result.shard = shardOf(record.shard)?.current ?? 1;
  result.degraded ||= record.degraded;
  result.pinned ??= record.pinned;
  result.refused ||= record.refused === true;
  result.workerVerdict = record.verdict ?? result.workerVerdict;
}

/** What a worker saw as the attempt ended, for its verdict. */
function ingestEnd(runState: RunState, record: GembaRecord, result: CollectedResult): void {
  for (const fault of record.foreign ?? []) result.foreign.push({ ...fault, route: routeNumber(fault) });
  for (const asked of record.evidence ?? []) {
    const { payload, method, path, operation, ...came } = asked;
    const target = { method, path, operation };
    runState.view.add({ ...came, route: routeNumber(target), identity: identityOf(target, payload) });
    result.evidence.push({ ...came, target });
  }
  if (!record.atEnd) return;
  result.outOfService.push(...record.atEnd.outOfService);
  result.extendedMs = Math.max(0, record.atEnd.extendedMs);
  result.unextendedMs = Math.max(0, record.atEnd.unextendedMs);
}

/** `2/3` → shard 2 of 3. */
function shardOf(text: string | null): { current: number; total: number } | null {
  const match = /^(\d+)\/(\d+)$/.exec(text ?? '');
  const [current, total] = [Number(match?.[1]), Number(match?.[2])];
  return match && current <= total && total <= MAX_SHARDS ? { current, total } : null;
}

function ingestRun(runState: RunState, record: GembaRecord): void {
  const { startedAt, revision, gate } = record;
  if (revision !== null && startedAt >= (runState.revision?.at ?? -Infinity)) {
    runState.revision = { at: startedAt, value: revision };
  }
  if (revision !== null) {
    runState.revisions.set(revision, Math.min(startedAt, runState.revisions.get(revision) ?? startedAt));
  }
  for (const state of record.revisions ?? []) runState.configStates.add(state);
  // With a revision in force, its states have them. Without one, the file was not valid at the start.
  if (!record.revisions || revision === null)
    for (const error of record.configErrors) runState.configErrors.add(error);
  for (const error of record.brokerErrors ?? []) runState.brokerErrors.add(error);
  if (gate) runState.gate = runState.gate ? stricter(runState.gate, gate) : gate;
  const shard = shardOf(record.shard);
  if (shard) {
    runState.shards.total = Math.max(runState.shards.total, shard.total);
    runState.shards.present.add(shard.current);
  }
  for (const estimate of record.routerEstimates ?? []) {
    const name = memberKeyOf(estimate);
    if ((runState.routerEstimates.get(name)?.at ?? -Infinity) <= estimate.at)
      runState.routerEstimates.set(name, estimate);
  }
  for (const minted of record.mintedTokens ?? [])
    runState.mintedTokens.set([minted.pool, minted.key, minted.at].join('\n'), minted);
  for (const transition of record.transitions) {
    runState.transitions.set(`${transition.broker}\n${transition.seq}`, transition);
    noteMember(runState, transition);
  }
}

function stricter(a: Gate, b: Gate): Gate {
  const rules = GATE_RULES.map((on) => [on, a[on] === 'fail' || b[on] === 'fail' ? 'fail' : 'warn'] as const);
  return Object.fromEntries(rules) as Gate;
}

function ingestMembers(runState: RunState, record: GembaRecord): void {
  for (const listed of record.memberList ?? []) {
    const { name, endpoints, keys } = listed;
    for (const member of membersOf(listed)) runState.members.add(member);
    const pool = poolOf(runState, name);
    for (const endpoint of endpoints) endpointOf(pool, endpoint.name).url = withoutSecrets(endpoint.url);
    for (const key of keys) keyOf(pool, key.name).fingerprint = key.fingerprint;
  }
  if (!record.healthSnapshots) return;
  for (const snapshot of record.healthSnapshots) noteMember(runState, snapshot);
  const shard = record.shard ?? '';
  if ((runState.healthSnapshots.get(shard)?.at ?? -Infinity) > record.startedAt) return;
  runState.healthSnapshots.set(shard, { at: record.startedAt, healthSnapshots: record.healthSnapshots });
}

function ingestLease(runState: RunState, lease: RecordedLease, counted: CountedLeases): CollectedLease {
  const { id, pool, endpoint, key, waitedMs, heldMs, ofVendor = false, rerouted = false } = lease;
  const name = `${id}\n${pool}\n${endpoint}\n${key}`;
  // A worker's lease is in the record of each of its tests; the first one counts.
  const names = lease.scope === 'worker' ? runState.workerLeases : counted.names;
  countLease(runState, lease, name, { ...counted, names });
  return { pool, endpoint, key, waitedMs, heldMs, requests: 0, failures: 0, ofVendor, rerouted };
}

function countLease(
  runState: RunState,
  lease: RecordedLease,
  name: string,
  { names, waited }: CountedLeases,
): void {
  if (!names.has(lease.id)) runState.all.leases++;
  if (names.has(name)) return;
  names.add(lease.id).add(name);
  waited.leasesMs += lease.waitedMs;
  const pool = poolOf(runState, lease.pool);
  if (lease.endpoint !== null) endpointOf(pool, lease.endpoint).leases++;
  if (lease.key !== null) keyOf(pool, lease.key).leases++;
}

function ingestTokens(runState: RunState, record: GembaRecord): void {
  for (const { pool, key, model, tokens, estimated } of record.tokens ?? []) {
    const counts = keyOf(poolOf(runState, pool), key);
    counts.tokens = (counts.tokens ?? 0) + Math.max(0, tokens);
    counts.tokensEstimated = (counts.tokensEstimated ?? 0) + Math.max(0, estimated);
    if (model !== null)
      counts.tokensByModel.set(model, (counts.tokensByModel.get(model) ?? 0) + Math.max(0, tokens));
  }
}

/** A lease with the counts of its members, looked up once for all its requests. */
interface CountedLease {
  readonly lease: CollectedLease;
  readonly endpoint: MemberCounts | null;
  readonly key: MemberCounts | null;
}

function countedLease(runState: RunState, lease: CollectedLease): CountedLease {
  const { pool: name, endpoint, key } = lease;
  const pool = poolOf(runState, name);
  return {
    lease,
    endpoint: endpoint === null ? null : endpointOf(pool, endpoint),
    key: key === null ? null : keyOf(pool, key),
  };
}

function ingestRequests(
  runState: RunState,
  record: GembaRecord,
  leases: readonly CountedLease[],
  result: CollectedResult,
): void {
  const targets = (record.targets ?? []).map((target) => ({ ...target, route: routeNumber(target) }));
  for (const request of record.requests) {
    const [after, leaseIndex, kindIndex, , durationMs, , waitedMs, target = -1, , flags = 0] = request;
    const at = withinDates(record.startedAt + after);
    const kind = OUTCOME_KINDS[kindIndex]!;
    const failed = isFault(kind);
    const counted = { kind, durationMs };
    if ((flags & REQUEST_FLAGS.signIn) > 0) {
      const signIn = leases[leaseIndex];
      if (signIn && failed)
        result.requests.push(seenRequest(request, at, signIn.lease, targets[target] ?? NO_TARGET));
      continue;
    }
    runState.all.add(counted);
    result.waited.rateLimitsMs += waitedMs;
    runState.timeline.add(at, failed, durationMs);
    const counts = leases[leaseIndex];
    if (!counts) continue;
    const { lease } = counts;
    lease.requests++;
    if (failed) lease.failures++;
    counts.endpoint?.add(counted, at);
    counts.key?.add(counted, at);
    result.requests.push(seenRequest(request, at, lease, targets[target] ?? NO_TARGET));
  }
}

const NO_TARGET = { method: '', path: '', route: null };

function seenRequest(
  request: RecordedRequest,
  at: number,
  { pool, endpoint, key, ofVendor }: CollectedLease,
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
    operation: target.operation,
    route: target.route,
    identity: identityOf(target, payload),
    unsent: (flags & REQUEST_FLAGS.unsent) > 0,
    afterError: (flags & REQUEST_FLAGS.afterError) > 0,
    ofVendor,
    recovered: null,
  };
}

/** Marks the requests that recovered, which the whole attempt decides; then drops those that no report shows. */
function keepRequests(runState: RunState, result: CollectedResult): void {
  const { requests } = result;
  recoveries(requests).forEach((recovered, index) => {
    const request = requests[index]!;
    request.recovered = recovered;
    runState.view.add(request);
    if (recovered === false && result.status === 'passed') runState.view.addExpected(request);
  });
  if (result.status === 'passed')
    for (const fault of result.foreign) runState.view.addExpected({ ...fault, pool: fault.origin });
  if (result.failed || result.retry > 0) return;
  const kept = Math.max(0, Math.min(requests.length, MAX_REQUESTS_SHOWN - runState.requestsKept));
  runState.requestsKept += kept;
  result.requestsOmitted += requests.length - kept;
  requests.length = kept;
}

function ingestErrors(runState: RunState, record: GembaRecord, testId: string): void {
  for (const { lease, ...error } of record.errors) {
    if (runState.errors.length >= MAX_ERRORS) {
      runState.errorsCut++;
      continue;
    }
    const { pool = '', endpoint = null, key = null } = record.leases[lease] ?? {};
    const message = shorten(error.message, MAX_MESSAGE);
    runState.errors.push({ ...error, message, pool, endpoint, key, testId });
  }
}

function ingestStrategies(runState: RunState, record: GembaRecord): void {
  for (const { at, task, name, ok, durationMs, fallback } of record.strategies) {
    const tally = strategyOf(runState, task, name);
    tally.runs++;
    if (ok !== null) tally.totalMs += durationMs;
    if (ok === true) tally.successes++;
    if (ok === false) tally.failures++;
    if (fallback) tally.fallbacks++;
    else if (at !== undefined) tally.chosenAt.push(at);
  }
  for (const { task, name, ...estimate } of record.strategyEstimates ?? []) {
    const tally = strategyOf(runState, task, name);
    if (estimate.at >= (tally.estimate?.at ?? -Infinity)) tally.estimate = estimate;
  }
}

function strategyOf(runState: RunState, task: string, name: string): StrategyCounts {
  return getOrCreate(runState.strategies, `${task}\n${name}`, () => {
    const counts = { runs: 0, successes: 0, failures: 0, fallbacks: 0, totalMs: 0 };
    return { task, name, ...counts, chosenAt: [], estimate: null };
  });
}

function ingestRefusals(
  runState: RunState,
  record: GembaRecord,
  testId: string,
  result: CollectedResult,
): void {
  for (const { pool, fallbackPool, isMistake, isEvidence, why } of record.refusals ?? []) {
    if (fallbackPool === null) {
      if (isEvidence) result.unmet.push({ pool, isMistake, why });
    } else {
      const name = [pool, fallbackPool, why].join('\n');
      getOrCreate(runState.fallbacks, name, () => ({ pool, fallbackPool, why, tests: new Set() })).tests.add(
        testId,
      );
    }
  }
}

/** A member with a state is shown, even where no member list or lease names it. */
function noteMember(runState: RunState, member: Pick<Transition, 'pool' | 'endpoint' | 'key'>): void {
  const pool = poolOf(runState, member.pool);
  if (member.endpoint !== null) endpointOf(pool, member.endpoint);
  if (member.key !== null) keyOf(pool, member.key);
}

function poolOf(runState: RunState, name: string): PoolCounts {
  return getOrCreate(runState.pools, name, () => ({ name, endpoints: new Map(), keys: new Map() }));
}

function endpointOf(pool: PoolCounts, name: string): EndpointCounts {
  return getOrCreate(pool.endpoints, name, () => new EndpointCounts());
}

function keyOf(pool: PoolCounts, name: string): KeyCounts {
  return getOrCreate(pool.keys, name, () => new KeyCounts());
}

/** An address may hold a user, a password or a key. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (!parsed.username && !parsed.password && !parsed.search && !parsed.hash) return url;
  parsed.username = parsed.password = parsed.search = parsed.hash = '';
  return parsed.href;
}
