import type { Clock, Random } from '../core/clock.ts';
import type { Context } from '../core/state.ts';
import type { PoolRouting } from '../router/routing.ts';

interface Ports {
  readonly now: Clock;
  readonly random: Random;
  readonly routing: PoolRouting;
}

/** What the core's decisions get from outside: the present time, chance, and the router. */
export function contextOf(ports: Ports): Context {
  return contextsOf(ports)();
}

/** The same for many decisions: each call has the time of that moment. */
export function contextsOf({ now, random, routing }: Ports): () => Context {
  const choose: Context['choose'] = (how, places, at, chance, attempt) =>
    routing.choose(how, places, at, chance, attempt);
  const newBelief: Context['newBelief'] = (pool, kind, id) => routing.newBelief(pool, kind, id);
  const learn: Context['learn'] = (belief, learned, at) => routing.learn(belief, learned, at);
  const renew: Context['renew'] = (belief) => routing.renew(belief);
  return () => ({ now: now(), random, choose, newBelief, learn, renew });
}
