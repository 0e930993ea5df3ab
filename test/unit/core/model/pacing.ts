import type { Effect, LeaseState, MemberState } from '../../../../src/core/state.ts';
import type { World } from '../world.ts';
import { heldBy } from './fit.ts';

/** Calls at a paced member, when they really go: never more than its rate allows, and none in a pause it asked for. */
export class Pacing {
  readonly #calls = new Map<string, number[]>();

  clear(): void {
    this.#calls.clear();
  }

  hear(effects: readonly Effect[], { now, spec }: World): string[] {
    return effects.flatMap((effect, index) => {
      if (effect.type !== 'permit') return [];
      const { delayMs, lease } = effect;
      // Of two calls of one lease that go together the last one decides where they go.
      if (effects.some((other, after) => after > index && other.type === 'permit' && other.lease === lease))
        return [];
      return heldBy(lease).flatMap((member) => {
        const { id, name } = member;
        if (delayMs < pauseOf(member, lease, now)) return [`a call of ${lease.id} disturbs ${name}`];
        const rpm = [...spec.endpoints, ...spec.keys].find((member) => member.id === id)?.rpm;
        return rpm ? this.#call(`${id} ${lease.need['model'] ?? ''}`, name, rpm, now + delayMs) : [];
      });
    });
  }

  #call(limits: string, name: string, rpm: number, at: number): string[] {
    const calls = [...(this.#calls.get(limits) ?? []), at].sort((a, b) => a - b);
    this.#calls.set(limits, calls);
    return [
      ...this.#above(calls, 1_000, Math.max(1, Math.ceil(rpm / 60)), name),
      ...this.#above(calls, 60_000, Math.max(1, rpm), name),
    ];
  }

  /** Every time span of that length with too many calls in it. */
  #above(calls: readonly number[], withinMs: number, limit: number, name: string): string[] {
    return calls.flatMap((from, index) => {
      const after = calls[index + Math.floor(limit)];
      if (after === undefined || after - from >= withinMs - 0.001) return [];
      return [`${name}: more than ${limit} calls within ${withinMs} ms, from ${from} on`];
    });
  }
}

/** How long the member wants no calls of that lease's kind; 0 where it is longer than a lease would wait. */
export function pauseOf(
  { health, modelLimits }: MemberState,
  { need, spec }: LeaseState,
  now: number,
): number {
  const limits = modelLimits.get(need['model'] ?? '');
  const until = Math.max(health.state === 'cooling' ? health.until : 0, limits?.coolUntil ?? 0);
  return until > now && until - now <= spec.acquireTimeoutMs ? until - now : 0;
}
