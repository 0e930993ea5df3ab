import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import type { LivePage } from './page.ts';
import {
  type Bound,
  type Edit,
  editSchema,
  isOwnHost,
  isOwnOrigin,
  isToken,
  type Wish,
  wishSchema,
} from './requests.ts';

/** What answers the requests that were found to be in order. */
export interface LiveHandlers {
  readonly page: () => Promise<LivePage>;
  /** Takes the response over, or says why not. */
  readonly listen: (response: ServerResponse) => string | null;
  readonly administer: (wish: Wish) => Promise<Done>;
  /** Writes into the configuration's file. */
  readonly edit: (edit: Edit) => Promise<Done>;
}

/** What something came to: the status of the answer, and a sentence. */
export interface Done {
  readonly status: number;
  readonly text: string;
}

const MAX_BODY = 4096;
const MAX_CONNECTIONS = 64;
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};
const NOTHING = "default-src 'none'; frame-ancestors 'none'";
const METHODS: Readonly<Record<string, string>> = {
  '/': 'GET',
  '/events': 'GET',
  '/members': 'POST',
  '/config': 'POST',
};
const WISH = 'Send an action (enable, disable or reset), a pool and a name.';
const EDIT =
  'Send the revision that was shown, a pool, a kind (endpoint or key), a name, and in "set" numbers for weight, maxConcurrent or rpm, or true or false for enabled; null for the default.';

/** Listens; rejects where it cannot. Nothing of it keeps the process alive. */
export async function startLiveServer(
  wanted: Bound,
  token: string,
  handlers: LiveHandlers,
): Promise<LiveServer> {
  const server = createServer();
  server.unref();
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket) => socket.unref());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // While it is being opened it must be waited for.
    server.ref();
    server.listen(wanted.port, wanted.host, () => {
      server.unref();
      server.off('error', reject);
      resolve();
    });
  });
  const bound = { host: wanted.host, port: (server.address() as AddressInfo).port };
  server.on('error', () => {});
  server.on('request', (request, response) => {
    response.on('error', () => {});
    answer(request, response, { bound, token, handlers }).catch(() => {
      if (response.headersSent) response.destroy();
      else say(response, 500, 'The page could not be made.');
    });
  });
  return { bound, server };
}

export interface LiveServer {
  readonly bound: Bound;
  readonly server: Server;
}

interface ServerContext {
  readonly bound: Bound;
  readonly token: string;
  readonly handlers: LiveHandlers;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: ServerContext,
): Promise<void> {
  const { host, origin } = request.headers;
  if (!isOwnHost(host, context.bound))
    return say(response, 403, 'This address is not the one of the live page.');
  const url = new URL(request.url ?? '/', `http://${host}`);
  const method = METHODS[url.pathname];
  const isPost = method === 'POST';
  const given = isPost ? request.headers['x-gemba-token'] : url.searchParams.get('token');
  if (!isToken(typeof given === 'string' ? given : null, context.token) || !isOwnOrigin(origin, host)) {
    return say(
      response,
      403,
      'The token in the address is missing or wrong: take the address that the run printed.',
    );
  }
  if (method === undefined) return say(response, 404, 'There is nothing here.');
  if (request.method !== method) return say(response, 405, `Use ${method}.`, { allow: method });
  const { administer, edit } = context.handlers;
  if (url.pathname === '/members') return change(request, response, wishSchema, administer, WISH);
  if (url.pathname === '/config') return change(request, response, editSchema, edit, EDIT);
  return url.pathname === '/' ? page(response, context.handlers) : listen(response, context.handlers);
}

async function page(response: ServerResponse, { page: make }: LiveHandlers): Promise<void> {
  const { html, policy } = await make();
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy };
  response.writeHead(200, { ...HEADERS, ...headers }).end(html);
}

function listen(response: ServerResponse, { listen: take }: LiveHandlers): void {
  response.writeHead(200, {
    ...HEADERS,
    'content-type': 'text/event-stream; charset=utf-8',
    'content-security-policy': NOTHING,
  });
  response.flushHeaders();
  const refused = take(response);
  if (refused !== null) response.end(`: ${refused}\n\n`);
}

async function change<T>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: z.ZodType<T>,
  act: (wanted: T) => Promise<Done>,
  needs: string,
): Promise<void> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    return tell(response, 415, 'Send JSON.');
  }
  const wanted = schema.safeParse(await body(request));
  if (!wanted.success) return tell(response, 400, needs);
  const { status, text } = await act(wanted.data);
  tell(response, status, text);
}

/** The body as JSON; undefined where it is none, or too long. */
async function body(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BODY) return undefined;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function tell(response: ServerResponse, status: number, text: string): void {
  const headers = { 'content-type': 'application/json', 'content-security-policy': NOTHING };
  response.writeHead(status, { ...HEADERS, ...headers }).end(JSON.stringify({ text }));
}

function say(
  response: ServerResponse,
  status: number,
  text: string,
  more: Record<string, string> = {},
): void {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': NOTHING,
    ...more,
  };
  response.writeHead(status, { ...HEADERS, ...headers }).end(`${text}\n`);
}
