import type { OutcomeKind } from '../types.ts';
import { isRead } from './route.ts';

/** What of a request decides whether a fault recovered, and which requests recover it. */
export interface CallRequest {
  readonly pool: string;
  readonly key: string | null;
  readonly kind: OutcomeKind;
  readonly status: number | null;
  /** Index of its call within the attempt. */
  readonly call: number;
  readonly method: string;
  /** Number of its route, and of its call (see `identityOf`); null where they are not known. */
  readonly route: number | null;
  readonly identity: number | null;
}

/** Kinds that are the fault of an endpoint, a key or the network. */
export function isFault(kind: OutcomeKind): boolean {
  return kind !== 'ok' && kind !== 'caller';
}

/** Kinds by which a server refuses a key. */
export function isRefusal(kind: OutcomeKind): boolean {
  return kind === 'auth' || kind === 'rate-limit' || kind === 'exhausted';
}

/** The call has what it asked for; an expected 404 is no success, though it is no fault either. */
export function isSuccess({ kind, status }: Pick<CallRequest, 'kind' | 'status'>): boolean {
  return kind === 'ok' && (status === null || status < 400);
}

/**
 * Of each request of an attempt, in the order of their ends: null for what is no fault, true for a fault that recovered,
 * false for one that ended its call. A later success recovers it: of the same call; where reading is all it did, of its
 * route; else of the same call made again; and for a refusal, any with that key.
 */
export function recoveries(requests: readonly CallRequest[]): (boolean | null)[] {
  if (!requests.some(({ kind }) => isFault(kind))) return requests.map(() => null);
  const later = new Set<string>();
  return requests
    .toReversed()
    .map((request) => {
      if (isFault(request.kind)) return recoveredBy(request).some((name) => later.has(name));
      if (isSuccess(request)) for (const name of recovers(request)) later.add(name);
      return null;
    })
    .toReversed();
}

/** Follows an attempt as it goes: which requests the fate of its faults depends on. */
export class PendingFaults {
  readonly #open = new Set<string>();

  /** True for a fault, and for a success that a fault before it waits for. */
  note(request: CallRequest): boolean {
    if (isFault(request.kind)) {
      for (const open of recoveredBy(request)) this.#open.add(open);
      return true;
    }
    if (this.#open.size === 0 || !isSuccess(request)) return false;
    return recovers(request).filter((open) => this.#open.delete(open)).length > 0;
  }
}

function recoveredBy(fault: CallRequest): string[] {
  const { call, method, route, identity, pool } = fault;
  const again = isRead(method) ? name('route', pool, route) : name('identity', pool, identity);
  return [`call ${call}`, ...again, ...(isRefusal(fault.kind) ? name('key', pool, fault.key) : [])];
}

function recovers({ call, route, identity, pool, key }: CallRequest): string[] {
  const names = [
    ...name('route', pool, route),
    ...name('identity', pool, identity),
    ...name('key', pool, key),
  ];
  return [`call ${call}`, ...names];
}

function name(kind: string, pool: string, value: string | number | null): string[] {
  return value === null ? [] : [`${kind} ${pool}\n${value}`];
}
