import type { OutcomeKind } from '../types.ts';
import { isSuccess } from './recovery.ts';

/** A fault's status, where faults are compared: a timeout is one, as is a connection that broke after sending. */
export type FaultStatus = number | 'timeout' | 'unsent' | OutcomeKind;

/** What of a request the run's view keeps. */
export interface ViewedRequest {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly route: number | null;
  readonly identity: number | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly unsent: boolean;
  readonly at: number;
}

/** What of a call is compared over a run. */
type ComparedCall = Pick<ViewedRequest, 'pool' | 'route' | 'kind' | 'status' | 'unsent'>;

/** What one endpoint gave to a route at about some time. */
export interface EndpointView {
  readonly name: string;
  readonly gave: ReadonlySet<FaultStatus>;
  readonly hasSucceeded: boolean;
  /** Identities of its calls that succeeded, and of those that failed. */
  readonly succeeded: ReadonlySet<number>;
  readonly failed: ReadonlySet<number>;
  /** It succeeded for another route at that time. */
  readonly servesOthers: boolean;
}

/** How often one endpoint served a route, and how often it gave each fault. */
export interface Answers {
  successes: number;
  readonly failures: Map<FaultStatus, number>;
}

/** Time goes by steps: all faults of one are judged by the same window, which reaches so many steps to either side. */
const STEP_MS = 10_000;
const REACH = 30;

/** What an endpoint gave to a route within one step. */
interface Step {
  /** Identities of the calls that succeeded; UNKNOWN where that is not known. */
  readonly succeeded: number[];
  readonly failed: { readonly identity: number; readonly status: FaultStatus }[];
}

const UNKNOWN = -1;

type ByEndpoint = Map<string, Map<number, Step>>;

/**
 * What a run has seen of each route: of the whole run in the report, of the last minutes in the broker. What it says of
 * a fault depends on when requests were made, and not on the order in which they were told.
 */
export class RunView {
  readonly #pools = new Map<string, Map<number, ByEndpoint>>();
  readonly #expected = new Set<string>();
  readonly #windows = new Map<string, readonly EndpointView[]>();
  #size = 0;
  #pruneAt = 0;

  /** Takes a request in, if it says anything of its route. */
  add(request: ViewedRequest): void {
    const { pool, endpoint, route, identity, at } = request;
    const isFailed = isSoftFault(request);
    if (route === null || (!isFailed && !isSuccess(request))) return;
    const routes = ensure(this.#pools, pool, () => new Map<number, ByEndpoint>());
    const endpoints = ensure(routes, route, () => new Map<string, Map<number, Step>>());
    const steps = ensure(endpoints, endpoint ?? '', () => new Map<number, Step>());
    const { succeeded, failed } = ensure(steps, stepOf(at), () => ({ succeeded: [], failed: [] }));
    if (isFailed) failed.push({ identity: identity ?? UNKNOWN, status: faultStatus(request) });
    else succeeded.push(identity ?? UNKNOWN);
    this.#size++;
    if (this.#windows.size > 0) this.#windows.clear();
  }

  /** An attempt that passed ended a call of that route so: the product's tests expect it. */
  addExpected(call: ComparedCall): void {
    if (call.route !== null) this.#expected.add(nameOf(call));
  }

  isExpected(call: ComparedCall): boolean {
    return call.route !== null && this.#expected.has(nameOf(call));
  }

  /** What each endpoint of the pool gave to that route within five minutes of that time. */
  around(pool: string, route: number, at: number): readonly EndpointView[] {
    const step = stepOf(at);
    return ensure(this.#windows, `${pool}\n${route}\n${step}`, () => this.#window(pool, route, step));
  }

  /** What each endpoint of the pool gave to each route, over the whole time. */
  answersOf(pool: string): Map<string, Map<number, Answers>> {
    const endpoints = new Map<string, Map<number, Answers>>();
    for (const [route, byEndpoint] of this.#pools.get(pool) ?? []) {
      for (const [name, steps] of byEndpoint) {
        const answers: Answers = { successes: 0, failures: new Map() };
        for (const { succeeded, failed } of steps.values()) {
          answers.successes += succeeded.length;
          for (const { status } of failed)
            answers.failures.set(status, (answers.failures.get(status) ?? 0) + 1);
        }
        ensure(endpoints, name, () => new Map<number, Answers>()).set(route, answers);
      }
    }
    return endpoints;
  }

  /** Forgets what no fault of now can be judged by, once there are more requests than that. */
  prune(now: number, most: number): void {
    if (this.#size <= Math.max(most, this.#pruneAt)) return;
    const first = stepOf(now) - REACH;
    for (const routes of this.#pools.values())
      for (const [route, endpoints] of routes) {
        for (const [endpoint, steps] of endpoints) {
          for (const [step, { succeeded, failed }] of steps) {
            if (step >= first) continue;
            this.#size -= succeeded.length + failed.length;
            steps.delete(step);
          }
          if (steps.size === 0) endpoints.delete(endpoint);
        }
        if (endpoints.size === 0) routes.delete(route);
      }
    // A run that is busy within the time that counts is not looked through at each of its requests.
    this.#pruneAt = 2 * this.#size;
    this.#windows.clear();
  }

  #window(pool: string, route: number, step: number): EndpointView[] {
    const routes = this.#pools.get(pool) ?? new Map<number, ByEndpoint>();
    const inOrder = [...(routes.get(route) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return inOrder.flatMap(([name, steps]) => {
      const near = stepsAround(steps, step);
      if (near.length === 0) return [];
      const servesOthers = [...routes].some(
        ([other, endpoints]) =>
          other !== route &&
          stepsAround(endpoints.get(name), step).some(({ succeeded }) => succeeded.length > 0),
      );
      return [viewOf(name, near, servesOthers)];
    });
  }
}

function stepOf(at: number): number {
  return Math.floor(at / STEP_MS);
}

function stepsAround(steps: ReadonlyMap<number, Step> | undefined, middle: number): Step[] {
  if (!steps) return [];
  const near: Step[] = [];
  for (let step = middle - REACH; step <= middle + REACH; step++) {
    const seen = steps.get(step);
    if (seen) near.push(seen);
  }
  return near;
}

function viewOf(name: string, steps: readonly Step[], servesOthers: boolean): EndpointView {
  const succeeded = new Set(steps.flatMap((step) => step.succeeded));
  const failed = steps.flatMap((step) => step.failed);
  const hasSucceeded = succeeded.size > 0;
  succeeded.delete(UNKNOWN);
  const calls = new Set(failed.map(({ identity }) => identity));
  calls.delete(UNKNOWN);
  const gave = new Set(failed.map(({ status }) => status));
  return { name, gave, hasSucceeded, succeeded, failed: calls, servesOthers };
}

/** A 5xx, or no answer after sending: what the rules judge by its route. */
export function isSoftFault({ kind, unsent }: Pick<ViewedRequest, 'kind' | 'unsent'>): boolean {
  return kind === 'server' || kind === 'timeout' || (kind === 'network' && !unsent);
}

/** How faults are told apart. */
export function faultStatus({
  kind,
  status,
  unsent,
}: Pick<ViewedRequest, 'kind' | 'status' | 'unsent'>): FaultStatus {
  if (kind === 'timeout' || kind === 'network') return unsent ? 'unsent' : 'timeout';
  return status ?? kind;
}

function nameOf(call: ComparedCall): string {
  return `${call.pool}\n${call.route}\n${faultStatus(call)}`;
}

function ensure<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
