import type { ServerEpoch } from './epoch.ts';
import type { Keys } from './keys.ts';
import type { ReconnectingConnection } from './reconnecting.ts';

/** A broker that has said nothing for so long is gone. */
const GONE_MS = 7_000;
/** Its text is kept for this long after that; the next reader removes it. */
const FORGET_MS = 600_000;

/** What each machine holds, in its own words: for people, no decision depends on it. */
export class Boards {
  readonly #keys: Keys;
  readonly #broker: string;
  readonly #connection: ReconnectingConnection;
  readonly #epoch: ServerEpoch;

  constructor(keys: Keys, broker: string, connection: ReconnectingConnection, epoch: ServerEpoch) {
    this.#keys = keys;
    this.#broker = broker;
    this.#connection = connection;
    this.#epoch = epoch;
  }

  /** Says what this machine holds now; null: nothing. */
  async keep(board: object | null): Promise<void> {
    const { redis } = this.#connection;
    const ignore = (): void => {};
    if (!board) return redis.send(['HDEL', this.#keys.boards, this.#broker], ignore);
    const text = JSON.stringify({ at: this.#epoch.serverNow, board });
    return redis.send(['HSET', this.#keys.boards, this.#broker, text], ignore);
  }

  /** What the other machines say that they hold. */
  async read(): Promise<unknown[]> {
    const { redis } = this.#connection;
    const fields = await redis.send(['HGETALL', this.#keys.boards], pairsOf);
    const now = this.#epoch.serverNow;
    const boards: unknown[] = [];
    for (const [broker, text] of fields) {
      const { at, board } = parsed(text);
      const ageMs = typeof at === 'number' ? now - at : Infinity;
      if (broker !== this.#broker && ageMs < GONE_MS) boards.push(board);
      if (ageMs > FORGET_MS) void redis.send(['HDEL', this.#keys.boards, broker], () => {}).catch(() => {});
    }
    return boards;
  }

  /** Leases that hold a place of a member now, by their claims. */
  async holders(members: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const { redis } = this.#connection;
    const now = this.#epoch.serverNow;
    const found = await Promise.all(
      members.map(async (member) => {
        const command = ['ZRANGEBYSCORE', this.#keys.holders(member), `(${now}`, '+inf'];
        const leases = await redis.send(command, (answer) =>
          Array.isArray(answer) ? answer.map(String) : [],
        );
        // Places that are only kept for a broker.
        return [member, leases.filter((lease) => !lease.startsWith('~'))] as const;
      }),
    );
    return new Map(found);
  }
}

/** A hash comes as a list, or as an object of its fields. */
function pairsOf(answer: unknown): [string, string][] {
  if (!Array.isArray(answer))
    return Object.entries((answer ?? {}) as Record<string, unknown>).map(([name, text]) => [
      name,
      String(text),
    ]);
  const parts = answer.map(String);
  return parts.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, parts[index + 1] ?? '']] : [],
  );
}

function parsed(text: string): { readonly at?: unknown; readonly board?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
