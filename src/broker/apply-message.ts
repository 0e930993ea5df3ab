import { acquire, type Effect, move, release, report, turn } from '../core/pool.ts';
import type { Context, LeaseState, PoolState, Subject } from '../core/state.ts';
import type { PoolSpec } from '../core/types.ts';
import type { Answer, GrantedMember, LinkMessage } from '../wire/messages.ts';

/** One message of a link to one pool. */
export function handle(
  pool: PoolState,
  spec: PoolSpec,
  link: string,
  message: Extract<LinkMessage, { type: 'acquire' | 'turn' | 'move' | 'attempt' | 'release' }>,
  context: Context,
): Effect[] {
  switch (message.type) {
    case 'acquire': {
      // Spelled out: this is the hottest of all messages, and a copy of a parsed one costs as much as its lease.
      const { ask, lease, need, holder, testId, timeoutMs, exclude, isFirst, yields, waitedMs } = message;
      const to = { link, ask };
      const request = {
        to,
        lease,
        spec,
        need,
        holder,
        testId,
        timeoutMs,
        exclude,
        isFirst,
        yields,
        waitedMs,
      };
      return acquire(pool, request, context);
    }
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

export function toAnswer(effect: Extract<Effect, { to: unknown }>): Answer {
  switch (effect.type) {
    case 'granted':
      return { is: 'granted', member: memberOf(effect.lease), waitedMs: effect.waitedMs };
    case 'turn':
      return { is: 'turn', member: memberOf(effect.lease), delayMs: effect.delayMs };
    case 'stay':
      return { is: 'stay', why: effect.why };
    case 'refused': {
      const { timedOut, deadlock, waitedMs, reasons } = effect;
      return { is: 'refused', timedOut, deadlock, waitedMs, reasons };
    }
  }
}

export function memberOf(lease: LeaseState): GrantedMember {
  const { endpoint, key, free, roster, spec } = lease;
  // By the name that it had when the lease got it: a later edit may have renamed it.
  const named = (subject: Subject): { id: string; name: string } => {
    return { id: subject.id, name: roster.of.get(subject)?.spec.name ?? subject.name };
  };
  const { revision } = spec;
  return { endpoint: endpoint && named(endpoint), key: key && named(key), revision, free };
}
