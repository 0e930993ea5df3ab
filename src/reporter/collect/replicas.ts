import type { SeenAttempt } from '../../core/blame/verdict.ts';
import { ensure } from './tally.ts';

const SLOT_MS = 10_000;
const WINDOW_MS = 60_000;

type Slots = Map<string, Set<number>>;

/** Which endpoints were asked when, and which gave which server error when: a fault of all replicas is nobody's own. */
export class Replicas {
  private readonly asked = new Map<string, Slots>();
  private readonly gave = new Map<string, Slots>();
  private readonly answers = new Map<string, boolean>();

  add(attempt: SeenAttempt): void {
    if (attempt.endpoint === null) return;
    mark(this.asked, attempt.pool, attempt);
    if (attempt.kind === 'server') mark(this.gave, statusKey(attempt), attempt);
  }

  /** Did every endpoint of the pool that was asked within a minute, and at least two, give this server error? */
  everywhere(fault: SeenAttempt): boolean {
    if (fault.kind !== 'server' || fault.endpoint === null) return false;
    return ensure(this.answers, `${statusKey(fault)}\n${slotOf(fault.at)}`, () => {
      const asked = endpointsNear(this.asked.get(fault.pool), fault.at);
      const gave = endpointsNear(this.gave.get(statusKey(fault)), fault.at);
      return asked.length >= 2 && asked.every((endpoint) => gave.includes(endpoint));
    });
  }
}

function statusKey(attempt: SeenAttempt): string {
  return `${attempt.pool}\n${attempt.status}`;
}

function slotOf(at: number): number {
  return Math.floor(at / SLOT_MS);
}

function mark(index: Map<string, Slots>, key: string, attempt: SeenAttempt): void {
  const slots = ensure(index, key, () => new Map<string, Set<number>>());
  ensure(slots, attempt.endpoint!, () => new Set<number>()).add(slotOf(attempt.at));
}

function endpointsNear(slots: Slots | undefined, at: number): string[] {
  const [first, last] = [slotOf(at - WINDOW_MS), slotOf(at + WINDOW_MS)];
  return [...(slots ?? [])].filter(([, seen]) => hasBetween(seen, first, last)).map(([endpoint]) => endpoint);
}

function hasBetween(seen: Set<number>, first: number, last: number): boolean {
  for (let slot = first; slot <= last; slot++) if (seen.has(slot)) return true;
  return false;
}
