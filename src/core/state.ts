import type { RetryBudget } from './pace/retry-budget.ts';
import { type Checks, newChecks, wentOut } from './health/probe-state.ts';
import type { Random } from './clock.ts';
import { type Comparisons, newComparisons } from './blame/comparison.ts';
import {
  type Health,
  type HealthEvent,
  HEALTHY,
  nextHealth,
  remainingEjections,
  untilOf,
  whyOf,
} from './health/states.ts';
import type { Marks } from './blame/correlation.ts';
import { type Lane, resetLane } from './pace/model-limits.ts';
import type { Place, Roster } from './resolved-pool.ts';
import type { Belief, Learned, Need, PoolSpec, Rotation, Routing, Transition } from './types.ts';

/** What the broker knows of one endpoint or key. Mutable, owned by its pool's state. */
export interface Subject {
  readonly kind: 'endpoint' | 'key';
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
  gate: { readonly lease: string; readonly since: number } | null;
  /** Until when another machine is known to hold it; 0: not known. */
  elsewhereUntil: number;
  /** Rates and pauses, per model. */
  readonly lanes: Map<string, Lane>;
  belief: Belief;
  /** What probes found out about it. */
  checks: Checks;
}

export interface LeaseState {
  readonly id: string;
  readonly link: string;
  /** What it got its member by. */
  spec: PoolSpec;
  /** What its next member comes by: the latest that its link has told. */
  latest: PoolSpec;
  /** What it asked for; its `model` follows its calls, where they say which. */
  need: Need;
  readonly holder: string;
  readonly testId: string | null;
  roster: Roster;
  /** Subjects that it holds; both null while it waits for another member. */
  endpoint: Subject | null;
  key: Subject | null;
  /** Its calls may go without asking for a turn. */
  free: boolean;
  /** Its claim in the shared store; `none` without one. */
  claim: 'none' | 'pending' | 'held';
  grantedAt: number;
}

/** A request of a link that waits for its answer. */
export interface Ask {
  readonly link: string;
  readonly ask: number;
}

export interface Waiter {
  readonly asks: Ask[];
  /** The lease that it waits for. */
  readonly id: string;
  readonly link: string;
  spec: PoolSpec;
  readonly need: Need;
  readonly holder: string;
  readonly testId: string | null;
  readonly since: number;
  /** Its place among all that ever waited; 0: not in the queue yet. */
  place: number;
  /** It lost its member and goes before those that never had one. */
  readonly moving: boolean;
  /** Its link has no such lease yet. */
  readonly isNew: boolean;
  /** Its test can give back what it holds, and ask for all of it anew. */
  readonly yields: boolean;
  readonly deadline: number;
  /** Subjects that will not do: the ones a call just failed at. */
  readonly exclude: ReadonlySet<string>;
  /** Subjects to keep where possible, when a lease moves. */
  readonly prefer: ReadonlySet<string>;
  /** Members that this test failed on before: avoided until `avoidUntil`. */
  readonly avoid: ReadonlySet<string>;
  readonly avoidUntil: number;
}

export interface TurnWaiter extends Ask {
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
  readonly subjects: Map<string, Subject>;
  readonly leases: Map<string, LeaseState>;
  queue: Waiter[];
  /** The highest place in the queue that was given. */
  lastPlace: number;
  turns: TurnWaiter[];
  readonly comparisons: Comparisons;
  readonly marks: Marks;
  readonly budget: RetryBudget;
  /** Limits hold over several machines, so that leases take claims in a shared store. */
  shared: boolean;
  /** Waiters whose claim the shared store has not answered yet, by lease. */
  readonly claiming: Map<string, Waiter>;
  /** Until when no claim is tried, since the shared store did not answer. */
  storeDownUntil: number;
  readonly rosters: WeakMap<PoolSpec, Roster>;
  /** Subjects whose gate is shut. */
  readonly gated: Set<Subject>;
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
  readonly endpoint: Subject;
  readonly key: Subject | null;
  /** Which of them it was sent for. */
  readonly about: Subject;
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
  readonly choose: <P extends Place>(
    how: Rotation | Routing,
    places: readonly P[],
    now: number,
    random: Random,
    attempt: number,
  ) => P | null;
  readonly newBelief: (pool: string, kind: Subject['kind'], id: string) => Belief;
  readonly learn: (belief: Belief, learned: Learned, now: number) => void;
  /** A person says that the member works again. */
  readonly renew: (belief: Belief) => void;
}

/** A transition before it has a place in the broker's history. */
export interface HealthChange extends Omit<Transition, 'seq' | 'broker' | 'at'> {
  readonly subject: Subject;
}

export function newPoolState(name: string, shared = false, revision: string | null = null): PoolState {
  return {
    name,
    revision,
    subjects: new Map(),
    leases: new Map(),
    queue: [],
    lastPlace: 0,
    turns: [],
    comparisons: newComparisons(),
    marks: new Map(),
    shared,
    claiming: new Map(),
    storeDownUntil: 0,
    rosters: new WeakMap(),
    gated: new Set(),
    budget: { calls: 0, retries: 0 },
    failedOn: new Map(),
    prober: null,
    probes: new Map(),
    probesSent: 0,
  };
}

/** The subject of that identity; one never seen starts healthy, and level in the round with the others. */
export function subjectOf(
  pool: PoolState,
  kind: Subject['kind'],
  spec: { readonly id: string; readonly name: string },
  context: Context,
): Subject {
  const address = `${kind}:${spec.id}`;
  const known = pool.subjects.get(address);
  if (known) return known;
  const passes = [...pool.subjects.values()]
    .filter((other) => other.kind === kind)
    .map((other) => other.pass);
  const subject: Subject = {
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
    gate: null,
    elsewhereUntil: 0,
    lanes: new Map(),
    checks: newChecks(),
    belief: context.newBelief(pool.name, kind, spec.id),
  };
  pool.subjects.set(address, subject);
  return subject;
}

/** Applies a health event; returns the change where the state changed. */
export function changeHealth(
  pool: PoolState,
  subject: Subject,
  event: HealthEvent,
  now: number,
  policy: PoolSpec['ejection'],
): HealthChange | null {
  const before = subject.health;
  if (event.type === 'fault' && before.state !== 'ejected') {
    subject.ejections = remainingEjections(subject.ejections, now - subject.ejectedAt, policy);
  }
  subject.health = nextHealth(before, event, now, subject.ejections, policy);
  if (event.type === 'fault' && subject.health.state === 'ejected' && before.state !== 'ejected') {
    subject.ejections++;
    subject.ejectedAt = untilOf(subject.health) ?? now;
  }
  if (event.type === 'reset') Object.assign(subject, { faults: [], ejections: 0, refusals: 0 });
  if (event.type === 'recover') Object.assign(subject, { faults: [], refusals: 0 });
  if (event.type === 'reset') for (const lane of subject.lanes.values()) resetLane(lane);
  if (event.type === 'reset' || event.type === 'recover') subject.proofs.clear();
  const { state } = subject.health;
  if (state !== before.state && (state === 'ejected' || state === 'quarantined'))
    wentOut(subject.checks, now);
  if (subject.health.state === before.state && untilOf(subject.health) === untilOf(before)) return null;
  const saysWhy = event.type === 'recover' || event.type === 'reset';
  return {
    subject,
    pool: pool.name,
    endpoint: subject.kind === 'endpoint' ? subject.name : null,
    key: subject.kind === 'key' ? subject.name : null,
    from: before.state,
    to: subject.health.state,
    why: (saysWhy && event.why) || whyOf(subject.health) || recovery(before),
    until: untilOf(subject.health),
  };
}

/** Its last calls were refused and none ever worked: others go first until that is decided. */
export function isSuspect(subject: Subject): boolean {
  return !subject.proven && subject.refusals > 0;
}

function recovery(before: Health): string {
  if (before.state === 'cooling') return 'its pause is over';
  if (before.state === 'half-open') return 'its trial went well';
  return 'reset';
}
