import type * as zod from 'zod';
import { type Health, healthOf } from '../core/health/states.ts';
import { HEALTH_STATES, MEMBER_KINDS, RESET_REASONS } from '../core/types.ts';
import type { PoolRouting } from '../router/routing.ts';
import { systemClock } from '../core/clock.ts';
import {
  type Context,
  type MemberState,
  type ModelLimits,
  newPoolState,
  type PoolState,
} from '../core/state.ts';
import { memberStateOf } from '../core/members.ts';
import type { Budget } from '../core/pace/budget.ts';
import { budgetNamed } from '../core/pace/key-budgets.ts';
import { limitsOf } from '../core/pace/model-limits.ts';
import { readRegularSync } from '../shared/read-regular.ts';
import { parseEach } from '../shared/parse-each.ts';
import { writeWholeSync } from '../shared/write-whole.ts';
import { z } from '../shared/zod.ts';
import { savedTasksOf } from './persist-tasks.ts';
import type { PastRun } from './task-router.ts';
import type { SavedSteps } from './time-steps.ts';

/** A date as far ahead is none that a server or a person has set. */
const FARTHEST_MS = 400 * 24 * 3_600_000;

const date = z.number().refine((at) => at < systemClock() + FARTHEST_MS);
const savedModel = z.object({
  model: z.string(),
  coolUntil: date,
  throttles: z.number().int().nonnegative(),
  learned: z.object({ rpm: z.number().positive(), at: date }).nullable(),
  /** When its latest calls went. */
  gone: z.array(date),
});
const savedHealth = z.object({
  state: z.enum(HEALTH_STATES),
  until: date.nullish(),
  why: z.string().default(''),
});
const savedMember = z.object({
  kind: z.enum(MEMBER_KINDS),
  id: z.string(),
  name: z.string(),
  health: savedHealth.extend({ own: savedHealth.nullish() }),
  ejections: z.number().int().nonnegative(),
  ejectedAt: date,
  sawFault: z.boolean().default(false),
  models: z.array(z.unknown()).default([]),
  /** An account that its next user has to reset. */
  dirty: z.object({ why: z.enum(RESET_REASONS), lease: z.string() }).nullish(),
  /** Why an account is out of service that could not sign in, or be reset. */
  accountFault: z
    .object({ failures: z.number(), why: z.string(), endpoint: z.string().nullable() })
    .nullish(),
  /** The router's own: it reads what it can. */
  learned: z.unknown(),
});
const amount = z.number().nonnegative();
const savedBudget = z.object({
  name: z.string(),
  day: z.object({ until: date.nullable(), calls: amount, tokens: amount }),
  /** What was used of the last minute: when, and how many tokens. */
  used: z.array(z.tuple([date, amount])),
});
const savedPool = z.object({
  name: z.string(),
  members: z.array(z.unknown()),
  budgets: z.array(z.unknown()).default([]),
});
const savedState = z.object({ v: z.literal(2), at: z.number().default(0), pools: z.array(z.unknown()) });

/**
 * What was learned before. It is a cache: a file that is missing or damaged is empty, and an entry that is not understood,
 * as another version may have written it, is left out by itself.
 */
export function loadState(file: string, context: Context, routing: PoolRouting): Map<string, PoolState> {
  const pools = new Map<string, PoolState>();
  const state = readSaved(file);
  for (const { name, members, budgets } of parseEach(savedPool, state?.pools ?? [])) {
    const pool = newPoolState(name);
    for (const saved of parseEach(savedBudget, budgets)) restoreBudget(pool, saved);
    for (const { health, learned, models, ...known } of parseEach(savedMember, members)) {
      const member = memberStateOf(pool, known.kind, known, context);
      member.health = restoredHealth(health, health.own && restoredHealth(health.own));
      Object.assign(member, { ejections: known.ejections, ejectedAt: known.ejectedAt });
      routing.restore(member.routerHandle, learned, state?.at ?? 0, context.now);
      member.probeState.sawFault = known.sawFault;
      for (const { model, gone, ...limits } of parseEach(savedModel, models)) {
        const { pace } = Object.assign(limitsOf(member, { model }), limits);
        pace.gone = gone.map((at) => ({ at, lease: '', settled: true }));
      }
      member.dirty = known.dirty ?? null;
      member.accountFault = known.accountFault ?? null;
    }
    pools.set(name, pool);
  }
  return pools;
}

/** `own`: beside a reservation. */
function restoredHealth({ state, until, why }: zod.infer<typeof savedHealth>, own?: Health | null): Health {
  return healthOf(state, until ?? null, why, own ?? undefined);
}

function restoreBudget(pool: PoolState, { name, day, used }: zod.infer<typeof savedBudget>): void {
  const budget = budgetNamed(pool, name);
  budget.day = { ...day, until: day.until ?? Infinity };
  budget.charges = used.map(([at, tokens], index) => ({
    id: `past ${index}`,
    lease: '',
    tokens,
    at,
    isOpen: false,
  }));
}

/** Writes what was learned. Names, fingerprints, numbers and dates only. */
export function saveState(
  file: string,
  pools: Iterable<PoolState>,
  tasks: ReadonlyMap<string, readonly PastRun[]>,
  routing: PoolRouting,
  context: Context,
  steps: readonly SavedSteps[] = [],
): void {
  const saved = {
    v: 2,
    at: context.dateOf(context.now),
    pools: [...pools].map((pool) => ({
      name: pool.name,
      members: [...pool.members.values()].map((member) => savedMemberOf(member, routing, context)),
      budgets: [...pool.budgets].map(([name, budget]) => savedBudgetOf(name, budget, context)),
    })),
    tasks: savedTasksOf(tasks),
    ...(steps.length > 0 && { steps }),
  };
  writePrivate(file, JSON.stringify(saved));
}

function savedBudgetOf(name: string, { day, charges }: Budget, { dateOf }: Context): object {
  const until = Number.isFinite(day.until) ? dateOf(day.until) : null;
  return { name, day: { ...day, until }, used: charges.map(({ at, tokens }) => [dateOf(at), tokens]) };
}

function savedMemberOf(member: MemberState, routing: PoolRouting, context: Context): object {
  const { kind, id, name, health, ejections, routerHandle, modelLimits } = member;
  const { dateOf } = context;
  const models = [...modelLimits].flatMap(([model, limits]) => savedModelOf(model, limits, context));
  return {
    kind,
    id,
    name,
    health: savedHealthOf(health, context),
    ejections,
    ejectedAt: dateOf(member.ejectedAt),
    learned: routing.save(routerHandle),
    sawFault: member.probeState.sawFault,
    ...(models.length > 0 && { models }),
    ...(member.dirty && { dirty: member.dirty }),
    ...(member.accountFault && { accountFault: member.accountFault }),
  };
}

function savedHealthOf(health: Health, context: Context): object {
  if (!('until' in health)) return health;
  const dated = { ...health, until: context.dateOf(health.until) };
  return health.state === 'reserved' ? { ...dated, own: savedHealthOf(health.own, context) } : dated;
}

/** Pauses, learned paces and the calls that still count against a rate hold for the next run, too. */
function savedModelOf(
  model: string,
  { coolUntil, throttles, learned, pace }: ModelLimits,
  { now, dateOf }: Context,
): object[] {
  const gone = pace.gone.map(({ at }) => dateOf(at));
  if (coolUntil <= now && !learned && gone.length === 0) return [];
  return [
    {
      model,
      coolUntil: coolUntil > now ? dateOf(coolUntil) : 0,
      throttles,
      learned: learned && { rpm: learned.rpm, at: dateOf(learned.at) },
      gone,
    },
  ];
}

/** Writes a file that this user alone can read. One that cannot be written is not kept: the broker goes on without it. */
export function writePrivate(file: string, text: string): void {
  try {
    writeWholeSync(file, text, { mode: 0o600 });
  } catch {}
}

function readSaved(file: string): zod.infer<typeof savedState> | null {
  try {
    return savedState.parse(JSON.parse(readRegularSync(file)));
  } catch {
    return null;
  }
}
