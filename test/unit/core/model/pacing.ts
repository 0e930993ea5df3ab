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
    const atOnce = Math.max(1, Math.floor(rpm / 60));
    const calls = [...(this.#calls.get(limits) ?? []), at].sort((a, b) => a - b);
    this.#calls.set(limits, calls);
    const position = calls.indexOf(at);
    const window = calls.slice(Math.max(0, position - atOnce), position + atOnce + 1);
    const closest = Math.min(...window.slice(atOnce).map((later, index) => later - window[index]!));
    if (closest >= (atOnce * 60_000) / rpm - 0.001) return [];
    return [`${name}: ${atOnce + 1} calls within ${closest} ms at ${rpm} a minute`];
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
