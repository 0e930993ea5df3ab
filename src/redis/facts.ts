import { HEALTH_STATES, MEMBER_KINDS } from '../core/types.ts';
import { factCall, readFact } from './commands.ts';
import type { ReconnectingConnection } from './reconnecting.ts';
import type { ServerEpoch } from './epoch.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './connection.ts';
import type { HealthFact } from './types.ts';

export interface HealthFactsOptions {
  readonly keys: Keys;
  readonly broker: string;
  readonly connection: ReconnectingConnection;
  readonly epoch: ServerEpoch;
  readonly onFact: (fact: HealthFact) => void;
}

/** Health facts between the machines: their times travel on the server's clock. */
export class HealthFacts {
  readonly #options: HealthFactsOptions;
  /** By member: facts that the store has not heard yet. */
  readonly #owed = new Map<string, HealthFact>();

  constructor(options: HealthFactsOptions) {
    this.#options = options;
  }

  async publish(fact: HealthFact): Promise<void> {
    this.#owed.set(memberOf(fact), fact);
    if (!this.#options.connection.isUp) return;
    try {
      await this.#tell(this.#options.connection.redis, fact);
    } catch {
      // It is owed still, and the connection tells that it is down.
    }
  }

  read(redis: RedisConnection): Promise<HealthFact[]> {
    return redis.send(['HVALS', this.#options.keys.facts], (answer) =>
      (Array.isArray(answer) ? (answer as unknown[]) : []).flatMap((text) => this.#parse(text) ?? []),
    );
  }

  async subscribe(redis: RedisConnection): Promise<void> {
    await redis.subscribe(this.#options.keys.factChannel, (message) => {
      const { broker, fact } = objectOf(message);
      const read = broker === this.#options.broker ? undefined : this.#fromServer(fact);
      if (read) this.#options.onFact(read);
    });
  }

  /** On a new line: tells what is owed, and hears what was missed. */
  async restore(redis: RedisConnection): Promise<void> {
    await Promise.all([...this.#owed.values()].map((fact) => this.#tell(redis, fact)));
    for (const fact of await this.read(redis)) this.#options.onFact(fact);
  }

  async #tell(redis: RedisConnection, fact: HealthFact): Promise<void> {
    const { keys, broker, epoch } = this.#options;
    const { pool, kind, id, name, state, why } = fact;
    const until = fact.until === null ? null : epoch.toServer(fact.until);
    const json = JSON.stringify({ pool, kind, id, name, state, until, why, at: epoch.toServer(fact.at) });
    await redis.run(factCall(keys, broker, { member: memberOf(fact), json }), readFact);
    if (this.#owed.get(memberOf(fact)) === fact) this.#owed.delete(memberOf(fact));
  }

  #parse(text: unknown): HealthFact | undefined {
    return this.#fromServer(objectOf(text));
  }

  /** What another machine wrote: a version of us that says other things is not understood, and must do no harm. */
  #fromServer(value: unknown): HealthFact | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const { pool, kind, id, name, state, until, why, at } = value as Partial<
      Record<keyof HealthFact, unknown>
    >;
    if (typeof pool !== 'string' || typeof id !== 'string' || typeof name !== 'string') return undefined;
    if (!isOneOf(MEMBER_KINDS, kind) || !isOneOf(HEALTH_STATES, state)) return undefined;
    if (typeof why !== 'string' || typeof at !== 'number') return undefined;
    if (until !== null && typeof until !== 'number') return undefined;
    const { epoch } = this.#options;
    const local = until === null ? null : epoch.toLocal(until);
    return { pool, kind, id, name, state, until: local, why, at: epoch.toLocal(at) };
  }
}

function memberOf({ pool, kind, id }: HealthFact): string {
  return JSON.stringify([pool, kind, id]);
}

function isOneOf<T extends string>(list: readonly T[], value: unknown): value is T {
  return (list as readonly unknown[]).includes(value);
}

function objectOf(text: unknown): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
