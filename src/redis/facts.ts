import { shorten } from '../shared/format.ts';
import { plainLine } from '../shared/sanitize.ts';
import { HEALTH_STATES, MEMBER_KINDS } from '../core/types.ts';
import { factCall, readFact as readStored } from './commands.ts';
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

/** No server and no person sets a pause that is longer. */
const FARTHEST_MS = 400 * 24 * 3_600_000;
/** Clocks of machines differ by less. */
const SOON_MS = 24 * 3_600_000;
const MAX_TEXT = 2_000;
const SHOWN = 100;
const MOST_NOTICES = 20;

/** Health facts between the machines: their times travel on the server's clock. */
export class HealthFacts {
  readonly #options: HealthFactsOptions;
  /** By member: facts that the store has not heard yet. */
  readonly #owed = new Map<string, HealthFact>();
  /** By its text: what was left out, in words. */
  readonly #dropped = new Map<string, string>();

  constructor(options: HealthFactsOptions) {
    this.#options = options;
  }

  /** What the store holds and makes no sense. */
  get notices(): readonly string[] {
    return [...this.#dropped.values()];
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
    const { pool, kind, id, name, state, why, lease } = fact;
    const until = fact.until === null ? null : epoch.toServer(fact.until);
    const at = epoch.toServer(fact.at);
    const json = JSON.stringify({ pool, kind, id, name, state, until, why, at, lease });
    await redis.run(factCall(keys, broker, { member: memberOf(fact), json }), readStored);
    if (this.#owed.get(memberOf(fact)) === fact) this.#owed.delete(memberOf(fact));
  }

  #parse(text: unknown): HealthFact | undefined {
    return this.#fromServer(objectOf(text));
  }

  /** What another machine wrote: what is not understood, or cannot be, is left out by itself, and said. */
  #fromServer(value: unknown): HealthFact | undefined {
    const read = readFact(value, this.#options.epoch);
    if (typeof read !== 'string') return read;
    const text = JSON.stringify(value) ?? '';
    if (this.#dropped.size < MOST_NOTICES) this.#dropped.set(text, droppedNotice(value, read));
    return undefined;
  }
}

function droppedNotice(value: unknown, wrong: string): string {
  const { pool, kind, name } = asFields(value);
  const names = [pool, kind, name].filter((part) => typeof part === 'string').join(' ');
  const what = names === '' ? 'one' : shorten(plainLine(names), SHOWN);
  return `The store has a health fact that makes no sense, which is ignored: ${what} (${wrong}).`;
}

/** A fact with its times on this broker's clock; what is wrong with it where it is none. */
function readFact(value: unknown, epoch: Pick<ServerEpoch, 'toLocal' | 'serverNow'>): HealthFact | string {
  const { pool, kind, id, name, state, until, why, at, lease } = asFields(value);
  if (!isText(pool) || !isText(id) || !isText(name)) return 'it names no member';
  if (!isOneOf(MEMBER_KINDS, kind)) return `kind: ${shown(kind)}`;
  if (!isOneOf(HEALTH_STATES, state)) return `state: ${shown(state)}`;
  if (lease !== undefined && !isText(lease)) return `lease: ${shown(lease)}`;
  if (!isText(why)) return `why: ${shown(why)}`;
  const now = epoch.serverNow;
  if (!isTime(at, now + SOON_MS)) return `at: ${shown(at)}`;
  if (until !== null && !isTime(until, now + FARTHEST_MS)) return `until: ${shown(until)}`;
  const local = until === null ? null : epoch.toLocal(until);
  return { pool, kind, id, name, state, until: local, why, at: epoch.toLocal(at), lease };
}

function memberOf({ pool, kind, id, lease }: HealthFact): string {
  return JSON.stringify(lease === undefined ? [pool, kind, id] : [pool, kind, id, 'dirty']);
}

function isOneOf<T extends string>(list: readonly T[], value: unknown): value is T {
  return (list as readonly unknown[]).includes(value);
}

function asFields(value: unknown): Partial<Record<keyof HealthFact, unknown>> {
  return typeof value === 'object' && value !== null ? value : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}

function isTime(value: unknown, latest: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= latest;
}

function shown(value: unknown): string {
  return shorten(plainLine(JSON.stringify(value) ?? 'missing'), SHOWN);
}

function objectOf(text: unknown): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
