interface Lock {
  readonly id: string;
  readonly client: string;
  readonly ask: number;
}

/** Locks over the clients of a broker: first come, first served. A client that is gone holds none. */
export class Locks {
  /** By topic: who holds the lock, and then who waits for it. */
  readonly #queues = new Map<string, Lock[]>();
  readonly #onLocked: (client: string, ask: number) => void;

  constructor(onLocked: (client: string, ask: number) => void) {
    this.#onLocked = onLocked;
  }

  lock(id: string, topic: string, client: string, ask: number): void {
    const queue = this.#queues.get(topic) ?? [];
    this.#queues.set(topic, queue);
    // Asked again over a new connection: it keeps its place.
    const known = queue.findIndex((lock) => lock.id === id);
    if (known === -1) queue.push({ id, client, ask });
    else queue[known] = { id, client, ask };
    if (queue[0]!.id === id) this.#onLocked(client, ask);
  }

  unlock(id: string): void {
    this.#remove((lock) => lock.id === id);
  }

  /** A client's connection is lost: what it waits for it asks again. */
  cancelWaitsOf(client: string): void {
    this.#remove((lock, isHeld) => !isHeld && lock.client === client);
  }

  dropClient(client: string): void {
    this.#remove((lock) => lock.client === client);
  }

  #remove(isOver: (lock: Lock, isHeld: boolean) => boolean): void {
    for (const [topic, queue] of this.#queues) {
      const [holder] = queue;
      const left = queue.filter((lock) => !isOver(lock, lock === holder));
      if (left.length === queue.length) continue;
      if (left.length === 0) this.#queues.delete(topic);
      else this.#queues.set(topic, left);
      const [next] = left;
      if (next && next !== holder) this.#onLocked(next.client, next.ask);
    }
  }
}
