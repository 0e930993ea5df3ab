import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';

/** A request as the server saw it, without the key. */
interface SurveyedRequest {
  readonly request: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  status: number;
}

export interface SurveyServer {
  readonly url: string;
  /** Everything that ever arrived, as text: where no key may stand. */
  readonly raw: string[];
  close: () => Promise<void>;
}

/** Whether a request carries what the server asks for. */
type Admits = (request: IncomingMessage, url: URL) => boolean;

interface Asked {
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

const KEY_HEADERS = new Set(['x-survey-key', 'host', 'connection']);

/**
 * A site that does what sites do: documents, redirects, streams, uploads, caches, CORS, workers, sockets. `GET /__take` answers
 * what arrived since the last time.
 */
export async function startSurveyServer(admits: Admits): Promise<SurveyServer> {
  let seen: SurveyedRequest[] = [];
  let open = 0;
  const raw: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url!, `http://${request.headers.host}`);
      if (url.pathname === '/__take') {
        for (let wait = 0; open > 0 && wait < 20; wait++) await pause(10);
        response.end(JSON.stringify(seen));
        seen = [];
        return;
      }
      raw.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`);
      const body = await bodyOf(request).catch(() => Buffer.alloc(0));
      const noted = note(request, body);
      seen.push(noted);
      open += 1;
      response.on('close', () => {
        open -= 1;
        noted.status = response.statusCode;
      });
      if (!isPreflight(request) && !admits(request, url)) return void response.writeHead(401).end('no key');
      await answer({ url, request, response, body });
    })().catch(() => response.destroy());
  });
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    raw.push(`UPGRADE ${request.url} ${JSON.stringify(request.rawHeaders)}`);
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
    socket.on('error', () => {});
    socket.write(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.write(Buffer.from([0x81, 5, ...Buffer.from('hello')]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      // What was upgraded is no connection of the server any more.
      for (const socket of sockets) socket.destroy();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, raw, close };
}

function note(request: IncomingMessage, body: Buffer): SurveyedRequest {
  const headers = Object.entries(request.headers)
    .filter(([name]) => !KEY_HEADERS.has(name))
    .map(([name, value]): [string, string] => [name, String(value)])
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const boundary = /boundary=(\S+)/.exec(request.headers['content-type'] ?? '')?.[1];
  const text = boundary === undefined ? body : body.toString('latin1').replaceAll(boundary, 'BOUNDARY');
  return {
    request: `${request.method} ${request.url}`.replace(/[?&]surveyKey=[^&]*$/, ''),
    headers: Object.fromEntries(
      headers.map(([name, value]) => [name, boundary ? value.replace(boundary, 'BOUNDARY') : value]),
    ),
    body: body.length === 0 ? '' : `${body.length} bytes ${createHash('sha1').update(text).digest('hex')}`,
    status: 0,
  };
}

const PAGE = `<!doctype html><title>Survey</title><body>page</body>`;
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChAGAfwZRLwAAAABJRU5ErkJggg==',
  'base64',
);

const TEXTS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/page': ['text/html', PAGE],
  '/second': ['text/html', PAGE.replace('>page<', '>second<')],
  '/csp': ['text/html', PAGE],
  '/form': [
    'text/html',
    `<form id="get" action="/echo"><input name="a" value="1 2"><button>get</button></form>
     <form id="post" method="post" action="/echo"><input name="a" value="ä&b"><button>post</button></form>
     <form id="file" method="post" enctype="multipart/form-data" action="/echo"><input type="file" name="file"><button>file</button></form>
     <form id="kept" method="post" action="/redirect/307?to=/echo"><input name="a" value="kept"><button>kept</button></form>
     <form id="seen" method="post" action="/redirect/303?to=/page"><input name="a" value="seen"><button>seen</button></form>
     <a href="/second" target="_blank">popup</a><a href="/download" download="own.txt">save</a>`,
  ],
  '/frames': [
    'text/html',
    '<iframe src="/second"></iframe><iframe srcdoc="<script>fetch(\'/echo?srcdoc\')</script>"></iframe>',
  ],
  '/assets': [
    'text/html',
    `<link rel="stylesheet" href="/style.css"><script src="/script.js"></script><script type="module" src="/module.js"></script><img src="/picture.png">`,
  ],
  '/noscript': [
    'text/html',
    '<noscript><p>no script runs</p></noscript><script>document.title = "ran"</script>',
  ],
  '/script.js': ['text/javascript', 'window.scriptRan = true;'],
  '/module.js': ['text/javascript', 'import { value } from "/dependency.js"; window.moduleRan = value;'],
  '/dependency.js': ['text/javascript', 'export const value = 7;'],
  '/style.css': ['text/css', '@import "/imported.css"; body { background: url("/picture.png?background"); }'],
  '/imported.css': ['text/css', 'body { color: rgb(1, 2, 3); }'],
  '/worker.js': ['text/javascript', 'fetch("/echo?worker").then((r) => r.text()).then(postMessage);'],
  '/worker-module.js': ['text/javascript', 'import { value } from "/dependency.js"; postMessage(value);'],
  '/worker-shared.js': [
    'text/javascript',
    'onconnect = ({ ports: [port] }) => fetch("/echo?shared").then((r) => r.text()).then((text) => port.postMessage(text));',
  ],
  '/service-worker.js': [
    'text/javascript',
    `addEventListener('install', () => skipWaiting());
     addEventListener('activate', (event) => event.waitUntil(clients.claim()));
     addEventListener('fetch', (event) => {
       if (event.request.url.endsWith('/made')) event.respondWith(new Response('made by the worker'));
       else if (event.request.url.endsWith('/passed')) event.respondWith(fetch('/echo?passed'));
     });`,
  ],
  '/manifest.json': ['application/json', '{"name":"survey"}'],
  '/caption.vtt': ['text/vtt', 'WEBVTT'],
};

async function answer({ url, request, response, body }: Asked): Promise<void> {
  const { pathname, searchParams } = url;
  cors(url, request, response);
  if (isPreflight(request)) return void response.writeHead(204).end();
  const text = TEXTS[pathname];
  if (text) {
    response.setHeader('content-type', text[0]);
    if (pathname === '/csp')
      response.setHeader('content-security-policy', "connect-src 'none'; script-src 'unsafe-inline'");
    return void response.end(text[1]);
  }
  const [, kind, value = ''] = pathname.split('/');
  switch (kind) {
    case 'echo': {
      const { 'content-type': type = null, 'x-own': own = null, cookie = null } = request.headers;
      const shown = {
        method: request.method,
        type: type?.replace(/boundary=.*/, ''),
        own,
        cookie,
        length: body.length,
      };
      response.setHeader('content-type', 'application/json');
      return void response.end(JSON.stringify(shown));
    }
    case 'status':
      return void response
        .writeHead(Number(value), { 'content-type': 'text/plain' })
        .end(value === '204' ? '' : `status ${value}`);
    case 'redirect':
      return void response.writeHead(Number(value), { location: searchParams.get('to')! }).end();
    case 'loop':
      return void response.writeHead(302, { location: '/loop' }).end();
    case 'meta':
      response.setHeader('content-type', 'text/html');
      return void response.end(`<meta http-equiv="refresh" content="0;url=${searchParams.get('to')}">`);
    case 'location':
      response.setHeader('content-type', 'text/html');
      return void response.end(`<script>location = ${JSON.stringify(searchParams.get('to'))}</script>`);
    case 'embed':
      response.setHeader('content-type', 'text/html');
      return void response.end(
        `<iframe src="${searchParams.get('to')}"></iframe><script>onmessage = ({ data }) => { document.title = data; }</script>`,
      );
    case 'asks':
      response.setHeader('content-type', 'text/html');
      return void response.end(
        `<script>fetch(${JSON.stringify(searchParams.get('to'))}).then((r) => r.text(), String).then((t) => parent.postMessage(t, '*'))</script>`,
      );
    case 'stream':
      response.writeHead(200, { 'content-type': 'text/plain' });
      for (let part = 0; part < 4; part++) {
        response.write(`part ${part}\n`);
        await pause(40);
      }
      return void response.end();
    case 'slow':
      await pause(Number(value));
      return void response.end('late');
    case 'cut':
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('begun');
      await pause(20);
      return void response.destroy();
    case 'reset':
      return void response.destroy();
    case 'etag':
      response.setHeader('etag', '"one"');
      response.setHeader('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === '"one"') return void response.writeHead(304).end();
      return void response.end('tagged');
    case 'fresh':
      response.setHeader('cache-control', 'max-age=600');
      return void response.end('fresh');
    case 'range': {
      const [, from = '0', to = '9'] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
      const part = '0123456789'.slice(Number(from), Number(to || 9) + 1);
      response.writeHead(request.headers.range ? 206 : 200, {
        'content-range': `bytes ${from}-${to || 9}/10`,
        'accept-ranges': 'bytes',
      });
      return void response.end(part);
    }
    case 'gzip':
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' });
      return void response.end(gzipSync('zipped'.repeat(100)));
    case 'big':
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      return void response.end(Buffer.alloc(4_000_000, 'x'));
    case 'cookies':
      response.setHeader('set-cookie', [
        'plain=1',
        'hidden=2; HttpOnly',
        'strict=3; SameSite=Strict; Path=/',
      ]);
      return void response.end('set');
    case 'headers':
      response.setHeader('x-answer', 'yes');
      response.setHeader('x-twice', ['one', 'two']);
      return void response.end('headers');
    case 'events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        `retry: 20\nid: ${request.headers['last-event-id'] === undefined ? 'first' : 'second'}\ndata: since ${String(request.headers['last-event-id'] ?? 'the beginning')}\n\n`,
      );
      await pause(20);
      return void response.end();
    case 'picture.png':
      response.setHeader('content-type', 'image/png');
      return void response.end(PICTURE);
    case 'download':
      response.writeHead(200, {
        'content-disposition': 'attachment; filename="report.csv"',
        'content-type': 'text/csv',
      });
      return void response.end('a;b\n'.repeat(1_000));
    case 'basic':
      if (request.headers.authorization === 'Basic ' + Buffer.from('ann:secret').toString('base64'))
        return void response.end('in');
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="survey"' }).end('who?');
    default:
      return void response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here');
  }
}

/** By `?cors=`: any origin, this origin with credentials, or none. */
function cors({ searchParams }: URL, { headers }: IncomingMessage, response: ServerResponse): void {
  const way = searchParams.get('cors');
  if (way === null || way === 'none') return;
  response.setHeader('access-control-allow-origin', way === 'any' ? '*' : (headers.origin ?? '*'));
  if (way === 'credentials') response.setHeader('access-control-allow-credentials', 'true');
  if (headers['access-control-request-method'] === undefined || way === 'refused') return;
  response.setHeader('access-control-allow-headers', 'x-own, content-type');
  response.setHeader('access-control-allow-methods', 'GET, PUT, POST');
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
