import { seededRandom } from '../../../src/core/clock.ts';
import {
  acquireLease,
  type AcquireRequest,
  dropClient,
  moveLease,
  nextTick,
  releaseLease,
  reportRequest,
  tick,
  requestPermit,
} from '../../../src/core/pool.ts';
import { type Effect, type Context, newPoolState, type PoolState } from '../../../src/core/state.ts';
import { applyProbeResult, type ProbeResult, setProber } from '../../../src/core/health/probe-results.ts';
import { type FlatReport, requestReport } from '../../harness/request-report.ts';
import type { EndpointSpec, KeySpec, OutcomeKind, PoolSpec } from '../../../src/core/types.ts';
import { contextOf } from '../../../src/broker/context.ts';
import { PoolRouting } from '../../../src/router/routing.ts';

export function endpoint(name: string, more: Partial<EndpointSpec> = {}): EndpointSpec {
  return {
    name,
    id: `${name}#e`,
    url: `https://${name}.test`,
    weight: 1,
    priority: 0,
    enabled: true,
    ...more,
  };
}

export function key(name: string, more: Partial<KeySpec> = {}): KeySpec {
  return {
    name,
    id: `${name}#k`,
    fingerprint: name,
    weight: 1,
    labels: {},
    quotaGroup: `${name}#k`,
    enabled: true,
    ...more,
  };
}

export function poolSpec(more: Partial<PoolSpec> = {}): PoolSpec {
  return {
    name: 'api',
    endpoints: [],
    keys: [],
    protocol: 'http',
    rotation: 'round-robin',
    routing: 'round-robin',
    maxFailures: 3,
    maxRetries: 3,
    timeoutMs: 5_000,
    acquireTimeoutMs: 60_000,
    ejection: { baseMs: 15_000, maxMs: 600_000 },
    retryBudget: 0.2,
    ...more,
  };
}

/** A pool with a clock that only moves when told. */
export class World {
  now = 1_000_000;
  readonly pool: PoolState = newPoolState('api');
  readonly spec: PoolSpec;
  readonly effects: Effect[] = [];
  readonly #random = seededRandom('world');
  readonly #routing = new PoolRouting(this.#random);
  #ask = 0;
  #call = 0;

  constructor(spec: PoolSpec) {
    this.spec = spec;
  }

  get context(): Context {
    return contextOf({ now: () => this.now, random: this.#random, routing: this.#routing });
  }

  /** Asks for a lease; `answer` tells what came of it so far. */
  acquireLease(lease: string, more: Partial<AcquireRequest> = {}): void {
    const to = { client: `link-${lease}`, ask: ++this.#ask };
    const request = {
      to,
      lease,
      spec: this.spec,
      need: {},
      holder: lease,
      testId: null,
      timeoutMs: 60_000,
      ...more,
    };
    this.#note(acquireLease(this.pool, request, this.context));
  }

  /** A request of a lease came to something. */
  request(lease: string, report: FlatReport): Effect[] {
    const held = this.pool.leases.get(lease)!;
    const { endpoint, key } = held;
    const usual = {
      call: `call-${++this.#call}`,
      auth: key ? 'leased' : 'none',
      endpoint: endpoint?.id ?? null,
      key: key?.id ?? null,
    } as const;
    return this.#note(reportRequest(this.pool, lease, requestReport({ ...usual, ...report }), this.context));
  }

  moveLease(
    lease: string,
    exclude: readonly string[],
    kind: OutcomeKind = 'network',
    unsent = true,
    mostMs?: number,
  ): Effect[] {
    const held = this.pool.leases.get(lease)!;
    const from = { endpoint: held.endpoint?.id ?? null, key: held.key?.id ?? null };
    const to = { client: `link-${lease}`, ask: ++this.#ask };
    return this.#note(moveLease(this.pool, { to, lease, from, exclude, kind, unsent, mostMs }, this.context));
  }

  requestPermit(
    lease: string,
    movable = true,
    model?: string,
    mostMs?: number,
    reroutable = false,
  ): Effect[] {
    const asking = { client: `link-${lease}`, ask: ++this.#ask, since: this.now };
    const waiter = { ...asking, lease, movable, model, mostMs, reroutable };
    return this.#note(requestPermit(this.pool, waiter, this.context));
  }

  /** A link that can send probes comes (or the last one goes). */
  prober(present = true): Effect[] {
    return this.#note(setProber(this.pool, present ? this.spec : null, this.context));
  }

  /** Probes under way, as `endpoint/key`, in order. */
  get probes(): string[] {
    return [...this.pool.probes.values()].map(({ endpoint, key }) =>
      key ? `${endpoint.name}/${key.name}` : endpoint.name,
    );
  }

  /** Answers the probes under way that `which` names; by default all. */
  probed(result: Partial<ProbeResult> & Pick<ProbeResult, 'kind'>, which = ''): Effect[] {
    const asked = [...this.pool.probes.values()].filter(({ endpoint, key }) =>
      `${endpoint.name}/${key?.name ?? ''}`.includes(which),
    );
    const full: ProbeResult = { status: null, retryAfterMs: null, unsent: false, by: 'health', ...result };
    return asked.flatMap(({ id }) => this.#note(applyProbeResult(this.pool, id, full, this.context)));
  }

  releaseLease(lease: string, failed = false): Effect[] {
    return this.#note(releaseLease(this.pool, lease, failed, this.context));
  }

  drop(lease: string): Effect[] {
    return this.#note(dropClient(this.pool, `link-${lease}`, this.context));
  }

  /** Lets time pass, with every tick on the way. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let due = nextTick(this.pool, this.now); due <= end; due = nextTick(this.pool, this.now)) {
      this.now = Math.max(due, this.now + 1);
      this.#note(tick(this.pool, this.context));
    }
    this.now = Math.max(end, this.now);
  }

  /** Names of what a lease is on, or null where it waits. */
  on(lease: string): string | null {
    const held = this.pool.leases.get(lease);
    if (!held?.endpoint && !held?.key) return null;
    return [held.endpoint?.name, held.key?.name].filter((name) => name !== undefined).join('/');
  }

  state(name: string): string {
    return [...this.pool.members.values()].find((member) => member.name === name)!.health.state;
  }

  #note(effects: Effect[]): Effect[] {
    this.effects.push(...effects);
    return effects;
  }
}

export function refusalOf(effects: readonly Effect[]): Extract<Effect, { type: 'refused' }> | undefined {
  return effects.find((effect) => effect.type === 'refused');
}
