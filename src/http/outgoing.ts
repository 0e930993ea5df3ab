import http, { type Agent, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { monotonic } from '../core/clock.ts';
import type { AuthSent } from '../core/request-outcome.ts';
import { authSent, type Credentials } from './auth.ts';

/** Names a call in a header that never leaves this process; it is all that Playwright's logs and traces see. */
export const CALL_HEADER = 'x-gemba-call';

/** What was seen of one request on the wire. A redirect makes another one. */
export interface Seen {
  status: number | null;
  headers: Readonly<Record<string, string>>;
  /** Code of a network error, such as ECONNREFUSED. */
  errorCode: string | null;
  auth: AuthSent;
  durationMs: number | null;
}

interface Outgoing {
  readonly origin: string;
  readonly credentials: Credentials;
  /** Through a proxy, instead of the agent that Playwright brings. */
  readonly agent: Agent | null;
  readonly seen: Seen[];
}

const calls = new Map<string, Outgoing>();

/**
 * Lets the credentials go with the requests of one call, to one origin only. Playwright runs `request` and
 * `route.fetch` in this process through node:http, so they can be added at the very end: what it logs, traces and puts
 * into errors has never held them, and a redirect elsewhere cannot carry them along.
 */
export function openCall(
  id: string,
  origin: string,
  credentials: Credentials,
  agent: Agent | null = null,
): readonly Seen[] {
  install();
  const outgoing: Outgoing = { origin, credentials, agent, seen: [] };
  calls.set(id, outgoing);
  return outgoing.seen;
}

export function closeCall(id: string): void {
  calls.delete(id);
}

type Send = typeof http.request;

let installed = false;

function install(): void {
  if (installed) return;
  installed = true;
  http.request = watching(http.request);
  https.request = watching(https.request);
}

function watching(send: Send): Send {
  const watched = (...args: unknown[]): ClientRequest => {
    const [url, options] = args;
    const id = url instanceof URL && isOptions(options) ? headerOf(options, CALL_HEADER) : undefined;
    if (id === undefined) return Reflect.apply(send, http, args) as ClientRequest;
    const sent = prepare(url as URL, options as RequestOptions, calls.get(id));
    const request = Reflect.apply(send, http, [sent.url, sent.options, ...args.slice(2)]) as ClientRequest;
    if (sent.seen) observe(request, sent.seen);
    return request;
  };
  return watched as Send;
}

function prepare(
  url: URL,
  options: RequestOptions,
  outgoing: Outgoing | undefined,
): { url: URL; options: RequestOptions; seen: Seen | null } {
  const headers = withoutHeader(options.headers as Record<string, unknown>, CALL_HEADER);
  if (!outgoing || url.origin !== outgoing.origin) {
    return { url, options: { ...options, headers: headers as http.OutgoingHttpHeaders }, seen: null };
  }
  const { credentials, agent } = outgoing;
  const seen: Seen = { status: null, headers: {}, errorCode: null, auth: 'none', durationMs: null };
  outgoing.seen.push(seen);
  const target = new URL(url);
  seen.auth = authSent(credentials, (name) => headerOf({ headers }, name), target.searchParams);
  if (seen.auth === 'leased') {
    for (const name of Object.keys(headers))
      if (name.toLowerCase() in credentials.headers) delete headers[name];
    Object.assign(headers, credentials.headers);
    if (credentials.query) target.searchParams.set(...credentials.query);
  }
  const through = agent ? { agent } : {};
  return {
    url: target,
    options: { ...options, ...through, headers: headers as http.OutgoingHttpHeaders },
    seen,
  };
}

function observe(request: ClientRequest, seen: Seen): void {
  const startedAt = monotonic();
  request.once('response', (response: IncomingMessage) => {
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

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const entries = Object.entries(response.headers).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}

function withoutHeader(headers: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name));
}

function headerOf(options: { headers?: unknown }, name: string): string | undefined {
  if (typeof options.headers !== 'object' || options.headers === null) return undefined;
  const entry = Object.entries(options.headers).find(([key]) => key.toLowerCase() === name);
  return entry === undefined ? undefined : String(entry[1]);
}

function isOptions(value: unknown): value is RequestOptions {
  return typeof value === 'object' && value !== null;
}
