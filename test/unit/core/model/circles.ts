import type { LeaseState, PoolState, LeaseWaiter } from '../../../../src/core/state.ts';
import { fittingOf, type Judge, memberStateOf } from './fit.ts';

/** Nobody that holds something waits in a circle. */
export function checkCircles(pool: PoolState): string[] {
  const stuck = stuckLinks(pool, pool.queue);
  const holding = [...pool.leases.values()].filter(({ endpoint, key }) => endpoint ?? key);
  const circle = new Set(holding.map(({ client }) => client).filter((client) => stuck.has(client)));
  return pool.queue.filter(({ client }) => circle.has(client)).map(({ id }) => `${id} waits in a circle`);
}

/** Links that cannot go on before another of them does: those that wait for nothing give back what they hold. */
export function stuckLinks(pool: PoolState, queue: readonly LeaseWaiter[]): ReadonlySet<string> {
  const stuck = new Set(queue.map(({ client }) => client));
  const isStuck = (lease: LeaseState | undefined): boolean => lease !== undefined && stuck.has(lease.client);
  const canBeFree: Judge = ({ id, maxConcurrent }, kind) => {
    const health = memberStateOf(pool, kind, id)?.health;
    if (health?.state === 'half-open' && isStuck(pool.leases.get(health.probe ?? ''))) return false;
    const holders = [...pool.leases.values()].filter((lease) => lease[kind]?.id === id && isStuck(lease));
    return holders.length < (maxConcurrent ?? Infinity);
  };
  for (let before = Infinity; stuck.size < before;) {
    before = stuck.size;
    for (const waiter of queue) {
      if (fittingOf(pool, waiter, canBeFree) !== null) stuck.delete(waiter.client);
    }
  }
  return stuck;
}
