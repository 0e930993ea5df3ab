import { type BodyInit, type Dispatcher, fetch, type RequestInit, type Response } from 'undici';
import type { AuthSent } from '../core/request-outcome.ts';
import { monotonic } from '../core/clock.ts';
import { authSent, type Credentials } from './auth.ts';
import { withCredentials } from './credentials.ts';
import { dispatcherTo } from './dispatcher.ts';

/** One request as it goes on the wire; `credentials` are added at the very end, for `origin` alone. */
export interface Sending {
  readonly url: string;
  readonly origin: string;
  readonly credentials: Credentials;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly redirect?: RequestInit['redirect'] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for the answer to begin, in milliseconds; null: no limit. */
  readonly timeoutMs: number | null;
  readonly proxy?: string | undefined;
  /** Take any certificate, as Playwright's `ignoreHTTPSErrors`. */
  readonly insecure: boolean;
}

export interface Received {
  readonly response: Response | null;
  readonly error: unknown;
  /** No answer had begun within `timeoutMs`. */
  readonly timedOut: boolean;
  /** Whose auth the last request to the origin went with. */
  readonly auth: AuthSent;
  /** A redirect left the origin: what came of it is not the endpoint's doing. */
  readonly left: boolean;
  readonly elapsedMs: number;
}

/** Connections are kept alive per endpoint, for the life of the process or until `closeConnections`. */
const dispatchers = new Map<string, Dispatcher>();

/** Sends a request once. Redirects are followed as fetch has it; the key goes along within its own origin only. */
export async function sendOnce(sending: Sending): Promise<Received> {
  const { url, method, headers, body, redirect, timeoutMs } = sending;
  const wire = { auth: 'none' as AuthSent, left: false };
  const limit = new AbortController();
  let timedOut = false;
  const stop = (): void => {
    timedOut = true;
    limit.abort();
  };
  const timer = timeoutMs === null ? undefined : setTimeout(stop, timeoutMs);
  const startedAt = monotonic();
  const end = (response: Response | null, error: unknown): Received => {
    clearTimeout(timer);
    return { response, error, timedOut, ...wire, elapsedMs: monotonic() - startedAt };
  };
  const signals = sending.signal ? [sending.signal, limit.signal] : [limit.signal];
  const init: RequestInit = {
    method,
    headers: [...headers],
    body: (body ?? null) as BodyInit | null,
    signal: AbortSignal.any(signals),
    dispatcher: dispatcherOf(sending).compose((dispatch) => leasing(dispatch, sending, wire)),
    ...(redirect === undefined ? {} : { redirect }),
    // Said for every body: it is needed for streams, and no harm to the rest.
    duplex: 'half',
  };
  try {
    return end(await fetch(url, init), null);
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

function dispatcherOf({ origin, proxy, insecure }: Sending): Dispatcher {
  const id = JSON.stringify([origin, proxy ?? null, insecure]);
  const known = dispatchers.get(id);
  if (known) return known;
  const dispatcher = dispatcherTo({ url: origin, proxy, insecure }, { headersTimeout: 0 });
  dispatchers.set(id, dispatcher);
  return dispatcher;
}

type Dispatch = Dispatcher['dispatch'];

/** Adds the credentials to what goes to the leased origin, and notes what is sent. */
function leasing(
  dispatch: Dispatch,
  { origin, credentials }: Sending,
  wire: { auth: AuthSent; left: boolean },
): Dispatch {
  return (options, handler) => {
    wire.left = new URL(String(options.origin)).origin !== origin;
    if (wire.left) return dispatch(options, handler);
    const [, pathname = '', search = ''] = /^([^?]*)(.*)$/s.exec(options.path) ?? [];
    const headers = new Headers(options.headers as Record<string, string>);
    for (const [name, value] of Object.entries(credentials.extra))
      if (!headers.has(name)) headers.set(name, value);
    const auth = authSent(credentials, (name) => headers.get(name) ?? undefined, search);
    if (auth === 'leased')
      for (const [name, value] of Object.entries(credentials.headers)) headers.set(name, value);
    wire.auth = auth;
    const path = `${pathname}${auth === 'leased' ? withCredentials(search, credentials) : search}`;
    return dispatch({ ...options, path, headers: Object.fromEntries(headers) }, handler);
  };
}
