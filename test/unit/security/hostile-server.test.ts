import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HeldLease } from '../../../src/fixtures/lease/held-lease.ts';
import { classifyReceived } from '../../../src/fixtures/calls/classify-fetch.ts';
import { closeConnections, type Received, sendOnce } from '../../../src/http/send.ts';
import { explicitWaitMs, resetMs } from '../../../src/http/retry-after.ts';
import { probeMember } from '../../../src/http/probe.ts';

const KEY = 'canary-of-the-hostile-server';
const MAX_WAIT_MS = 31 * 86_400_000;
const TIMEOUT_MS = 500;
const LARGE = Buffer.alloc(64 * 1024, 32);

/** Sends the same again and again until nobody listens. */
function flood(socket: Socket, piece: string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable)
      if (!socket.write(piece)) return void socket.once('drain', more);
  };
  more();
}

const head = (status: string, ...headers: string[]): string =>
  `HTTP/1.1 ${[status, ...headers].join('\r\n')}\r\n\r\n`;
const BOMB = gzipSync(Buffer.alloc(200_000_000), { level: 1 });

/** What a server may answer, by the path that is asked. */
const ANSWERS: Record<string, (socket: Socket) => void> = {
  'endless-headers': (socket) => (
    socket.write('HTTP/1.1 200 OK\r\n'),
    flood(socket, `x-${'y'.repeat(1_000)}: z\r\n`)
  ),
  'endless-header': (socket) => (socket.write('HTTP/1.1 500 no\r\nx: '), flood(socket, LARGE)),
  'endless-reason': (socket) => (socket.write('HTTP/1.1 503 '), flood(socket, LARGE)),
  'endless-error': (socket) => (
    socket.write(head('503 x', 'content-type: application/json')),
    flood(socket, LARGE)
  ),
  'large-error': (socket) =>
    void socket.end(head('429 x', 'content-length: 10000000') + '{"error":'.padEnd(10_000_000, '[')),
  'chunked-garbage': (socket) =>
    void socket.end(`${head('500 x', 'transfer-encoding: chunked')}zz\r\nabc\r\n-1\r\n`),
  'lies-less': (socket) => void socket.end(`${head('503 x', 'content-length: 100000')}short`),
  'lies-more': (socket) => void socket.end(`${head('503 x', 'content-length: 2')}longer than it said`),
  'two-lengths': (socket) => void socket.end(`${head('503 x', 'content-length: 2', 'content-length: 3')}abc`),
  'http-1.0': (socket) => void socket.end('HTTP/1.0 503 old\r\n\r\nold'),
  'http-9': (socket) => void socket.end('HTTP/9.9 200 OK\r\n\r\n'),
  'no-http': (socket) => void socket.end(`\u0000\u0001 nothing that ${KEY} is for\r\n\r\n`),
  'informational-flood': (socket) => flood(socket, 'HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\n'),
  'status-999': (socket) => void socket.end(head('999 Denied', 'content-length: 0')),
  'status-000': (socket) => void socket.end(head('000 x', 'content-length: 0')),
  'status-text': (socket) => void socket.end(head('abc x', 'content-length: 0')),
  'status-1e9': (socket) => void socket.end(head('1000000000 x', 'content-length: 0')),
  'gzip-bomb': (socket) => (
    socket.write(head('503 x', 'content-encoding: gzip', `content-length: ${BOMB.length}`)),
    void socket.end(BOMB)
  ),
  'gzip-garbage': (socket) =>
    void socket.end(`${head('503 x', 'content-encoding: gzip', 'content-length: 4')}abcd`),
  encodings: (socket) =>
    void socket.end(
      `${head('503 x', `content-encoding: ${'gzip, '.repeat(50)}br`, 'content-length: 4')}abcd`,
    ),
  cookies: (socket) =>
    void socket.end(
      head(
        '429 x',
        ...Array.from({ length: 90 }, (_, at) => `set-cookie: c${at}=${'v'.repeat(100)}`),
        'content-length: 0',
      ),
    ),
  waits: (socket) =>
    void socket.end(
      head(
        '429 x',
        'retry-after: 1e308',
        'x-ratelimit-reset: -5',
        'x-ratelimit-remaining: NaN',
        'content-length: 0',
      ),
    ),
  'to-file': (socket) => void socket.end(head('302 x', 'location: file:///etc/passwd', 'content-length: 0')),
  'to-nowhere': (socket) => void socket.end(head('302 x', 'location: http://[', 'content-length: 0')),
  'to-script': (socket) =>
    void socket.end(head('307 x', 'location: javascript:alert(1)', 'content-length: 0')),
  'in-circles': (socket) => void socket.end(head('302 x', 'location: /in-circles', 'content-length: 0')),
  hangs: () => {},
  'hangs-in-its-head': (socket) => void socket.write('HTTP/1.1 200 OK\r\nx-'),
  closes: (socket) => void socket.destroy(),
};
/** No answer of theirs ends by itself: only the attempt's own limit ends them. */
const NEVER = ['informational-flood', 'hangs', 'hangs-in-its-head'];

let server: Server;
let foreign: Server;
let origin: string;
let elsewhere: string;
const sockets = new Set<Socket>();
const heardElsewhere: string[] = [];

function listen(onRequest: (path: string, socket: Socket, text: string) => void): Promise<Server> {
  const made = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) =>
      onRequest(/^\w+ \/([\w.-]*)/.exec(chunk.toString())?.[1] ?? '', socket, chunk.toString()),
    );
  });
  return new Promise((resolve) => made.listen(0, '127.0.0.1', () => resolve(made)));
}

beforeAll(async () => {
  foreign = await listen((_path, socket, text) => {
    heardElsewhere.push(text);
    socket.end(head('200 OK', 'content-length: 0'));
  });
  elsewhere = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
  ANSWERS['to-elsewhere'] = (socket) =>
    void socket.end(head('307 x', `location: ${elsewhere}/landed`, 'content-length: 0'));
  ANSWERS['to-user'] = (socket) =>
    void socket.end(
      head('302 x', `location: ${elsewhere.replace('//', '//me:pw@')}/landed`, 'content-length: 0'),
    );
  server = await listen((path, socket) =>
    (ANSWERS[path] ?? ((open) => void open.end(head('404 x', 'content-length: 0'))))(socket),
  );
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await closeConnections();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});
afterAll(() => {
  server.close();
  foreign.close();
});

const RULES = [
  { body: 'never there', as: 'exhausted' },
  { header: 'x-nothing: y', as: 'auth' },
] as const;
const lease = { init: { pool: { protocol: 'openai', classify: RULES } } } as unknown as HeldLease;

function ask(path: string, timeoutMs: number): Promise<Received> {
  const credentials = {
    headers: { authorization: `Bearer ${KEY}` },
    query: ['key', KEY] as const,
    extra: {},
  };
  const trust = { insecure: false, clientCertificates: [] };
  return sendOnce({ url: `${origin}/${path}`, init: {}, origin, credentials, timeoutMs, trust });
}

const paths = [...Object.keys(ANSWERS), 'to-elsewhere', 'to-user'];

describe('a server that answers with', { timeout: 60_000 }, () => {
  it.each(paths)('%s is judged, in bounded time and memory, and told without the key', async (path) => {
    const before = process.memoryUsage().rss;
    const received = await ask(path, TIMEOUT_MS);
    const attempted = await classifyReceived(lease, received, undefined);
    expect(attempted.kind).toMatch(/^(ok|auth|rate-limit|exhausted|server|timeout|network|caller)$/);
    if (NEVER.includes(path)) expect(attempted.kind).toBe('timeout');
    expect(attempted.retryAfterMs ?? 0).toBeLessThanOrEqual(MAX_WAIT_MS);
    expect(JSON.stringify(attempted)).not.toContain(KEY);
    if (received.response) {
      attempted.later?.cancel();
      received.response.body?.cancel().catch(() => {});
    } else expect(String(received.error)).not.toContain(KEY);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it.each(paths)('%s is probed in bounded time', async (path) => {
    const probed = await probeMember({
      endpoint: { url: origin, health: `/${path}` },
      key: { value: KEY, fields: {} },
      protocol: 'http',
      auth: 'bearer',
      classify: RULES,
      timeoutMs: TIMEOUT_MS,
    });
    if (path !== 'http-1.0') expect(probed.kind).not.toBe('ok');
    expect(probed.durationMs).toBeLessThan(20 * TIMEOUT_MS);
    expect(JSON.stringify(probed)).not.toContain(KEY);
  });

  it('a way to another origin gets the request, and no key', async () => {
    heardElsewhere.length = 0;
    for (const path of ['to-elsewhere', 'to-user']) await ask(path, TIMEOUT_MS);
    expect(heardElsewhere.length).toBeGreaterThan(0);
    expect(heardElsewhere.join('\n')).not.toContain(KEY);
  });
});

describe('waits that a server asks for', () => {
  it.each([
    ['1e308', null],
    ['-1', null],
    ['NaN', null],
    ['Infinity', null],
    ['', null],
    ['0x10', null],
    ['9'.repeat(400), null],
    ['99999999999', null],
    ['Fri, 31 Dec 9999 23:59:59 GMT', null],
    ['Thu, 01 Jan 1970 00:00:00 GMT', null],
    ['Xyz, 99 Foo 99999999 99:99:99 GMT', null],
    ['5', 5_000],
    ['0', null],
  ])('retry-after: %.40s', (text, wait) => {
    expect(explicitWaitMs({ 'retry-after': text }, Date.UTC(2026, 0, 1))).toBe(wait);
    const counted = resetMs(
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': text },
      Date.UTC(2026, 0, 1),
    );
    if (counted !== null) expect(counted).toBeLessThanOrEqual(MAX_WAIT_MS);
  });
});
