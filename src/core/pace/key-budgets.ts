import { changeHealth } from '../health/change.ts';
import type { Context, HealthChange, LeaseState, MemberState, PoolState, ResolvedMember } from '../state.ts';
import type { BudgetSpec, KeySpec } from '../types.ts';
import { beginDay, type Budget, newBudget, settle, settleAll, usedUp } from './budget.ts';
import { nextTimeOfDay } from './day.ts';
import { limitsOf } from './model-limits.ts';

/** A day begins so much later than the server's own: clocks differ by a little. */
const LATER_MS = 500;

/** The budget that the calls of a lease draw on. */
export interface KeyBudget {
  readonly key: MemberState;
  readonly spec: BudgetSpec;
  readonly budget: Budget;
  /** Its name, over all machines. */
  readonly name: string;
}

export function hasBudget({ spec }: ResolvedMember): boolean {
  const { tpm, daily } = spec as KeySpec;
  return tpm !== undefined || daily !== undefined;
}

/** Null where the lease's key has none. */
export function budgetOf(pool: PoolState, lease: LeaseState, context: Context): KeyBudget | null {
  const { key } = lease;
  const resolved = key && lease.resolved.of.get(key);
  if (!key || !resolved || !hasBudget(resolved)) return null;
  const { tpm, daily, quotaGroup } = resolved.spec as KeySpec;
  const name = nameOf(quotaGroup, lease.need['model']);
  const budget = budgetNamed(pool, name);
  beginDay(budget, context.now, () => endOfDay(daily?.resetsAt, context));
  return { key, spec: { tpm, daily }, budget, name };
}

export function budgetNamed(pool: PoolState, name: string): Budget {
  const known = pool.budgets.get(name);
  if (known) return known;
  const budget = newBudget();
  pool.budgets.set(name, budget);
  return budget;
}

/** Takes the keys out whose budget of the day is gone, until it begins anew. */
export function takeOutUsedUp(
  pool: PoolState,
  lease: LeaseState,
  { spec, budget, key }: KeyBudget,
  context: Context,
  what: string | null = usedUp(budget, spec),
): HealthChange[] {
  if (what === null) return [];
  const { until } = budget.day;
  const group = lease.resolved.keys.find(({ member }) => member === key)?.spec.quotaGroup;
  const sharers = lease.resolved.keys.filter((other) => other.spec.quotaGroup === group && hasBudget(other));
  return sharers.flatMap(({ member }) => {
    if (lease.need['model'] !== undefined) {
      const limits = limitsOf(member, lease.need);
      limits.coolUntil = Math.max(limits.coolUntil, until);
      return [];
    }
    const why = `its budget of the day is used up (${what})`;
    const change = changeHealth(
      pool,
      member,
      { type: 'exhaust', until, why },
      context.now,
      lease.spec.ejection,
    );
    return change ? [change] : [];
  });
}

/** The answer of a call came, or it will not come. True where a budget has it. */
export function settleIn(pool: PoolState, id: string, tokens: number | null, now: number): boolean {
  for (const budget of pool.budgets.values()) if (settle(budget, { id, tokens }, now)) return true;
  return false;
}

export function settleLease(pool: PoolState, lease: string, now: number): void {
  for (const budget of pool.budgets.values()) settleAll(budget, lease, now);
}

function nameOf(group: string, model: string | undefined): string {
  return model === undefined ? group : `${group} ${model}`;
}

function endOfDay(resetsAt: string | undefined, { now, dateOf }: Context): number {
  const date = dateOf(now);
  return resetsAt === undefined ? Infinity : now + nextTimeOfDay(resetsAt, date) - date + LATER_MS;
}
