import { emitChanges } from '../changes.ts';
import { schedule } from '../leases/queue.ts';
import type { Context, Dirty, Effect, LeaseState, MemberState, PoolState } from '../state.ts';
import type { AccountEvent, ResetReason } from '../types.ts';
import { changeHealth } from './change.ts';
import { type HealthEvent, isUnavailable, shownState } from './states.ts';

/*
 * Accounts that tests sign in with: whether the next user has to reset one, and what follows where a sign-in or a reset fails.
 */

const COOL_MS = 30_000;
const MAX_COOL_MS = 600_000;

const LEFT: Readonly<Record<ResetReason, string>> = {
  failed: 'its last test failed',
  timedOut: 'its last test timed out',
  crashed: 'the worker of its last test crashed',
  always: 'its last test used it',
};

/** What an account has to be reset for, in words; empty for a clean one. */
export function dirtyText({ dirty }: Pick<MemberState, 'dirty'>): string {
  return dirty ? `it has to be reset: ${LEFT[dirty.why]}` : '';
}

/** `lease`: whose word it is; null: a person's. */
export function setDirty(
  pool: PoolState,
  member: MemberState,
  dirty: Dirty | null,
  lease: string | null,
): Effect[] {
  const before = member.dirty;
  const from = shownState(member);
  member.dirty = dirty;
  const to = shownState(member);
  const isNews = lease !== null || before !== null;
  const told: Effect[] = isNews
    ? [{ type: 'dirtiness', member, lease: before?.lease ?? lease ?? '', is: dirty }]
    : [];
  if (from === to) return told;
  const change = {
    member,
    pool: pool.name,
    endpoint: null,
    key: member.name,
    from,
    to,
    why: dirtyText(member) || 'it was reset',
    until: null,
  };
  return [{ type: 'changed', change }, ...told];
}

/** Another machine left the account dirty, or reset it. */
export function applyRemoteDirtiness(
  pool: PoolState,
  address: string,
  dirty: Dirty | null,
  context: Context,
): Effect[] {
  const member = pool.members.get(address);
  // What this machine holds it says itself.
  if (!member || member.inUse > 0) return [];
  const effects = setDirty(pool, member, dirty, null).filter(({ type }) => type !== 'dirtiness');
  return effects.length === 0 ? [] : [...effects, ...schedule(pool, context)];
}

/** What became of the account of a lease: by its holder, in this run. */
export function applyAccountEvent(
  pool: PoolState,
  lease: LeaseState,
  { event, why, run }: { readonly event: AccountEvent; readonly why: string; readonly run: string },
  context: Context,
): Effect[] {
  const { key } = lease;
  if (!key) return [];
  switch (event) {
    case 'signed-in':
      return signedIn(pool, lease, key, run, context);
    case 'sign-in-failed':
      return [...signInFailed(pool, lease, key, { why, run }, context), ...schedule(pool, context)];
    case 'cleaned':
      key.cleaning = null;
      return [...setDirty(pool, key, null, lease.id), ...schedule(pool, context)];
    case 'reset-failed':
      key.cleaning = null;
      key.accountFault = { failures: 1, why, endpoint: lease.endpoint?.id ?? null };
      return [
        ...change(pool, lease, key, { type: 'quarantine', why: `its reset failed: ${why}` }, context),
        ...schedule(pool, context),
      ];
    case 'token-refused':
      return [
        ...change(pool, lease, key, { type: 'quarantine', why: `no token for it: ${why}` }, context),
        ...schedule(pool, context),
      ];
  }
}

/** A run begins: what accounts could not do in runs before it says nothing any more. */
export function tryAccountsAgain(pool: PoolState, context: Context): Effect[] {
  const changes = [...pool.members.values()].flatMap((member) => {
    if (!member.accountFault) return [];
    member.accountFault = null;
    if (!isUnavailable(member.health.state) || member.health.state === 'disabled') return [];
    const event = { type: 'reset', why: 'a new run tries it again' } as const;
    return changeHealth(pool, member, event, context.now, NO_EJECTIONS) ?? [];
  });
  return [...emitChanges(pool, changes), ...schedule(pool, context)];
}

const NO_EJECTIONS = { baseMs: 0, maxMs: 0 };

/** The page works, so that accounts that failed there failed by themselves. */
function signedIn(
  pool: PoolState,
  lease: LeaseState,
  key: MemberState,
  run: string,
  context: Context,
): Effect[] {
  key.accountFault = null;
  const endpoint = lease.endpoint?.id ?? null;
  accountsAt(pool, run, endpoint).add(key.id);
  const proved = [...pool.members.values()].filter(
    ({ accountFault, health }) =>
      accountFault && accountFault.endpoint === endpoint && health.state === 'cooling',
  );
  return proved.flatMap((other) => {
    const why = failedText(other.accountFault!.why);
    return change(pool, lease, other, { type: 'quarantine', why }, context);
  });
}

function signInFailed(
  pool: PoolState,
  lease: LeaseState,
  key: MemberState,
  { why, run }: { readonly why: string; readonly run: string },
  context: Context,
): Effect[] {
  const failures = (key.accountFault?.failures ?? 0) + 1;
  const endpoint = lease.endpoint?.id ?? null;
  key.accountFault = { failures, why, endpoint };
  const others = [...accountsAt(pool, run, endpoint)].some((id) => id !== key.id);
  if (others) return change(pool, lease, key, { type: 'quarantine', why: failedText(why) }, context);
  const until = context.now + Math.min(MAX_COOL_MS, COOL_MS * 2 ** Math.min(20, failures - 1));
  return change(pool, lease, key, { type: 'cool', until, why: failedText(why) }, context);
}

function failedText(why: string): string {
  return `it could not sign in: ${why}`;
}

function accountsAt(pool: PoolState, run: string, endpoint: string | null): Set<string> {
  const place = `${run}\n${endpoint ?? ''}`;
  const known = pool.signedIn.get(place) ?? new Set();
  pool.signedIn.set(place, known);
  return known;
}

function change(
  pool: PoolState,
  lease: LeaseState,
  member: MemberState,
  event: HealthEvent,
  context: Context,
): Effect[] {
  const changed = changeHealth(pool, member, event, context.now, lease.spec.ejection);
  return emitChanges(pool, changed ? [changed] : []);
}
