import type * as zod from 'zod';
import os from 'node:os';
import type { LeaseStatus, PoolStatus, WaitStatus } from '../core/admin.ts';
import { monotonic } from '../core/clock.ts';
import { addressOf } from '../core/leases/slots.ts';
import type { PoolState } from '../core/state.ts';
import type { PoolSpec } from '../core/types.ts';
import type { SharedStore } from '../redis/types.ts';
import { parseEach } from '../shared/parse-each.ts';
import { plainLine } from '../shared/sanitize.ts';
import { shorten } from '../shared/format.ts';
import { z } from '../shared/zod.ts';

/** How often a machine looks whether it holds something else. */
const LOOK_MS = 500;
/** It says so again after this long, so that others see that it lives. */
const REPEAT_MS = 2_000;
/** A store that takes longer is not waited for. */
const ANSWER_MS = 2_000;
const MAX_TEXT = 300;
/** One that has just claimed it and not said for whom, or that is lost. */
const UNKNOWN_HOLDER = 'not known: another machine has claimed it';
const UNKNOWN_MACHINE = 'unknown';

const text = z.string().overwrite((given) => shorten(plainLine(given), MAX_TEXT));
const member = text.nullable();
const boardLease = z.object({
  id: z.string(),
  pool: z.string(),
  holder: text,
  endpoint: member,
  key: member,
  since: z.number(),
  pid: z.number().nullable(),
});
const boardWait = z.object({ pool: z.string(), holder: text, since: z.number(), pid: z.number().nullable() });
const board = z.object({
  machine: text,
  leases: z.array(z.unknown()),
  waiting: z.array(z.unknown()),
});

export type Board = {
  readonly machine: string;
  readonly leases: readonly zod.infer<typeof boardLease>[];
  readonly waiting: readonly zod.infer<typeof boardWait>[];
};

/** The name of this machine, for people. */
export function machineName(): string {
  return os.hostname();
}

/** What this machine holds and waits for. */
export function boardOf(pools: readonly PoolStatus[]): Board {
  return {
    machine: machineName(),
    leases: pools.flatMap(({ name: pool, leases }) =>
      leases.map(({ id, holder, endpoint, key, since, pid }) => ({
        id,
        pool,
        holder,
        endpoint,
        key,
        since,
        pid,
      })),
    ),
    waiting: pools.flatMap(({ name: pool, waiting }) =>
      waiting.map(({ holder, since, pid }) => ({ pool, holder, since, pid })),
    ),
  };
}

/** Says in the shared store what this machine holds, and reads what the others do. */
export class Machines {
  readonly #store: SharedStore;
  readonly #own: () => Board;
  readonly #timer: NodeJS.Timeout;
  #told = '';
  #toldAt = -Infinity;

  constructor(store: SharedStore, own: () => Board) {
    this.#store = store;
    this.#own = own;
    this.#timer = setInterval(() => void this.#tell(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The pools with what all machines hold; `notice`: why that is not known. */
  async withOthers(
    pools: readonly PoolStatus[],
    specs: ReadonlyMap<string, PoolSpec>,
    stateOf: (pool: string) => PoolState,
    now: number,
  ): Promise<{ readonly pools: readonly PoolStatus[]; readonly notice: string | null }> {
    try {
      const slots = pools.flatMap((pool) => slotsOf(stateOf(pool.name), specs.get(pool.name)));
      const answers = [
        this.#store.readBoards(),
        this.#store.holders(slots.map(({ address }) => address)),
      ] as const;
      const [texts, holders] = await inTime(Promise.all(answers));
      const boards = parseEach(board, texts).map(({ machine, leases, waiting }): Board => ({
        machine,
        leases: parseEach(boardLease, leases),
        waiting: parseEach(boardWait, waiting),
      }));
      return {
        pools: pools.map((pool) => merged(pool, boards, unknownOf(pool, boards, slots, holders), now)),
        notice: null,
      };
    } catch {
      const notice = 'What other machines hold is not known now: the shared store does not answer.';
      return { pools, notice };
    }
  }

  async #tell(): Promise<void> {
    const own = this.#own();
    const isIdle = own.leases.length + own.waiting.length === 0;
    const said = isIdle ? '' : JSON.stringify(own);
    const isOld = said !== '' && monotonic() - this.#toldAt >= REPEAT_MS;
    if (said === this.#told && !isOld) return;
    this.#told = said;
    this.#toldAt = monotonic();
    // Where it fails, the next look tells.
    await this.#store.keepBoard(isIdle ? null : own).catch(() => {
      this.#told = '?';
    });
  }
}

interface MemberSlot {
  readonly pool: string;
  readonly kind: 'endpoint' | 'key';
  readonly name: string;
  readonly address: string;
}

/** Members that are limited over all machines. */
function slotsOf(state: PoolState, spec: PoolSpec | undefined): MemberSlot[] {
  return [...state.members.values()].flatMap(({ kind, id, name }, _, all) => {
    const members = (kind === 'endpoint' ? spec?.endpoints : spec?.keys) ?? [];
    const limited = members.find((each) => each.id === id && each.maxConcurrent !== undefined);
    const known = all.find((each) => each.kind === kind && each.id === id);
    if (!limited || !known) return [];
    return [{ pool: state.name, kind, name, address: addressOf(state, known) }];
  });
}

/** Claims of leases that no machine tells of: their machine was lost, and they run out. */
function unknownOf(
  { name, leases }: PoolStatus,
  boards: readonly Board[],
  slots: readonly MemberSlot[],
  holders: ReadonlyMap<string, readonly string[]>,
): { readonly endpoint: string | null; readonly key: string | null }[] {
  const known = new Set([
    ...leases.map(({ id }) => id),
    ...boards.flatMap((each) => each.leases.map(({ id }) => id)),
  ]);
  const unknown = new Map<string, { endpoint: string | null; key: string | null }>();
  for (const slot of slots) {
    if (slot.pool !== name) continue;
    for (const lease of holders.get(slot.address) ?? []) {
      if (known.has(lease)) continue;
      const held = unknown.get(lease) ?? { endpoint: null, key: null };
      unknown.set(lease, { ...held, [slot.kind]: slot.name });
    }
  }
  return [...unknown.values()];
}

function merged(
  pool: PoolStatus,
  boards: readonly Board[],
  unknown: readonly { readonly endpoint: string | null; readonly key: string | null }[],
  now: number,
): PoolStatus {
  const isHere = (each: { readonly pool: string }): boolean => each.pool === pool.name;
  const leases = boards.flatMap(({ machine, leases: all }) =>
    all.filter(isHere).map(({ pool: _, ...lease }): LeaseStatus => {
      return { ...lease, machine, heldMs: Math.max(0, now - lease.since) };
    }),
  );
  const lost = unknown.map((held): LeaseStatus => {
    return {
      id: '',
      holder: UNKNOWN_HOLDER,
      ...held,
      machine: UNKNOWN_MACHINE,
      pid: null,
      since: now,
      heldMs: 0,
    };
  });
  const waiting = boards.flatMap(({ machine, waiting: all }) =>
    all.filter(isHere).map(({ pool: _, ...wait }): WaitStatus => {
      return { ...wait, machine, waitedMs: Math.max(0, now - wait.since) };
    }),
  );
  const others = [...leases, ...lost];
  return {
    ...pool,
    members: pool.members.map((each) => {
      const elsewhere = others.filter((lease) => lease[each.kind] === each.name).length;
      return elsewhere === 0 ? each : { ...each, inUse: each.inUse + elsewhere };
    }),
    leases: [...pool.leases, ...others],
    waiting: [...pool.waiting, ...waiting],
  };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), ANSWER_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
