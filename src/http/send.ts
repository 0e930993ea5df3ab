import { type Dispatcher, getGlobalDispatcher } from 'undici';
import type { AuthSent } from '../core/request-outcome.ts';
import { monotonic } from '../core/clock.ts';
import { authSent, type Credentials } from './auth.ts';
import { areNeeded, keyless, withCredentials, withoutCredentials } from './credentials.ts';
import { dispatcherTo } from './dispatcher.ts';
import { withoutParameter } from './query.ts';
import { type Answering, watchAnswer } from './watch-answer.ts';
import { type Trust, tlsTo } from './tls.ts';

/** One request as its caller wrote it; `credentials` are added at the very end, for `origin` alone. */
export interface Sending {
  readonly url: string | Request;
  readonly init: RequestInit;
  readonly origin: string;
  readonly credentials: Credentials;
  /** Whether a header (its name in lower case) or query parameter only stands in for the leased key. */
  readonly standsIn?: (name: string, value: string) => boolean;
  /** A header more for an answer of that status. */
  readonly addHeader?: (status: number) => readonly [name: string, value: string] | null;
  /** Longest wait for the answer to begin, in milliseconds; null: no limit. */
  readonly timeoutMs: number | null;
  readonly proxy?: string | undefined;
  readonly trust: Trust;
}

export interface Received {
  readonly response: Response | null;
  readonly error: unknown;
  /** No answer had begun within `timeoutMs`. */
  readonly timedOut: boolean;
  /** Whose auth the last request to the origin went with. */
  readonly auth: AuthSent;
  /** The status of the origin's own last answer; null where it gave none. */
  readonly status: number | null;
  /** A redirect left the origin: what came of it is not the endpoint's doing. */
  readonly left: boolean;
  /** It was answered, and never came by where the key is added: `fetch` was replaced. */
  readonly isBypassed: boolean;
  readonly elapsedMs: number;
  /** The end of the answer's body: null where it is whole, else why it broke off. */
  readonly bodyEnd: Promise<unknown>;
}

/** Connections are kept alive per endpoint, for the life of the process or until `closeConnections`. */
const dispatchers = new Map<string, Dispatcher>();

/**
 * Sends a request once, by the platform's own fetch: what it makes of a request, an answer and its redirects is not ours.
 * The key goes along within its own origin only.
 */
export async function sendOnce(sending: Sending): Promise<Received> {
  const { url, init, timeoutMs } = sending;
  const wire = new Wire(sending);
  const limit = new AbortController();
  const signal = init.signal ?? (url instanceof Request ? url.signal : null);
  const abort = (): void => limit.abort(signal!.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  let timedOut = false;
  const stop = (): void => {
    timedOut = true;
    limit.abort();
  };
  const timer = timeoutMs === null ? undefined : setTimeout(stop, timeoutMs);
  const startedAt = monotonic();
  const end = (response: Response | null, error: unknown): Received => {
    clearTimeout(timer);
    const { auth, left, status, isUsed } = wire;
    // An answer that a mock made has no type of its own.
    const isBypassed = response?.type === 'basic' && !isUsed && areNeeded(sending.credentials);
    const bodyEnd = response === null ? Promise.resolve(null) : wire.ended;
    void bodyEnd.finally(() => signal?.removeEventListener('abort', abort));
    return {
      response,
      error,
      timedOut,
      auth,
      left,
      status,
      isBypassed,
      elapsedMs: monotonic() - startedAt,
      bodyEnd,
    };
  };
  const dispatcher = wire as unknown as NonNullable<RequestInit['dispatcher']>;
  try {
    return end(await fetch(url, { ...init, signal: limit.signal, dispatcher }), null);
  } catch (error) {
    return end(null, error);
  }
}

/** Ends the connections that are kept alive, so that a worker can end. */
export async function closeConnections(): Promise<void> {
  const all = [...dispatchers.values()];
  dispatchers.clear();
  await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
}

type Dispatch = Dispatcher['dispatch'];
type DispatchOptions = Parameters<Dispatch>[0];

/**
 * Where fetch hands each request of one call, redirects included: adds the credentials to what goes to the leased origin,
 * and notes what is sent. It passes the handler of the platform's fetch on to undici as it is, in the version that it has.
 */
class Wire {
  auth: AuthSent = 'none';
  left = false;
  status: number | null = null;
  isUsed = false;
  ended: Promise<unknown> = Promise.resolve(null);
  readonly #sending: Sending;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  dispatch(options: DispatchOptions, handler: object): boolean {
    const { origin, credentials, addHeader } = this.#sending;
    this.isUsed = true;
    this.left = new URL(String(options.origin)).origin !== origin;
    const answering: Answering = {
      onStart: (status) => {
        if (!this.left) this.status = status;
      },
      location: (location) => (this.left ? location : withoutCredentials(location, credentials)),
      header: (status) => (this.left ? null : (addHeader?.(status) ?? null)),
    };
    const { watched, ended } = watchAnswer(handler, answering);
    this.ended = ended;
    const sent = this.left ? this.#elsewhere(options) : this.#leased(options);
    return dispatcherOf(this.#sending, String(options.origin)).dispatch(
      sent,
      watched as Dispatcher.DispatchHandler,
    );
  }

  #leased(options: DispatchOptions): DispatchOptions {
    const { credentials, standsIn = () => false } = this.#sending;
    const [pathname, query] = split(options.path);
    const own = Object.entries((options.headers ?? {}) as Record<string, string>);
    const headers = own.filter(([name, value]) => !standsIn(name.toLowerCase(), value));
    const names = new Set(headers.map(([name]) => name.toLowerCase()));
    headers.push(...Object.entries(credentials.extra).filter(([name]) => !names.has(name)));
    const key = credentials.query?.[0];
    const isStandIn = (value: string): boolean => standsIn(key!, value);
    const search = key === undefined ? query : withoutParameter(query, key, isStandIn);
    const valueOf = (name: string): string | undefined =>
      headers.find((header) => header[0].toLowerCase() === name)?.[1];
    this.auth = authSent(credentials, valueOf, search);
    if (this.auth !== 'leased')
      return { ...options, path: `${pathname}${search}`, headers: Object.fromEntries(headers) };
    const others = headers.filter(([name]) => !(name.toLowerCase() in credentials.headers));
    return {
      ...options,
      path: `${pathname}${withCredentials(search, credentials)}`,
      headers: { ...Object.fromEntries(others), ...credentials.headers },
    };
  }

  #elsewhere(options: DispatchOptions): DispatchOptions {
    const { credentials, standsIn = () => false } = this.#sending;
    const own = Object.entries((options.headers ?? {}) as Record<string, string>);
    const added = { ...credentials.extra, ...credentials.headers };
    const headers = own.filter(
      ([name, value]) => added[name.toLowerCase()] !== value && !standsIn(name.toLowerCase(), value),
    );
    return { ...options, path: keyless(options.path, credentials), headers: Object.fromEntries(headers) };
  }
}

function split(path: string): [pathname: string, query: string] {
  const [, pathname = '', query = ''] = /^([^?]*)(.*)$/s.exec(path) ?? [];
  return [pathname, query];
}

/** Undici's own, which nobody chose. */
const DEFAULT_DISPATCHERS = ['Agent', 'Dispatcher1Wrapper'];

/** What leads to an origin: an endpoint by its proxy, others as plain fetch goes there. */
function dispatcherOf(sending: Sending, origin: string): Dispatcher {
  const { init, trust } = sending;
  const proxy = origin === sending.origin ? sending.proxy : undefined;
  // The caller's own, or one for all of the process, such as one that goes through a proxy.
  const own = init.dispatcher as unknown as Dispatcher | undefined;
  const shared = getGlobalDispatcher();
  const chosen = own ?? (DEFAULT_DISPATCHERS.includes(shared.constructor.name) ? null : shared);
  if (chosen && proxy === undefined) return chosen;
  const id = JSON.stringify([origin, proxy ?? null, trust]);
  const known = dispatchers.get(id);
  if (known) return known;
  const dispatcher = dispatcherTo({ url: origin, proxy, tls: tlsTo(origin, trust) }, { headersTimeout: 0 });
  dispatchers.set(id, dispatcher);
  return dispatcher;
}
