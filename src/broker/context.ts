import type { Clock, Random } from '../core/clock.ts';
import type { Context } from '../core/state.ts';
import type { PoolRouting } from '../router/routing.ts';

interface Ports {
  readonly now: Clock;
  readonly random: Random;
  readonly routing: PoolRouting;
  /** The date of a time of `now`. Default: the same. */
  readonly dateOf?: Context['dateOf'];
  /** Default: all calls are known. */
  readonly callsKnownFrom?: number;
}

/** What the core's decisions get from outside: the present time, chance, and the router. */
export function contextOf(ports: Ports): Context {
  return contextsOf(ports)();
}

/** The same for many decisions: each call has the time of that moment. */
export function contextsOf({
  now,
  random,
  routing,
  dateOf = (at) => at,
  callsKnownFrom = -Infinity,
}: Ports): () => Context {
  const choose: Context['choose'] = (how, places, at, chance, attempt) =>
    routing.choose(how, places, at, chance, attempt);
  const newHandle: Context['newHandle'] = (pool, kind, id) => routing.newHandle(pool, kind, id);
  const observe: Context['observe'] = (routerHandle, learned, at) =>
    routing.observe(routerHandle, learned, at);
  const renew: Context['renew'] = (routerHandle) => routing.renew(routerHandle);
  return () => ({ now: now(), dateOf, callsKnownFrom, random, choose, newHandle, observe, renew });
}
