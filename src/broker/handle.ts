import { acquire, type Effect, move, release, report, turn } from '../core/pool.ts';
import type { Context, LeaseState, PoolState } from '../core/subject.ts';
import type { PoolSpec } from '../core/types.ts';
import type { Answer, GrantedMember, LinkMessage } from './protocol.ts';

/** One message of a link to one pool. */
export function handle(
  pool: PoolState,
  spec: PoolSpec,
  link: string,
  message: Exclude<LinkMessage, { type: 'hello' | 'retry' | 'status' | 'admin' | 'failed' | 'rerun' }>,
  context: Context,
): Effect[] {
  switch (message.type) {
    case 'acquire':
      return acquire(pool, { ...message, spec, to: { link, ask: message.ask } }, context);
    case 'turn':
      return turn(pool, { ...message, link, since: context.now }, context);
    case 'move':
      return move(pool, { ...message, to: { link, ask: message.ask } }, context);
    case 'attempt':
      return report(pool, message.lease, message, context);
    case 'release':
      return release(pool, message.lease, message.failed, context);
  }
}

export function toAnswer(
  effect: Exclude<Effect, { type: 'changed' | 'gated' | 'claim' | 'unclaim' }>,
): Answer {
  switch (effect.type) {
    case 'granted':
      return { is: 'granted', member: memberOf(effect.lease), waitedMs: effect.waitedMs };
    case 'turn':
      return { is: 'turn', member: memberOf(effect.lease), delayMs: effect.delayMs };
    case 'stay':
      return { is: 'stay', why: effect.why };
    case 'refused': {
      const reasons = effect.reasons.map(({ name, why }) => ({ name, why }));
      const { timedOut, deadlock, waitedMs } = effect;
      return { is: 'refused', timedOut, deadlock, waitedMs, reasons };
    }
  }
}

function memberOf(lease: LeaseState): GrantedMember {
  const { endpoint, key, free } = lease;
  return {
    endpoint: endpoint && { id: endpoint.id, name: endpoint.name },
    key: key && { id: key.id, name: key.name },
    free,
  };
}
