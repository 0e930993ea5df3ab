import { readFileSync } from 'node:fs';
import type * as zod from 'zod';
import { healthOf } from '../core/health/states.ts';
import { HEALTH_STATES, MEMBER_KINDS } from '../core/types.ts';
import type { PoolRouting } from '../router/routing.ts';
import { type Context, newPoolState, type PoolState } from '../core/state.ts';
import { memberStateOf } from '../core/members.ts';
import { parseEach } from '../shared/parse-each.ts';
import { writeWholeSync } from '../shared/write-whole.ts';
import { z } from '../shared/zod.ts';
import { savedTasksOf } from './persist-tasks.ts';
import type { PastRun } from './task-router.ts';

const savedMember = z.object({
  kind: z.enum(MEMBER_KINDS),
  id: z.string(),
  name: z.string(),
  health: z.object({
    state: z.enum(HEALTH_STATES),
    until: z.number().nullish(),
    why: z.string().default(''),
  }),
  ejections: z.number(),
  ejectedAt: z.number(),
  sawFault: z.boolean().default(false),
  /** The router's own: it reads what it can. */
  learned: z.unknown(),
});
const savedPool = z.object({ name: z.string(), members: z.array(z.unknown()) });
const savedState = z.object({ v: z.literal(2), at: z.number().default(0), pools: z.array(z.unknown()) });

/**
 * What was learned before. It is a cache: a file that is missing or damaged is empty, and an entry that is not understood,
 * as another version may have written it, is left out by itself.
 */
export function loadState(file: string, context: Context, routing: PoolRouting): Map<string, PoolState> {
  const pools = new Map<string, PoolState>();
  const state = readSaved(file);
  for (const { name, members } of parseEach(savedPool, state?.pools ?? [])) {
    const pool = newPoolState(name);
    for (const { health, learned, ...known } of parseEach(savedMember, members)) {
      const member = memberStateOf(pool, known.kind, known, context);
      member.health = healthOf(health.state, health.until ?? null, health.why);
      Object.assign(member, { ejections: known.ejections, ejectedAt: known.ejectedAt });
      routing.restore(member.routerHandle, learned, state?.at ?? 0, context.now);
      member.probeState.sawFault = known.sawFault;
    }
    pools.set(name, pool);
  }
  return pools;
}

/** Writes what was learned. Names, fingerprints and numbers only. */
export function saveState(
  file: string,
  pools: Iterable<PoolState>,
  tasks: ReadonlyMap<string, readonly PastRun[]>,
  routing: PoolRouting,
  now: number,
): void {
  const saved = {
    v: 2,
    at: now,
    pools: [...pools].map((pool) => ({
      name: pool.name,
      members: [...pool.members.values()].map(
        ({ kind, id, name, health, ejections, ejectedAt, routerHandle, probeState: { sawFault } }) => {
          const learned = routing.save(routerHandle);
          return { kind, id, name, health, ejections, ejectedAt, learned, sawFault };
        },
      ),
    })),
    tasks: savedTasksOf(tasks),
  };
  writePrivate(file, JSON.stringify(saved));
}

/** Writes a file that this user alone can read. One that cannot be written is not kept: the broker goes on without it. */
export function writePrivate(file: string, text: string): void {
  try {
    writeWholeSync(file, text, { mode: 0o600 });
  } catch {}
}

function readSaved(file: string): zod.infer<typeof savedState> | null {
  try {
    return savedState.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
