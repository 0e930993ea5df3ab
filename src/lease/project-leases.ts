import type { Project } from '../client/project.ts';
import type { AvailableConfig } from '../config/available.ts';
import { redactorOf } from '../config/redactor.ts';
import { GembaError } from '../core/errors.ts';
import type { HeldLease } from '../fixtures/lease/held-lease.ts';
import { Leases, type OtherKey, type Source } from '../fixtures/lease/leases.ts';
import type { PlainLease } from '../fixtures/lease/plain-lease.ts';
import { defaultPool, poolIn, viewOf } from '../fixtures/lease/pool-view.ts';
import { endpointNamed } from '../fixtures/lease/pin.ts';
import { processTokens } from '../fixtures/lease/process-tokens.ts';
import { type LeaseRefusal, leaseRefusal } from '../fixtures/lease/refusal.ts';
import type { Tokens } from '../fixtures/lease/tokens.ts';
import type { LeaseOptions } from './types.ts';

/** The leases of a process outside of tests. */
export class ProjectLeases {
  readonly #project: Project;
  readonly #holder: string;
  readonly #leases = new Leases();
  readonly #tokens: Tokens;
  #own: Promise<HeldLease> | null = null;
  #ownHeld: HeldLease | null = null;
  #areNoticesPrinted = false;

  constructor(project: Project, holder: string) {
    this.#project = project;
    this.#tokens = processTokens(() => project.address.cacheFile);
    this.#holder = holder;
  }

  /** Takes a lease of a pool, or of the pool that stands in for it. */
  async take({ pool, need = {}, endpoint, timeoutMs }: LeaseOptions): Promise<HeldLease> {
    await this.#connect();
    const config = this.#config();
    const holder = redactorOf(config)(this.#holder);
    const onlyEndpoint = endpoint ?? null;
    const common = {
      need,
      onlyEndpoint,
      holder,
      timeoutMs,
      testId: null,
      scope: 'test',
      fixedUrl: null,
    } as const;
    const fallbackFrom: LeaseRefusal[] = [];
    for (let name = pool ?? requiredPool(config); ;) {
      const source = this.#source(name);
      if (endpoint !== undefined) endpointNamed(endpoint, source.pool.endpoints, name);
      try {
        return await this.#leases.take(source, { ...common, pool: name, fallbackFrom });
      } catch (error) {
        const refusal = leaseRefusal(error);
        const { whenEmpty, fallback } = source.pool;
        if (whenEmpty !== 'fallback' || fallback === undefined || endpoint !== undefined || !refusal)
          throw error;
        fallbackFrom.push(refusal);
        name = fallback;
      }
    }
  }

  /** The lease of calls that name none; null where no pool is meant. */
  async own(): Promise<HeldLease | null> {
    if (defaultPool(this.#config()) === null) return null;
    this.#own ??= this.take({});
    try {
      return (this.#ownHeld = await this.#own);
    } catch (error) {
      this.#own = null;
      throw error;
    }
  }

  /** The lease of that id; without one the own lease, where there is one. */
  heldFor(id: string | undefined): HeldLease | null {
    return id === undefined ? this.#ownHeld : this.#leases.byId(id);
  }

  heldBy(view: PlainLease): HeldLease {
    const held = this.#leases.byId(view.id);
    if (held) return held;
    throw new GembaError(
      'GEMBA_LEASE_RELEASED',
      `The lease ${view.id} of pool "${view.pool}" was given back, so nothing can go through it any more. ` +
        'Take a new one with gemba.lease().',
    );
  }

  /** Lets a lease go on in the pool that stands in for its own; false where there is none. */
  fallBack(held: HeldLease): Promise<boolean> {
    return this.#leases.fallBack(held, async (name) => this.#source(name));
  }

  /** Another key for one call of a lease that stays on its own; null where none is to be had. */
  async takeForCall(held: HeldLease, wanted: OtherKey): Promise<HeldLease | null> {
    const other = await this.#leases.takeForCall(held, this.#source(held.init.poolName), wanted);
    other?.onRelease(() => this.#leases.forget(other));
    return other;
  }

  release(held: HeldLease): void {
    held.release();
    this.#leases.forget(held);
  }

  close(): void {
    this.#leases.releaseAll();
  }

  async #connect(): Promise<void> {
    const { client } = this.#project;
    await client.open();
    if (this.#areNoticesPrinted) return;
    this.#areNoticesPrinted = true;
    for (const notice of client.notices) process.stderr.write(`Gemba warning: ${notice}\n`);
  }

  #config(): AvailableConfig {
    return this.#project.live.current!.config;
  }

  #source(name: string): Source {
    const { live, client } = this.#project;
    const config = this.#config();
    const left = config.skipped[name];
    if (left !== undefined)
      throw new GembaError(
        'GEMBA_POOL_UNAVAILABLE',
        `Pool "${name}" of ${config.path} is left out: ${left}.`,
      );
    return {
      client,
      pool: poolIn(config, name),
      poolOf: (revision) => viewOf(live.of(revision)!, name),
      isShared: config.store !== 'local',
      tokens: this.#tokens,
    };
  }
}

function requiredPool(config: AvailableConfig): string {
  const name = defaultPool(config);
  if (name !== null) return name;
  throw new GembaError(
    'GEMBA_POOL_AMBIGUOUS',
    `${config.path} has the pools ${Object.keys(config.pools).join(', ')} and none is named "default". ` +
      'Say which one: gemba.lease({ pool: "…" }).',
  );
}
