import type { Clock, Random } from '../core/clock.ts';
import type { Context } from '../core/subject.ts';
import type { PoolRouting } from '../router/routing.ts';

/** What the core's decisions get from outside: the present time, chance, and the router. */
export function contextOf(ports: { now: Clock; random: Random; routing: PoolRouting }): Context {
  const { now, random, routing } = ports;
  return {
    now: now(),
    random,
    choose: (how, places, at, chance, attempt) => routing.choose(how, places, at, chance, attempt),
    newBelief: (pool, kind, id) => routing.newBelief(pool, kind, id),
    learn: (belief, learned, at) => routing.learn(belief, learned, at),
    renew: (belief) => routing.renew(belief),
  };
}
