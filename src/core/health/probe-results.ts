import { FRESH_MS, postponeRecheck, recheckSoon, markWorking } from './probe-state.ts';
import {
  type Effect,
  type Context,
  type HealthChange,
  type PoolState,
  type Probe,
  type MemberState,
} from '../state.ts';
import { emitChanges } from '../changes.ts';
import { probeDeadline } from './probing.ts';
import { schedule } from '../leases/queue.ts';
import { resolvePool } from '../resolved-pool.ts';
import { changeHealth } from './change.ts';
import { whyDown } from '../blame/words.ts';
import type { OutcomeKind, PoolSpec } from '../types.ts';

/** What a probe asks: what a protocol has for the purpose answers to valid keys only, other paths perhaps to everybody. */
export const PROBE_SUBJECTS = ['protocol', 'health', 'address'] as const;

/** What a probe came to. */
export interface ProbeResult {
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  readonly unsent: boolean;
  /** Code of the error that ended it, where one is known. */
  readonly code?: string | undefined;
  readonly by: (typeof PROBE_SUBJECTS)[number];
}

const EXHAUSTED_MS = 3_600_000;
/** A probe that no link has sent after so many were asked is given up. */
const MOST_TRIES = 3;

/** Some link can send probes now, with this specification; or none can any more (null). */
export function setProber(pool: PoolState, spec: PoolSpec | null, context: Context): Effect[] {
  const isStart = pool.prober === null;
  pool.prober = spec;
  if (spec === null || !resolvePool(pool, spec, context).probed) return [];
  if (isStart) {
    for (const { kind, health, probeState } of pool.members.values())
      if (kind === 'key' && health.state === 'quarantined') recheckSoon(probeState, context.now);
  }
  return schedule(pool, context);
}

/** A probe came back. */
export function applyProbeResult(
  pool: PoolState,
  id: string,
  result: ProbeResult,
  context: Context,
): Effect[] {
  const probe = pool.probes.get(id);
  if (!probe) return [];
  // A link that could not find out: perhaps another one can.
  if (result.kind === 'caller' && result.status === null) return reassignProbes(pool, [id], context);
  endProbe(pool, probe);
  const event: ProbeEvent = { pool, probe, result, context, changes: [] };
  if (result.kind === 'server' || result.kind === 'timeout' || result.kind === 'network') onFailed(event);
  else onAnswered(event);
  return [...emitChanges(pool, event.changes), ...schedule(pool, context)];
}

/** The links that were to send them are gone, or too slow: others are asked. */
export function reassignProbes(pool: PoolState, ids: readonly string[], context: Context): Effect[] {
  const effects: Effect[] = [];
  for (const id of ids) {
    const probe = pool.probes.get(id);
    if (!probe) continue;
    if (pool.prober !== null && probe.tries < MOST_TRIES) {
      probe.tries++;
      probe.deadline = probeDeadline(probe.spec, context.now);
      effects.push({ type: 'probe', probe });
    } else abandonProbe(pool, probe, context.now);
  }
  return [...effects, ...schedule(pool, context)];
}

/** Another machine is at it: what it finds out is heard. */
export function leaveProbeToOthers(pool: PoolState, id: string, context: Context): void {
  const probe = pool.probes.get(id);
  if (!probe) return;
  endProbe(pool, probe);
  const { probeState } = probe.about;
  probeState.fruitless++;
  probeState.recheckAt = context.now + FRESH_MS;
}

/** Probes whose link did not answer in time. */
export function lateProbes(pool: PoolState, now: number): string[] {
  return [...pool.probes.values()].filter(({ deadline }) => deadline <= now).map(({ id }) => id);
}

interface ProbeEvent {
  readonly pool: PoolState;
  readonly probe: Probe;
  readonly result: ProbeResult;
  readonly context: Context;
  readonly changes: HealthChange[];
}

function endProbe(pool: PoolState, probe: Probe): void {
  pool.probes.delete(probe.id);
  for (const member of [probe.endpoint, probe.key]) {
    if (member?.probeState.probe === probe.id) member.probeState.probe = null;
    if (member?.health.state === 'half-open' && member.health.probe === probe.id)
      member.health = { ...member.health, probe: null };
  }
}

/** Nothing was found out: leases go again, and their own attempts decide. */
function abandonProbe(pool: PoolState, probe: Probe, now: number): void {
  endProbe(pool, probe);
  for (const { probeState, health } of probe.key ? [probe.endpoint, probe.key] : [probe.endpoint]) {
    probeState.checkedAt = now;
    probeState.cleared = true;
    if (health.state === 'quarantined') postponeRecheck(probeState, now);
  }
}

/** The endpoint did not answer as it should: the key is not to blame. */
function onFailed(event: ProbeEvent): void {
  const { probe, result, context } = event;
  const { endpoint } = probe;
  const { probeState, health } = endpoint;
  probeState.checkedAt = context.now;
  probeState.failing = true;
  probeState.fruitless++;
  if (probe.key?.health.state === 'quarantined') probe.key.probeState.recheckAt = context.now + FRESH_MS;
  if (health.state === 'ejected') probeState.sawFault = true;
  else if (health.state === 'half-open' || health.state === 'healthy') {
    change(event, endpoint, {
      type: 'fault',
      why: `its probe failed: ${failureOf(result)}`,
      isSeenByProbes: true,
    });
  }
}

/** The endpoint answers; what it says of the key is another matter. */
function onAnswered(event: ProbeEvent): void {
  const { probe, result, context } = event;
  const { endpoint, key } = probe;
  markWorking(endpoint.probeState, context.now);
  if (result.kind === 'ok') endpoint.proven = true;
  if (endpoint.health.state === 'ejected' || endpoint.health.state === 'half-open') {
    if (endpoint.probeState.sawFault) recover(event, endpoint);
    else {
      endpoint.probeState.fruitless++;
      endpoint.probeState.cleared = endpoint.health.state === 'half-open';
    }
  }
  if (!key) return;
  key.probeState.checkedAt = context.now;
  if (result.kind === 'ok') onKeyPassed(event, key);
  else if (result.kind === 'auth') onKeyRefused(event, key);
  else if (result.kind === 'exhausted') {
    const until = context.now + (result.retryAfterMs ?? EXHAUSTED_MS);
    change(event, key, {
      type: 'exhaust',
      until,
      why: `its quota is used up${statusOf(result)}, says its probe`,
    });
  }
}

/** A probe that refuses other keys, or that its vendor made for it, is a proof of this one. */
function onKeyPassed(event: ProbeEvent, key: MemberState): void {
  const { pool, probe, result, context } = event;
  const { probeState } = probe.endpoint;
  probeState.passed = { key: key.id, at: context.now };
  const others = [...probeState.refused.keys()].filter((id) => id !== key.id);
  if (key.health.state === 'quarantined') {
    if (key.probeState.sawFault || result.by === 'protocol') recover(event, key);
    else postponeRecheck(key.probeState, context.now);
  } else if (others.length > 0 || probeState.refused.has(key.id) || result.by === 'protocol') {
    key.proven = true;
    key.refusals = 0;
  }
  probeState.refused.clear();
  for (const id of others) {
    const other = pool.members.get(`key:${id}`);
    if (other) quarantine(event, other);
  }
}

function onKeyRefused(event: ProbeEvent, key: MemberState): void {
  const { probe, context } = event;
  const { passed: good, refused: bad } = probe.endpoint.probeState;
  if (key.health.state === 'quarantined') {
    key.probeState.sawFault = true;
    postponeRecheck(key.probeState, context.now);
  } else if (isVendors(probe) || (good && good.key !== key.id && context.now - good.at < FRESH_MS)) {
    quarantine(event, key);
  } else {
    bad.set(key.id, context.now);
    key.refusals++;
  }
}

function quarantine(event: ProbeEvent, key: MemberState): void {
  const { probe, result, context } = event;
  const than = isVendors(probe) ? '' : ', where another key passes it';
  const status = result.kind === 'auth' ? statusOf(result) : '';
  change(event, key, {
    type: 'quarantine',
    why: `its probe at ${probe.endpoint.name} was refused${status}${than}`,
  });
  key.probeState.sawFault = true;
  postponeRecheck(key.probeState, context.now);
}

/** Under plain HTTP a path may be forbidden to everybody; a vendor's refusal is about the key. */
function isVendors({ spec }: Probe): boolean {
  return spec.protocol !== 'http';
}

/** What was learned of it while it was out says nothing about now. */
function recover(event: ProbeEvent, member: MemberState): void {
  event.context.renew(member.routerHandle);
  change(event, member, { type: 'recover', why: `its probe went well${statusOf(event.result)}` });
}

function change(event: ProbeEvent, member: MemberState, health: Parameters<typeof changeHealth>[2]): void {
  const { pool, probe, context, changes } = event;
  const changed = changeHealth(pool, member, health, context.now, probe.spec.ejection);
  if (changed) changes.push(changed);
}

function failureOf({ kind, status, code }: ProbeResult): string {
  if (status !== null) return `it answered ${status}`;
  return kind === 'timeout' ? 'no answer in time' : whyDown(code);
}

function statusOf({ status }: ProbeResult): string {
  return status === null ? '' : ` (${status})`;
}
