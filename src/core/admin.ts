import type { Effect } from './effects.ts';
import { untilOf, whyOf } from './health/states.ts';
import { announce } from './changes.ts';
import { pump } from './leases/queue.ts';
import { changeHealth, type Context, type PoolState, type Subject, subjectOf } from './state.ts';
import type { HealthState, PoolSpec, Standing } from './types.ts';

/** What a person does to a member by hand. */
export type AdminAction = 'enable' | 'disable' | 'reset';

export interface MemberStatus {
  readonly kind: 'endpoint' | 'key';
  readonly name: string;
  readonly state: HealthState;
  readonly why: string;
  readonly until: number | null;
  /** Leases that hold it now, of so many; null: unlimited. */
  readonly inUse: number;
  readonly limit: number | null;
}

export interface PoolStatus {
  readonly name: string;
  readonly members: readonly MemberStatus[];
  readonly leases: readonly { holder: string; endpoint: string | null; key: string | null; heldMs: number }[];
  readonly waiting: readonly { holder: string; waitedMs: number }[];
}

/**
 * Enables, disables or resets every member of that name; null where the pool has none. Only `enable` ends a
 * disablement; `reset` ends anything else, quarantine included.
 */
export function administer(
  pool: PoolState,
  spec: PoolSpec,
  action: AdminAction,
  name: string,
  context: Context,
): Effect[] | null {
  const subjects = subjectsOf(pool, spec, context).filter((subject) => subject.name === name);
  if (subjects.length === 0) return null;
  if (action !== 'disable') for (const { belief } of subjects) context.renew(belief);
  const changes = subjects.map((subject) => {
    const disabled = subject.health.state === 'disabled';
    if (action === 'disable')
      return change(pool, subject, { type: 'disable', why: 'disabled by hand' }, spec, context);
    if ((action === 'enable') !== disabled) return null;
    return change(pool, subject, { type: 'reset' }, spec, context);
  });
  return [
    ...announce(
      pool,
      changes.filter((changed) => changed !== null),
    ),
    ...pump(pool, context),
  ];
}

/** What is held, waited for and healthy now. */
export function statusOf(pool: PoolState, spec: PoolSpec, context: Context): PoolStatus {
  const limits = new Map(
    [...spec.endpoints, ...spec.keys].map(({ id, maxConcurrent }) => [id, maxConcurrent]),
  );
  return {
    name: spec.name,
    members: subjectsOf(pool, spec, context).map((subject) => ({
      kind: subject.kind,
      name: subject.name,
      state: subject.health.state,
      why: whyOf(subject.health),
      until: untilOf(subject.health),
      inUse: subject.inUse,
      limit: limits.get(subject.id) ?? null,
    })),
    leases: [...pool.leases.values()].map(({ holder, endpoint, key, grantedAt }) => ({
      holder,
      endpoint: endpoint?.name ?? null,
      key: key?.name ?? null,
      heldMs: context.now - grantedAt,
    })),
    waiting: pool.queue.map(({ holder, since }) => ({ holder, waitedMs: context.now - since })),
  };
}

/** The members of a specification that are not simply healthy. */
export function standingsOf(pool: PoolState, spec: PoolSpec): Standing[] {
  const ids = new Set([...spec.endpoints, ...spec.keys].map((member) => member.id));
  const unwell = [...pool.subjects.values()].filter(
    ({ id, health }) => ids.has(id) && health.state !== 'healthy',
  );
  return unwell.map(({ kind, name, health }) => ({
    pool: spec.name,
    endpoint: kind === 'endpoint' ? name : null,
    key: kind === 'key' ? name : null,
    state: health.state,
    why: whyOf(health),
    until: untilOf(health),
  }));
}

function subjectsOf(pool: PoolState, spec: PoolSpec, context: Context): Subject[] {
  return [
    ...spec.endpoints.map((endpoint) => subjectOf(pool, 'endpoint', endpoint, context)),
    ...spec.keys.map((key) => subjectOf(pool, 'key', key, context)),
  ];
}

function change(
  pool: PoolState,
  subject: Subject,
  event: Parameters<typeof changeHealth>[2],
  spec: PoolSpec,
  context: Context,
): ReturnType<typeof changeHealth> {
  return changeHealth(pool, subject, event, context.now, spec.ejection);
}
