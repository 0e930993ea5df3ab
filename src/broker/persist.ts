import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as zod from 'zod';
import { healthOf } from '../core/health/states.ts';
import { HEALTH_STATES, MEMBER_KINDS } from '../core/types.ts';
import type { PoolRouting } from '../router/routing.ts';
import { type Context, newPoolState, type PoolState } from '../core/state.ts';
import { memberStateOf } from '../core/members.ts';
import { parseEach } from '../shared/parse-each.ts';
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

/** Writes what was learned. Names, fingerprints and numbers only. Returns the error where it could not be written. */
export function saveState(
  file: string,
  pools: Iterable<PoolState>,
  tasks: ReadonlyMap<string, readonly PastRun[]>,
  routing: PoolRouting,
  now: number,
): unknown {
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
  return writeWhole(file, JSON.stringify(saved));
}

/** Writes a file so that a reader sees the old one or the new one, never a part. Returns the error, if any. */
export function writeWhole(file: string, text: string): unknown {
  const temporary = `${file}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    // Never through something that stands there already, such as a link to another file.
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
    return null;
  } catch (error) {
    rmSync(temporary, { force: true });
    return error;
  }
}

function readSaved(file: string): zod.infer<typeof savedState> | null {
  try {
    return savedState.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
