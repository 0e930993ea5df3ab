import { acquireLease, moveLease, releaseLease, reportRequest, requestPermit } from '../core/pool.ts';
import {
  type Effect,
  type Context,
  type LeaseState,
  type PoolState,
  type MemberState,
} from '../core/state.ts';
import type { PoolSpec } from '../core/types.ts';
import { machineClock } from '../shared/machine-clock.ts';
import type { Answer, WireGrant, ClientMessage } from '../wire/messages.ts';

/** One message of a link to one pool. */
export function applyLeaseMessage(
  pool: PoolState,
  spec: PoolSpec,
  client: string,
  message: Extract<ClientMessage, { type: 'acquire' | 'permit' | 'move' | 'request' | 'release' }>,
  context: Context,
): Effect[] {
  switch (message.type) {
    case 'acquire': {
      // Spelled out: this is the hottest of all messages, and a copy of a parsed one costs as much as its lease.
      const { ask, lease, need, onlyEndpoint, holder, testId, timeoutMs, exclude, prefer } = message;
      const { isFirst, canYield, resets, forCall, waitedMs } = message;
      const to = { client, ask };
      const request = {
        to,
        lease,
        spec,
        need,
        onlyEndpoint,
        holder,
        testId,
        timeoutMs,
        exclude,
        prefer,
        isFirst,
        canYield,
        resets,
        forCall,
        waitedMs,
      };
      return acquireLease(pool, request, context);
    }
    case 'permit':
      return requestPermit(pool, { ...message, client, since: context.now }, context);
    case 'move':
      return moveLease(pool, { ...message, to: { client, ask: message.ask } }, context);
    case 'request':
      return reportRequest(pool, message.lease, message, context);
    case 'release':
      return releaseLease(pool, message.lease, message.failed, context, message.dirty ?? null);
  }
}

export function toAnswer(effect: Extract<Effect, { to: unknown }>): Answer {
  switch (effect.type) {
    case 'granted':
      return { is: 'granted', grant: wireGrantOf(effect.lease), waitedMs: effect.waitedMs };
    case 'permit':
      return permitOf(effect);
    case 'stay': {
      const { why, gone = [], keyOut } = effect;
      return { is: 'stay', why, ...(gone.length > 0 && { gone }), ...(keyOut && { keyOut }) };
    }
    case 'lost':
      return { is: 'lost', why: effect.why };
    case 'refused': {
      const { timedOut, deadlock, waitedMs, reasons } = effect;
      return { is: 'refused', timedOut, deadlock, waitedMs, reasons };
    }
  }
}

function permitOf({ lease, delayMs, isPaced }: Extract<Effect, { type: 'permit' }>): Answer {
  const permit = { is: 'permit', grant: wireGrantOf(lease), delayMs } as const;
  return isPaced ? { ...permit, dueAt: machineClock() + delayMs } : permit;
}

export function wireGrantOf(lease: LeaseState): WireGrant {
  const { endpoint, key, fastPath, resolved, spec, claim, provedUntil } = lease;
  // By the name that it had when the lease got it: a later edit may have renamed it.
  const named = (member: MemberState): { id: string; name: string } => {
    return { id: member.id, name: resolved.of.get(member)?.spec.name ?? member.name };
  };
  const { revision } = spec;
  const dirty = key?.cleaning === lease.id && key.dirty ? { dirty: key.dirty.why } : {};
  const grant = {
    endpoint: endpoint && named(endpoint),
    key: key && named(key),
    revision,
    fastPath,
    ...dirty,
  };
  return claim === 'held' ? { ...grant, provedUntil } : grant;
}
