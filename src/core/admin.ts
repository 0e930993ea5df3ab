import { type Effect, type Context, type PoolState, type MemberState } from './state.ts';
import { dirtyText, setDirty } from './health/accounts.ts';
import { shownState, untilOf, whyOf } from './health/states.ts';
import { emitChanges } from './changes.ts';
import { schedule } from './leases/queue.ts';
import { changeHealth } from './health/change.ts';
import { memberStateOf } from './members.ts';
import {
  type HealthState,
  type PoolSpec,
  type HealthSnapshot,
  type MemberKind,
  type AdminAction,
  type Reservation,
} from './types.ts';

export interface MemberStatus {
  readonly kind: MemberKind;
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
  readonly leases: readonly LeaseStatus[];
  readonly waiting: readonly WaitStatus[];
}

/** Who has or wants something, and where. */
interface Holder {
  /** The test, or what a process calls itself. */
  readonly holder: string;
  /** The name of another machine; null: this one. */
  readonly machine: string | null;
  /** Its process there; null where that is not known. */
  readonly pid: number | null;
  /** Since when, as a date. */
  readonly since: number;
}

export interface LeaseStatus extends Holder {
  readonly id: string;
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly heldMs: number;
}

export interface WaitStatus extends Holder {
  readonly waitedMs: number;
}

/**
 * Enables, disables, resets or reserves every member of that name; null where the pool has none. Only `enable` ends a
 * disablement, or a reservation before its time; `reset` ends anything else, quarantine included. What is disabled
 * cannot be reserved.
 */
export function administer(
  pool: PoolState,
  spec: PoolSpec,
  action: AdminAction,
  name: string,
  context: Context,
  reservation: Reservation | null = null,
): Effect[] | null {
  const members = memberStates(pool, spec, context).filter((member) => member.name === name);
  if (members.length === 0) return null;
  if (action === 'enable' || action === 'reset')
    for (const { routerHandle } of members) context.renew(routerHandle);
  const changes = members.map((member) => {
    const event = eventOf(action, member, reservation, context);
    return event && change(pool, member, event, spec, context);
  });
  return [
    ...emitChanges(
      pool,
      changes.filter((changed) => changed !== null),
    ),
    ...(action === 'reset' ? members.flatMap((member) => setDirty(pool, member, null, null)) : []),
    ...schedule(pool, context),
  ];
}

/** What the action does to a member; null: nothing. */
function eventOf(
  action: AdminAction,
  { health }: MemberState,
  reservation: Reservation | null,
  { now }: Context,
): Parameters<typeof changeHealth>[2] | null {
  switch (action) {
    case 'disable':
      return { type: 'disable', why: 'disabled by hand' };
    case 'reserve':
      return reservation && { type: 'reserve', until: now + reservation.forMs, why: reservation.reason };
    case 'enable':
      if (health.state === 'reserved')
        return { type: 'end-reservation', why: 'its reservation was ended by hand' };
      return health.state === 'disabled' ? { type: 'reset' } : null;
    case 'reset':
      return health.state === 'disabled' ? null : { type: 'reset' };
  }
}

/** What is held, waited for and healthy now, on this machine. `pidOf`: the process of a client. */
export function statusOf(
  pool: PoolState,
  spec: PoolSpec,
  context: Context,
  pidOf: (client: string) => number | null = () => null,
): PoolStatus {
  const limits = new Map(
    [...spec.endpoints, ...spec.keys].map(({ id, maxConcurrent }) => [id, maxConcurrent]),
  );
  return {
    name: spec.name,
    members: memberStates(pool, spec, context).map((member) => ({
      kind: member.kind,
      name: member.name,
      state: shownState(member),
      why: whyOf(member.health) || dirtyText(member),
      until: dateOfEnd(member, context),
      inUse: member.inUse,
      limit: limits.get(member.id) ?? null,
    })),
    leases: [...pool.leases.values()].map(({ id, client, holder, endpoint, key, grantedAt }) => ({
      id,
      holder,
      machine: null,
      pid: pidOf(client),
      since: context.dateOf(grantedAt),
      endpoint: endpoint?.name ?? null,
      key: key?.name ?? null,
      heldMs: context.now - grantedAt,
    })),
    waiting: pool.queue.map(({ client, holder, since }) => ({
      holder,
      machine: null,
      pid: pidOf(client),
      since: context.dateOf(since),
      waitedMs: context.now - since,
    })),
  };
}

/** The members of a specification that are not simply healthy. */
export function healthSnapshotsOf(pool: PoolState, spec: PoolSpec, context: Context): HealthSnapshot[] {
  const ids = new Set([...spec.endpoints, ...spec.keys].map((member) => member.id));
  const unwell = [...pool.members.values()].filter(
    (member) => ids.has(member.id) && shownState(member) !== 'healthy',
  );
  return unwell.map((member) => ({
    pool: spec.name,
    endpoint: member.kind === 'endpoint' ? member.name : null,
    key: member.kind === 'key' ? member.name : null,
    state: shownState(member),
    why: whyOf(member.health) || dirtyText(member),
    until: dateOfEnd(member, context),
  }));
}

/** When its state ends by time, as people read it. */
function dateOfEnd({ health }: MemberState, { dateOf }: Context): number | null {
  const until = untilOf(health);
  return until === null ? null : dateOf(until);
}

function memberStates(pool: PoolState, spec: PoolSpec, context: Context): MemberState[] {
  return [
    ...spec.endpoints.map((endpoint) => memberStateOf(pool, 'endpoint', endpoint, context)),
    ...spec.keys.map((key) => memberStateOf(pool, 'key', key, context)),
  ];
}

function change(
  pool: PoolState,
  member: MemberState,
  event: Parameters<typeof changeHealth>[2],
  spec: PoolSpec,
  context: Context,
): ReturnType<typeof changeHealth> {
  return changeHealth(pool, member, event, context.now, spec.ejection);
}
