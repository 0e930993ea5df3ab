import { AsyncLocalStorage } from 'node:async_hooks';
import http, { type Agent, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { monotonic } from '../core/clock.ts';
import type { AuthSent } from '../core/request-outcome.ts';
import { authSent, type Credentials } from './auth.ts';
import { keyless, withCredentials, withoutCredentials } from './credentials.ts';

/** What was seen of one request on the wire. A redirect makes another one. */
interface Seen {
  status: number | null;
  headers: Readonly<Record<string, string>>;
  /** Code of a network error, such as ECONNREFUSED. */
  errorCode: string | null;
  auth: AuthSent;
  durationMs: number | null;
}

/** One call on its way through node:http, and what was seen of it. */
export interface Outgoing {
  readonly origin: string;
  readonly credentials: Credentials;
  /** Through a proxy, instead of the agent that Playwright brings. */
  readonly agent: Agent | null;
  /** Its requests to the leased origin, in order. */
  readonly seen: Seen[];
  /** Its last request went to another origin: what comes of that is not the endpoint's doing. */
  left: boolean;
  isOver: boolean;
}

const calls = new AsyncLocalStorage<Outgoing>();

/**
 * Lets the credentials go with the requests of one call, to one origin only. Playwright runs `request` and
 * `route.fetch` in this process through node:http, so they can be added at the very end: what it logs, traces and puts
 * into errors has never held them, and a redirect elsewhere cannot carry them along. Which call a request belongs to
 * is known by its asynchronous context, so that nothing of ours stands in it.
 */
export function openCall(origin: string, credentials: Credentials, agent: Agent | null = null): Outgoing {
  return { origin, credentials, agent, seen: [], left: false, isOver: false };
}

/** Runs what sends the call. */
export async function sendWithin<T>(outgoing: Outgoing, send: () => Promise<T>): Promise<T> {
  install();
  try {
    return await calls.run(outgoing, send);
  } finally {
    outgoing.isOver = true;
  }
}

type Send = typeof http.request;

const HANDLED = Symbol('gemba.handled');
const ours = new WeakSet<Send>();

/** Before each call: others (nock, msw, tracers) replace the function too, and put back what was there before ours. */
function install(): void {
  for (const module of [http, https])
    if (!ours.has(module.request)) module.request = watching(module.request);
}

function watching(send: Send): Send {
  const watched = function (this: unknown, ...args: unknown[]): ClientRequest {
    const outgoing = calls.getStore();
    const [url, options, onResponse] = args;
    const isPart = outgoing !== undefined && !outgoing.isOver && url instanceof URL && isFresh(options);
    if (!isPart) return Reflect.apply(send, this, args) as ClientRequest;
    const sent = prepare(url, options, outgoing);
    // Its redirects belong to the call too, even if other code reads the socket.
    const bound =
      typeof onResponse === 'function'
        ? (response: IncomingMessage) => void calls.run(outgoing, () => onResponse(response) as unknown)
        : onResponse;
    const request = Reflect.apply(send, this, [sent.url, sent.options, bound]) as ClientRequest;
    if (sent.seen) observe(request, sent.seen, outgoing.credentials);
    return request;
  } as Send;
  ours.add(watched);
  return watched;
}

interface Prepared {
  readonly url: URL;
  readonly options: RequestOptions;
  /** Null where it goes to another origin. */
  readonly seen: Seen | null;
}

function prepare(url: URL, options: RequestOptions, outgoing: Outgoing): Prepared {
  const { origin, credentials, agent } = outgoing;
  const headers = { ...(options.headers as Record<string, unknown>) };
  const marked = { ...options, [HANDLED]: true };
  outgoing.left = url.origin !== origin;
  if (outgoing.left) {
    for (const name of Object.keys(headers)) {
      const added = credentials.headers[name.toLowerCase()] ?? credentials.extra[name.toLowerCase()];
      if (headers[name] === added) delete headers[name];
    }
    const target = new URL(keyless(url.href, credentials));
    return { url: target, options: { ...marked, headers: headers as http.OutgoingHttpHeaders }, seen: null };
  }
  const target = new URL(url);
  for (const [name, value] of Object.entries(credentials.extra))
    if (headerOf(headers, name) === undefined) headers[name] = value;
  const auth = authSent(credentials, (name) => headerOf(headers, name), target.search);
  const seen: Seen = { status: null, headers: {}, errorCode: null, auth, durationMs: null };
  outgoing.seen.push(seen);
  if (auth === 'leased') {
    for (const name of Object.keys(headers))
      if (name.toLowerCase() in credentials.headers) delete headers[name];
    Object.assign(headers, credentials.headers);
    target.search = withCredentials(target.search, credentials);
  }
  const through = agent ? { agent } : {};
  return {
    url: target,
    options: { ...marked, ...through, headers: headers as http.OutgoingHttpHeaders },
    seen,
  };
}

function observe(request: ClientRequest, seen: Seen, credentials: Credentials): void {
  const startedAt = monotonic();
  // Before its sender reads it: where a server copies its query into a redirect, the key would show in the next address.
  request.prependOnceListener('response', (response: IncomingMessage) => {
    withoutKey(response, credentials);
    seen.status = response.statusCode ?? null;
    seen.headers = plainHeaders(response);
    seen.durationMs = monotonic() - startedAt;
    response.once('close', () => {
      seen.durationMs = monotonic() - startedAt;
      if (!response.complete) seen.errorCode ??= 'ECONNRESET';
    });
  });
  request.once('error', (error: NodeJS.ErrnoException) => {
    seen.errorCode ??= error.code ?? null;
  });
}

/** Takes a key out of where the answer sends its caller. */
function withoutKey({ headers, rawHeaders }: IncomingMessage, credentials: Credentials): void {
  const { location } = headers;
  if (location === undefined || credentials.query === null) return;
  headers.location = withoutCredentials(location, credentials);
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.toLowerCase() === 'location')
      rawHeaders[at + 1] = withoutCredentials(rawHeaders[at + 1]!, credentials);
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const entries = Object.entries(response.headersDistinct);
  return Object.fromEntries(entries.map(([name, values = []]) => [name, values.join(', ')]));
}

function headerOf(headers: Record<string, unknown>, name: string): string | undefined {
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return entry === undefined ? undefined : String(entry[1]);
}

/** Not one that a wrapper of ours further out has handled already. */
function isFresh(options: unknown): options is RequestOptions {
  return typeof options === 'object' && options !== null && !(HANDLED in options);
}
