import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import type { AdminRequest, EditRequest } from './messages.ts';
import type { LivePage } from './page.ts';
import {
  adminRequestSchema,
  type Bound,
  editRequestSchema,
  isOwnHost,
  isOwnOrigin,
  isToken,
} from './requests.ts';

/** They answer the requests that passed all checks. */
export interface LiveHandlers {
  /** `isUpdate`: for a page that is open. */
  readonly page: (isUpdate: boolean) => Promise<LivePage>;
  /** Keeps the response open as an event stream, or returns why it cannot. */
  readonly listen: (response: ServerResponse) => string | null;
  readonly administer: (request: AdminRequest) => Promise<ActionResult>;
  /** Writes into the configuration's file. */
  readonly edit: (request: EditRequest) => Promise<ActionResult>;
}

/** The HTTP status of the answer, and a sentence for the page. */
export interface ActionResult {
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
const ADMIN_NEEDS =
  'Send an action (enable, disable, reset, reserve or check), a pool and a name; to reserve, also a "reservation" with forMs and reason.';
const EDIT_NEEDS =
  'Send the revision that the page showed, a pool, a kind (endpoint or key), a name, and in "set" numbers for weight, maxConcurrent or rpm, or true or false for enabled; null for the default.';

/** Starts to listen; rejects where it cannot. The server keeps no process alive. */
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
    // Until it listens, the process must wait for it.
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
      else answerText(response, 500, 'The page could not be rendered.');
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
    return answerText(response, 403, 'The live page has another host name.');
  const url = new URL(request.url ?? '/', `http://${host}`);
  const method = METHODS[url.pathname];
  const isPost = method === 'POST';
  const given = isPost ? request.headers['x-gemba-token'] : url.searchParams.get('token');
  if (!isToken(typeof given === 'string' ? given : null, context.token) || !isOwnOrigin(origin, host)) {
    return answerText(
      response,
      403,
      'The token in the address is missing or wrong. Use the address that the run printed.',
    );
  }
  if (method === undefined) return answerText(response, 404, 'Not found.');
  if (request.method !== method) return answerText(response, 405, `Use ${method}.`, { allow: method });
  const { administer, edit } = context.handlers;
  if (url.pathname === '/members')
    return applyChange(request, response, adminRequestSchema, administer, ADMIN_NEEDS);
  if (url.pathname === '/config') return applyChange(request, response, editRequestSchema, edit, EDIT_NEEDS);
  if (url.pathname === '/events') return listen(response, context.handlers);
  return page(response, context.handlers, url.searchParams.has('update'));
}

async function page(
  response: ServerResponse,
  { page: make }: LiveHandlers,
  isUpdate: boolean,
): Promise<void> {
  const { html, policy } = await make(isUpdate);
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

async function applyChange<T>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: z.ZodType<T>,
  apply: (wanted: T) => Promise<ActionResult>,
  needs: string,
): Promise<void> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    return answerJson(response, 415, 'Send JSON.');
  }
  const wanted = schema.safeParse(await body(request));
  if (!wanted.success) return answerJson(response, 400, needs);
  const { status, text } = await apply(wanted.data);
  answerJson(response, status, text);
}

/** The body as JSON; undefined where it is not JSON, or too long. */
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

function answerJson(response: ServerResponse, status: number, text: string): void {
  const headers = { 'content-type': 'application/json', 'content-security-policy': NOTHING };
  response.writeHead(status, { ...HEADERS, ...headers }).end(JSON.stringify({ text }));
}

function answerText(
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
