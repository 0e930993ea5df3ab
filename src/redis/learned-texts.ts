import type { ReconnectingConnection } from './reconnecting.ts';
import type { Keys } from './keys.ts';

/** What nobody has added to for this long is forgotten. */
const KEEP_S = 30 * 24 * 3600;

/** What brokers have learned, kept for later ones: texts by name. The last writer of a name wins. */
export class LearnedTexts {
  readonly #keys: Keys;
  readonly #connection: ReconnectingConnection;

  constructor(keys: Keys, connection: ReconnectingConnection) {
    this.#keys = keys;
    this.#connection = connection;
  }

  /** Never rejects: it is a cache, and the next time tells more. */
  async keep(texts: ReadonlyMap<string, string>): Promise<void> {
    if (texts.size === 0 || !this.#connection.isUp) return;
    const { redis } = this.#connection;
    const fields = [...texts].flat();
    const ignore = (): void => {};
    await Promise.all([
      redis.send(['HSET', this.#keys.learned, ...fields], ignore),
      redis.send(['EXPIRE', this.#keys.learned, `${KEEP_S}`], ignore),
    ]).catch(ignore);
  }

  /** The texts; none where the server cannot tell. */
  async read(): Promise<string[]> {
    if (!this.#connection.isUp) return [];
    return this.#connection.redis
      .send(['HVALS', this.#keys.learned], (answer) => (Array.isArray(answer) ? answer.map(String) : []))
      .catch(() => []);
  }
}
