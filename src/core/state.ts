import type { RetryBudget } from './pace/retry-budget.ts';
import { type ProbeState, newProbeState, markUnavailable } from './health/probe-state.ts';
import type { Random } from './clock.ts';
import { type RecentOutcomes, newRecentOutcomes } from './blame/comparison.ts';
import {
  type Health,
  type HealthEvent,
  HEALTHY,
  nextHealth,
  remainingEjections,
  untilOf,
  whyOf,
} from './health/states.ts';
import type { CorrelatedFailures } from './blame/correlation.ts';
import { type ModelLimits, resetLimits } from './pace/model-limits.ts';
import type { ResolvedMember, ResolvedPool } from './resolved-pool.ts';
import {
  type RouterHandle,
  type Observation,
  type Need,
  type PoolSpec,
  type Rotation,
  type Routing,
  type Transition,
  type MemberKind,
} from './types.ts';

/** What the broker knows of one endpoint or key. Mutable, owned by its pool's state. */
export interface MemberState {
  readonly kind: MemberKind;
  readonly id: string;
  /** As the last specification has it: an edit may rename it. */
  name: string;
  health: Health;
  /** Leases that hold it. */
  inUse: number;
  pass: number;
  /** Soft faults since its last success, with what they were about. */
  faults: { readonly about: string; readonly at: number }[];
  ejections: number;
  ejectedAt: number;
  /** It had a success in this broker's life; until then one attempt at a time finds out. */
  proven: boolean;
  /** When it was last answered other than by a 429. */
  lastServedAt: number;
  /** When this machine last found no way to it. */
  unreachableAt: number;
  /** Refusals (401, 403) since its last success, and those that another key was not given. */
  refusals: number;
  proofs: Set<string>;
  /** The lease whose attempt finds out whether an unproven member works. */
  trial: { readonly lease: string; readonly since: number } | null;
  /** Until when another machine is known to hold it; 0: not known. */
  elsewhereUntil: number;
  /** Rates and pauses, per model. */
  readonly modelLimits: Map<string, ModelLimits>;
  routerHandle: RouterHandle;
  /** What probes found out about it. */
  probeState: ProbeState;
}

export interface LeaseState {
  readonly id: string;
  readonly client: string;
  /** What it got its member by. */
  spec: PoolSpec;
  /** What its next member comes by: the latest that its link has told. */
  latest: PoolSpec;
  /** What it asked for; its `model` follows its calls, where they say which. */
  need: Need;
  readonly holder: string;
  readonly testId: string | null;
  resolved: ResolvedPool;
  /** Subjects that it holds; both null while it waits for another member. */
  endpoint: MemberState | null;
  key: MemberState | null;
  /** Its calls may go without asking for a turn. */
  fastPath: boolean;
  /** Its claim in the shared store; `none` without one. */
  claim: 'none' | 'pending' | 'held';
  grantedAt: number;
}

/** A request of a link that waits for its answer. */
export interface ReplyTo {
  readonly client: string;
  readonly ask: number;
}

export interface LeaseWaiter {
  readonly replyTo: ReplyTo[];
  /** The lease that it waits for. */
  readonly id: string;
  readonly client: string;
  spec: PoolSpec;
  readonly need: Need;
  readonly holder: string;
  readonly testId: string | null;
  readonly since: number;
  /** Its place among all that ever waited; 0: not in the queue yet. */
  position: number;
  /** It lost its member and goes before those that never had one. */
  readonly moving: boolean;
  /** Its link has no such lease yet. */
  readonly isNew: boolean;
  /** Its test can give back what it holds, and ask for all of it anew. */
  readonly canYield: boolean;
  readonly deadline: number;
  /** Subjects that will not do: the ones a call just failed at. */
  readonly exclude: ReadonlySet<string>;
  /** Subjects to keep where possible, when a lease moves. */
  readonly prefer: ReadonlySet<string>;
  /** Members that this test failed on before: avoided until `avoidUntil`. */
  readonly avoid: ReadonlySet<string>;
  readonly avoidUntil: number;
}

export interface PermitWaiter extends ReplyTo {
  readonly lease: string;
  readonly movable: boolean;
  /** The model that the call is for; absent: as the lease has it. */
  readonly model?: string | undefined;
  readonly since: number;
  /** When its reserved turn comes; null: not reserved yet. */
  dueAt: number | null;
}

/** All that the broker knows of one pool. */
export interface PoolState {
  readonly name: string;
  /** The revision of the configuration in force: nothing is granted by another. Null where none is followed. */
  revision: string | null;
  readonly members: Map<string, MemberState>;
  readonly leases: Map<string, LeaseState>;
  queue: LeaseWaiter[];
  /** The highest place in the queue that was given. */
  lastPosition: number;
  permitQueue: PermitWaiter[];
  readonly recentOutcomes: RecentOutcomes;
  readonly correlated: CorrelatedFailures;
  readonly budget: RetryBudget;
  /** Limits hold over several machines, so that leases take claims in a shared store. */
  shared: boolean;
  /** Waiters whose claim the shared store has not answered yet, by lease. */
  readonly claiming: Map<string, LeaseWaiter>;
  /** Until when no claim is tried, since the shared store did not answer. */
  storeDownUntil: number;
  readonly resolvedPools: WeakMap<PoolSpec, ResolvedPool>;
  /** Subjects whose gate is shut. */
  readonly gated: Set<MemberState>;
  /** Members that a test's earlier attempts failed on. */
  readonly failedOn: Map<string, Set<string>>;
  /** What there is to probe, while some link can send a probe; null while none can. */
  prober: PoolSpec | null;
  /** Probes under way, by id. */
  readonly probes: Map<string, Probe>;
  probesSent: number;
}

/** A request of our own that finds out about its members, sent by a link that the broker picks. */
export interface Probe {
  readonly id: string;
  readonly spec: PoolSpec;
  readonly endpoint: MemberState;
  readonly key: MemberState | null;
  /** Which of them it was sent for. */
  readonly about: MemberState;
  /** It decides about the return of a member: one at a time over all machines. */
  readonly recovers: boolean;
  /** Links that were asked to send it. */
  tries: number;
  /** When another link is asked. */
  deadline: number;
}

/** What decisions get from outside, besides state and event. */
export interface Context {
  readonly now: number;
  readonly random: Random;
  /** The rotation's or routing's choice for the `attempt`-th member of a call, from 1; null where there is none. */
  readonly choose: <P extends ResolvedMember>(
    how: Rotation | Routing,
    candidates: readonly P[],
    now: number,
    random: Random,
    attempt: number,
  ) => P | null;
  readonly newHandle: (pool: string, kind: MemberState['kind'], id: string) => RouterHandle;
  readonly observe: (routerHandle: RouterHandle, learned: Observation, now: number) => void;
  /** A person says that the member works again. */
  readonly renew: (routerHandle: RouterHandle) => void;
}

/** A transition before it has a place in the broker's history. */
export interface HealthChange extends Omit<Transition, 'seq' | 'broker' | 'at'> {
  readonly member: MemberState;
}

export function newPoolState(name: string, shared = false, revision: string | null = null): PoolState {
  return {
    name,
    revision,
    members: new Map(),
    leases: new Map(),
    queue: [],
    lastPosition: 0,
    permitQueue: [],
    recentOutcomes: newRecentOutcomes(),
    correlated: new Map(),
    shared,
    claiming: new Map(),
    storeDownUntil: 0,
    resolvedPools: new WeakMap(),
    gated: new Set(),
    budget: { calls: 0, retries: 0 },
    failedOn: new Map(),
    prober: null,
    probes: new Map(),
    probesSent: 0,
  };
}

/** The subject of that identity; one never seen starts healthy, and level in the round with the others. */
export function memberStateOf(
  pool: PoolState,
  kind: MemberState['kind'],
  spec: { readonly id: string; readonly name: string },
  context: Context,
): MemberState {
  const address = `${kind}:${spec.id}`;
  const known = pool.members.get(address);
  if (known) return known;
  const passes = [...pool.members.values()].filter((other) => other.kind === kind).map((other) => other.pass);
  const member: MemberState = {
    kind,
    id: spec.id,
    name: spec.name,
    health: HEALTHY,
    inUse: 0,
    pass: passes.length > 0 ? Math.min(...passes) : 0,
    faults: [],
    ejections: 0,
    ejectedAt: 0,
    proven: false,
    lastServedAt: 0,
    unreachableAt: -Infinity,
    refusals: 0,
    proofs: new Set(),
    trial: null,
    elsewhereUntil: 0,
    modelLimits: new Map(),
    probeState: newProbeState(),
    routerHandle: context.newHandle(pool.name, kind, spec.id),
  };
  pool.members.set(address, member);
  return member;
}

/** Applies a health event; returns the change where the state changed. */
export function changeHealth(
  pool: PoolState,
  member: MemberState,
  event: HealthEvent,
  now: number,
  policy: PoolSpec['ejection'],
): HealthChange | null {
  const before = member.health;
  if (event.type === 'fault' && before.state !== 'ejected') {
    member.ejections = remainingEjections(member.ejections, now - member.ejectedAt, policy);
  }
  member.health = nextHealth(before, event, now, member.ejections, policy);
  if (event.type === 'fault' && member.health.state === 'ejected' && before.state !== 'ejected') {
    member.ejections++;
    member.ejectedAt = untilOf(member.health) ?? now;
  }
  if (event.type === 'reset') Object.assign(member, { faults: [], ejections: 0, refusals: 0 });
  if (event.type === 'recover') Object.assign(member, { faults: [], refusals: 0 });
  if (event.type === 'reset') for (const limits of member.modelLimits.values()) resetLimits(limits);
  if (event.type === 'reset' || event.type === 'recover') member.proofs.clear();
  const { state } = member.health;
  const recheckAfterMs = event.type === 'quarantine' ? (event.recheckAfterMs ?? 0) : 0;
  if (state !== before.state && (state === 'ejected' || state === 'quarantined'))
    markUnavailable(member.probeState, now, recheckAfterMs);
  if (event.type === 'fault' && event.isSeenByProbes) member.probeState.sawFault = true;
  if (member.health.state === before.state && untilOf(member.health) === untilOf(before)) return null;
  const saysWhy = event.type === 'recover' || event.type === 'reset';
  return {
    member,
    pool: pool.name,
    endpoint: member.kind === 'endpoint' ? member.name : null,
    key: member.kind === 'key' ? member.name : null,
    from: before.state,
    to: member.health.state,
    why: (saysWhy && event.why) || whyOf(member.health) || recovery(before),
    until: untilOf(member.health),
  };
}

/** Its last calls were refused and none ever worked: others go first until that is decided. */
export function isSuspect(member: MemberState): boolean {
  return !member.proven && member.refusals > 0;
}

function recovery(before: Health): string {
  if (before.state === 'cooling') return 'its pause is over';
  if (before.state === 'half-open') return 'its trial went well';
  return 'reset';
}
