import type { SeenRequest } from '../../core/blame/verdict.ts';
import { getOrCreate } from './counts.ts';

const SLOT_MS = 10_000;
const WINDOW_MS = 60_000;

type Slots = Map<string, Set<number>>;

/** Which endpoints were used when, and which gave which server error when: a fault of all replicas is not one endpoint's. */
export class Replicas {
  readonly #asked = new Map<string, Slots>();
  readonly #gave = new Map<string, Slots>();
  readonly #answers = new Map<string, boolean>();

  add(request: SeenRequest): void {
    if (request.endpoint === null) return;
    mark(this.#asked, request.pool, request);
    if (request.kind === 'server') mark(this.#gave, statusKey(request), request);
  }

  /** Whether every endpoint of the pool used within a minute, and at least two, gave this server error. */
  everywhere(fault: SeenRequest): boolean {
    if (fault.kind !== 'server' || fault.endpoint === null) return false;
    return getOrCreate(this.#answers, `${statusKey(fault)}\n${slotOf(fault.at)}`, () => {
      const asked = endpointsNear(this.#asked.get(fault.pool), fault.at);
      const gave = endpointsNear(this.#gave.get(statusKey(fault)), fault.at);
      return asked.length >= 2 && asked.every((endpoint) => gave.includes(endpoint));
    });
  }
}

function statusKey(request: SeenRequest): string {
  return `${request.pool}\n${request.status}`;
}

function slotOf(at: number): number {
  return Math.floor(at / SLOT_MS);
}

function mark(index: Map<string, Slots>, key: string, request: SeenRequest): void {
  const slots = getOrCreate(index, key, () => new Map<string, Set<number>>());
  getOrCreate(slots, request.endpoint!, () => new Set<number>()).add(slotOf(request.at));
}

function endpointsNear(slots: Slots | undefined, at: number): string[] {
  const [first, last] = [slotOf(at - WINDOW_MS), slotOf(at + WINDOW_MS)];
  return [...(slots ?? [])].filter(([, seen]) => hasBetween(seen, first, last)).map(([endpoint]) => endpoint);
}

function hasBetween(seen: Set<number>, first: number, last: number): boolean {
  for (let slot = first; slot <= last; slot++) if (seen.has(slot)) return true;
  return false;
}
