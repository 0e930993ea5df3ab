import { FRESH_MS, postponeRecheck, recheckSoon, worked } from './probe-state.ts';
import type { Effect } from '../effects.ts';
import { isOut } from './states.ts';
import { announce } from '../changes.ts';
import { probeDeadline } from './probing.ts';
import { pump } from '../leases/queue.ts';
import { rosterOf } from '../resolved-pool.ts';
import {
  changeHealth,
  type Context,
  type HealthChange,
  type PoolState,
  type Probe,
  type Subject,
} from '../state.ts';
import type { OutcomeKind, PoolSpec } from '../types.ts';

/** What a probe came to. */
export interface ProbeResult {
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  readonly unsent: boolean;
  /** What was asked: what a protocol has for the purpose answers to valid keys only, other paths perhaps to everybody. */
  readonly by: 'protocol' | 'health' | 'address';
}

const EXHAUSTED_MS = 3_600_000;
/** A probe that no link has sent after so many were asked is given up. */
const MOST_TRIES = 3;

/** Some link can send probes now, with this specification; or none can any more (null). */
export function setProber(pool: PoolState, spec: PoolSpec | null, context: Context): Effect[] {
  const isStart = pool.prober === null;
  pool.prober = spec;
  if (spec === null || !rosterOf(pool, spec, context).probed) return [];
  if (isStart) {
    for (const { kind, health, checks } of pool.subjects.values())
      if (kind === 'key' && health.state === 'quarantined') recheckSoon(checks, context.now);
  }
  return pump(pool, context);
}

/** A probe came back. */
export function probed(pool: PoolState, id: string, result: ProbeResult, context: Context): Effect[] {
  const probe = pool.probes.get(id);
  if (!probe) return [];
  // A link that could not find out: perhaps another one can.
  if (result.kind === 'caller' && result.status === null) return probesLost(pool, [id], context);
  end(pool, probe);
  const event: Probed = { pool, probe, result, context, changes: [] };
  if (result.kind === 'server' || result.kind === 'timeout' || result.kind === 'network') failed(event);
  else answered(event);
  return [...announce(pool, event.changes), ...pump(pool, context)];
}

/** The links that were to send them are gone, or too slow: others are asked. */
export function probesLost(pool: PoolState, ids: readonly string[], context: Context): Effect[] {
  const effects: Effect[] = [];
  for (const id of ids) {
    const probe = pool.probes.get(id);
    if (!probe) continue;
    if (pool.prober !== null && probe.tries < MOST_TRIES) {
      probe.tries++;
      probe.deadline = probeDeadline(probe.spec, context.now);
      effects.push({ type: 'probe', probe });
    } else giveUp(pool, probe, context.now);
  }
  return [...effects, ...pump(pool, context)];
}

/** Another machine is at it: what it finds out is heard. */
export function probedElsewhere(pool: PoolState, id: string, context: Context): void {
  const probe = pool.probes.get(id);
  if (!probe) return;
  end(pool, probe);
  const { checks } = probe.about;
  checks.inVain++;
  checks.recheckAt = context.now + FRESH_MS;
}

/** Probes whose link did not answer in time. */
export function lateProbes(pool: PoolState, now: number): string[] {
  return [...pool.probes.values()].filter(({ deadline }) => deadline <= now).map(({ id }) => id);
}

interface Probed {
  readonly pool: PoolState;
  readonly probe: Probe;
  readonly result: ProbeResult;
  readonly context: Context;
  readonly changes: HealthChange[];
}

function end(pool: PoolState, probe: Probe): void {
  pool.probes.delete(probe.id);
  for (const subject of [probe.endpoint, probe.key]) {
    if (subject?.checks.probe === probe.id) subject.checks.probe = null;
    if (subject?.health.state === 'half-open' && subject.health.probe === probe.id)
      subject.health = { ...subject.health, probe: null };
  }
}

/** Nothing was found out: leases go again, and their own attempts decide. */
function giveUp(pool: PoolState, probe: Probe, now: number): void {
  end(pool, probe);
  for (const { checks, health } of probe.key ? [probe.endpoint, probe.key] : [probe.endpoint]) {
    checks.checkedAt = now;
    checks.cleared = true;
    if (health.state === 'quarantined') postponeRecheck(checks, now);
  }
}

/** The endpoint did not answer as it should: the key is not to blame. */
function failed(event: Probed): void {
  const { probe, result, context } = event;
  const { endpoint } = probe;
  const { checks, health } = endpoint;
  checks.checkedAt = context.now;
  checks.failing = true;
  checks.inVain++;
  if (probe.key?.health.state === 'quarantined') probe.key.checks.recheckAt = context.now + FRESH_MS;
  if (health.state === 'ejected') checks.sawFault = true;
  else if (health.state === 'half-open' || mayEject(event)) {
    change(event, endpoint, { type: 'fault', why: `its probe failed: ${result.kind}${statusOf(result)}` });
    checks.sawFault = true;
  } else if (result.kind === 'server') acquitAll(event);
}

/** Where it is the only one left, leases may as well go on; where nothing answers, only if it is the only one at all. */
function mayEject({ pool, probe, result, context }: Probed): boolean {
  if (probe.endpoint.health.state !== 'healthy') return false;
  const others = rosterOf(pool, probe.spec, context).endpoints.filter(
    ({ spec, subject }) => subject !== probe.endpoint && spec.enabled && spec.weight > 0,
  );
  if (result.unsent) return others.length > 0;
  return others.some(({ subject }) => !isOut(subject.health.state) && !subject.checks.failing);
}

/** Every endpoint's probe is answered so: it says nothing about any of them. */
function acquitAll(event: Probed): void {
  const { pool, probe, context } = event;
  for (const { subject } of rosterOf(pool, probe.spec, context).endpoints) {
    const { health } = subject;
    if (health.state !== 'ejected' || !subject.checks.failing || !health.why.startsWith('its probe failed'))
      continue;
    change(event, subject, {
      type: 'recover',
      why: 'the probes of all endpoints fail alike: none is blamed',
    });
  }
}

/** The endpoint answers; what it says of the key is another matter. */
function answered(event: Probed): void {
  const { probe, result, context } = event;
  const { endpoint, key } = probe;
  worked(endpoint.checks, context.now);
  if (result.kind === 'ok') endpoint.proven = true;
  if (endpoint.health.state === 'ejected' || endpoint.health.state === 'half-open') {
    if (endpoint.checks.sawFault) recover(event, endpoint);
    else {
      endpoint.checks.inVain++;
      endpoint.checks.cleared = endpoint.health.state === 'half-open';
    }
  }
  if (!key) return;
  key.checks.checkedAt = context.now;
  if (result.kind === 'ok') passed(event, key);
  else if (result.kind === 'auth') refused(event, key);
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
function passed(event: Probed, key: Subject): void {
  const { pool, probe, result, context } = event;
  const { checks } = probe.endpoint;
  checks.passed = { key: key.id, at: context.now };
  const others = [...checks.refused.keys()].filter((id) => id !== key.id);
  if (key.health.state === 'quarantined') {
    if (key.checks.sawFault || result.by === 'protocol') recover(event, key);
    else postponeRecheck(key.checks, context.now);
  } else if (others.length > 0 || checks.refused.has(key.id) || result.by === 'protocol') {
    key.proven = true;
    key.refusals = 0;
  }
  checks.refused.clear();
  for (const id of others) {
    const other = pool.subjects.get(`key:${id}`);
    if (other) quarantine(event, other);
  }
}

function refused(event: Probed, key: Subject): void {
  const { probe, context } = event;
  const { passed: good, refused: bad } = probe.endpoint.checks;
  if (key.health.state === 'quarantined') {
    key.checks.sawFault = true;
    postponeRecheck(key.checks, context.now);
  } else if (isVendors(probe) || (good && good.key !== key.id && context.now - good.at < FRESH_MS)) {
    quarantine(event, key);
  } else {
    bad.set(key.id, context.now);
    key.refusals++;
  }
}

function quarantine(event: Probed, key: Subject): void {
  const { probe, result, context } = event;
  const than = isVendors(probe) ? '' : ', where another key passes it';
  const status = result.kind === 'auth' ? statusOf(result) : '';
  change(event, key, {
    type: 'quarantine',
    why: `its probe at ${probe.endpoint.name} was refused${status}${than}`,
  });
  key.checks.sawFault = true;
  postponeRecheck(key.checks, context.now);
}

/** Under plain HTTP a path may be forbidden to everybody; a vendor's refusal is about the key. */
function isVendors({ spec }: Probe): boolean {
  return spec.protocol !== 'http';
}

function recover(event: Probed, subject: Subject): void {
  change(event, subject, { type: 'recover', why: `its probe went well${statusOf(event.result)}` });
}

function change(event: Probed, subject: Subject, health: Parameters<typeof changeHealth>[2]): void {
  const { pool, probe, context, changes } = event;
  const changed = changeHealth(pool, subject, health, context.now, probe.spec.ejection);
  if (changed) changes.push(changed);
}

function statusOf({ status }: ProbeResult): string {
  return status === null ? '' : ` (${status})`;
}
