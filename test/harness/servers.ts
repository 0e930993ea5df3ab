import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type LaunchOptions } from '@playwright/test';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The bearer token, or null. */
  readonly token: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type Handler = (
  seen: SeenRequest,
  response: ServerResponse,
  request: IncomingMessage,
) => void | Promise<void>;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Every request, in order of arrival. */
  readonly requests: SeenRequest[];
  /** Refuses connections and cuts the present ones; `open` listens again at the same address. */
  close: () => Promise<void>;
  open: () => Promise<void>;
}

/** A real server on loopback. A handler that throws gives a 500 with the error's text. */
export async function startServer(handler: Handler, port = 0): Promise<TestServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, handler, requests);
  });
  await listen(server, port);
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    close: () => stop(server),
    open: () => listen(server, bound),
  };
}

/** An address on loopback where nothing listens: connections are refused. */
export async function deadUrl(): Promise<string> {
  const server = await startServer(() => undefined);
  await server.close();
  return server.url;
}

export function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export interface Session {
  readonly key: string;
  readonly from: number;
  to: number | null;
}

export interface SessionServer extends TestServer {
  /** Every session that was granted; `to` is null while it lives. */
  readonly sessions: Session[];
  /** Requests that were refused because their key had a live session. */
  refused: () => number;
  /** The most sessions, over all keys, that ever lived at once. */
  mostAtOnce: () => number;
}

/**
 * A server that lets each key hold one live session and refuses a second one with 409.
 * `POST /session` opens one and answers its id, `DELETE /session/ID` ends it; `GET /hold?ms=250` holds one for the
 * time of the call, also when the caller dies; any other GET answers 200. An unknown key gets 401.
 */
export async function sessionServer(keys: readonly string[]): Promise<SessionServer> {
  const sessions: Session[] = [];
  let refused = 0;
  let most = 0;
  const live = (): Session[] => sessions.filter((session) => session.to === null);
  const handler: Handler = async (seen, response) => {
    const { pathname, searchParams } = new URL(seen.url, 'http://any');
    if (seen.token === null || !keys.includes(seen.token))
      return json(response, 401, { error: 'unknown key' });
    if (seen.method === 'DELETE') return endSession(sessions, pathname, response);
    if (pathname !== '/session' && pathname !== '/hold') return json(response, 200, { ok: true });
    if (live().some((session) => session.key === seen.token)) {
      refused += 1;
      return json(response, 409, { error: 'this key has a live session' });
    }
    const session: Session = { key: seen.token, from: Date.now(), to: null };
    const id = sessions.push(session) - 1;
    most = Math.max(most, live().length);
    if (pathname === '/session') return json(response, 201, { id });
    await held(response, Number(searchParams.get('ms') ?? 100));
    session.to = Date.now();
    json(response, 200, { heldMs: session.to - session.from });
  };
  const server = await startServer(handler);
  return { ...server, sessions, refused: () => refused, mostAtOnce: () => most };
}

/** Options that launch a Chromium found here: Playwright's own, else the system's; undefined where there is none. */
export function findChromium(): LaunchOptions | undefined {
  const candidates = [chromium.executablePath(), '/usr/bin/chromium', '/usr/bin/chromium-browser'];
  const executablePath = candidates.find((file) => existsSync(file));
  if (executablePath === undefined) return undefined;
  return process.getuid?.() === 0 ? { executablePath, args: ['--no-sandbox'] } : { executablePath };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handler: Handler,
  requests: SeenRequest[],
): Promise<void> {
  try {
    const at = Date.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const { method = 'GET', url = '/', headers } = request;
    const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
    const seen = { method, url, headers, body, token, at };
    requests.push(seen);
    await handler(seen, response, request);
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else json(response, 500, { error: String(error) });
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

function endSession(sessions: Session[], pathname: string, response: ServerResponse): void {
  const session = sessions[Number(pathname.split('/').at(-1))];
  if (!session) return json(response, 404, { error: 'no such session' });
  session.to ??= Date.now();
  response.writeHead(204).end();
}

/** Waits, or until the caller is gone. */
async function held(response: ServerResponse, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
