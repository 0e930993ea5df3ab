import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as zod from 'zod';
import type { Health } from '../core/health/states.ts';
import type { PoolRouting } from '../router/routing.ts';
import { type Context, newPoolState, type PoolState, memberStateOf } from '../core/state.ts';
import { z } from '../shared/zod.ts';
import { savedTasksOf } from './persist-tasks.ts';
import type { PastRun } from './task-router.ts';

const timed = z.object({
  state: z.enum(['cooling', 'ejected', 'exhausted']),
  until: z.number(),
  why: z.string(),
});
const health = z.union([
  z.object({ state: z.literal('healthy') }),
  timed,
  z.object({ state: z.literal('half-open'), why: z.string() }),
  z.object({ state: z.enum(['quarantined', 'disabled']), why: z.string() }),
]);
const savedState = z.object({
  v: z.literal(1),
  at: z.number().default(0),
  pools: z.array(
    z.object({
      name: z.string(),
      members: z.array(
        z.object({
          kind: z.enum(['endpoint', 'key']),
          id: z.string(),
          name: z.string(),
          health,
          ejections: z.number(),
          ejectedAt: z.number(),
          sawFault: z.boolean().default(false),
          /** The router's own: it reads what it can. */
          routerHandle: z.unknown(),
        }),
      ),
    }),
  ),
});

/** What was learned before, or nothing where the file is missing or damaged: it is a cache. */
export function loadState(file: string, context: Context, routing: PoolRouting): Map<string, PoolState> {
  const pools = new Map<string, PoolState>();
  const state = readSaved(file);
  for (const saved of state?.pools ?? []) {
    const pool = newPoolState(saved.name);
    for (const known of saved.members) {
      const member = memberStateOf(pool, known.kind, known, context);
      member.health = restored(known.health);
      Object.assign(member, { ejections: known.ejections, ejectedAt: known.ejectedAt });
      routing.restore(member.routerHandle, known.routerHandle, state?.at ?? 0, context.now);
      member.probeState.sawFault = known.sawFault;
    }
    pools.set(saved.name, pool);
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
    v: 1,
    at: now,
    pools: [...pools].map((pool) => ({
      name: pool.name,
      members: [...pool.members.values()].map(
        ({ kind, id, name, health, ejections, ejectedAt, routerHandle, probeState: { sawFault } }) => {
          const learned = routing.save(routerHandle);
          return { kind, id, name, health, ejections, ejectedAt, routerHandle: learned, sawFault };
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

function restored(saved: zod.infer<typeof health>): Health {
  return saved.state === 'half-open' ? { ...saved, probe: null } : saved;
}
