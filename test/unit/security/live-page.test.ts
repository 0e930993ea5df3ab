import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { monotonic } from '../../../src/core/clock.ts';
import { isToken } from '../../../src/reporter/live/requests.ts';
import { LiveView } from '../../../src/reporter/live/live.ts';
import { LiveRun } from '../../../src/reporter/live/run.ts';
import { HOSTILE } from '../../harness/hostile.ts';
import { until } from '../../harness/patience.ts';
import { reportOf } from '../reporter/synthetic.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gemba-live-'));
let view: LiveView;
let port: number;
let token: string;
const sockets: Socket[] = [];

beforeAll(async () => {
  const printed: string[] = [];
  const say = (line: string): void => void printed.push(line);
  view = new LiveView(
    { host: '127.0.0.1', port: 0 },
    { folder, option: undefined },
    { print: say, warn: say },
  );
  const report = reportOf(HOSTILE.map((title) => ({ title, results: [{ status: 'failed' as const }] })));
  const counts = (): { requests: number; failures: number } => ({ requests: 0, failures: 0 });
  await view.show(new LiveRun({ title: HOSTILE[0]!, tests: 3, report: () => report, counts }, monotonic));
  const address = new URL(printed[0]!.replace('Gemba live: ', ''));
  [port, token] = [Number(address.port), address.searchParams.get('token')!];
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await view.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Talk {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly closed: Promise<unknown>;
}

async function talk(text: string): Promise<Talk> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let heard = '';
  socket.on('error', () => socket.destroy());
  socket.setEncoding('latin1').on('data', (chunk: string) => void (heard += chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(text, 'latin1');
  return { socket, heard: () => heard, closed };
}

/** The first line and headers of the answer to one request, sent as it stands. */
async function answer(text: string): Promise<string> {
  const { heard, closed, socket } = await talk(text);
  await Promise.race([closed, until('the headers', () => heard().includes('\r\n\r\n'))]);
  socket.destroy();
  return heard().split('\r\n\r\n')[0]!;
}

const get = (target: string, ...headers: string[]): string =>
  `GET ${target} HTTP/1.1\r\n${[`Host: 127.0.0.1:${port}`, ...headers].join('\r\n')}\r\n\r\n`;
const post = (target: string, body: string, ...headers: string[]): string =>
  [
    `POST ${target} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    `X-Gemba-Token: ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ].join('\r\n') + `\r\n\r\n${body}`;
const status = (head: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0);

describe('requests of strangers to the live page', { timeout: 60_000 }, () => {
  it('serves its four paths by their methods, with a token', async () => {
    const own = `?token=${token}`;
    for (const target of [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/..\\..\\x',
      '/index.html',
      '/%00',
      '/events/',
      '/constructor',
      '/__proto__',
    ]) {
      const head = await answer(get(`${target}${own}`));
      expect([403, 404], target).toContain(status(head));
    }
    for (const target of ['//evil.test/', 'http://evil.test/', '*', '/%', 'http://[', '//'])
      expect([0, 400, 403, 404, 500], target).toContain(status(await answer(get(target))));
    for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND'])
      expect(status(await answer(get(`/${own}`).replace('GET', method))), method).toBe(405);
    expect(status(await answer(get(`/${own}`)))).toBe(200);
    expect(status(await answer(get('/', `X-Gemba-Token: ${token}`)))).toBe(403);
  });

  it('rejects every foreign host, however it is written', async () => {
    const hosts = [
      'evil.test',
      `evil.test:${port}`,
      `127.0.0.1.evil.test:${port}`,
      `127.0.0.1:${port}@evil.test`,
      `127.0.0.1:${port + 1}`,
      '',
      `[::1]`,
      `localhost`,
      `127.0.0.1:${port}/x`,
      `127.0.0.1:${port}?x`,
      `127.0.0.2:${port}`,
      `0.0.0.0:${port}`,
    ];
    for (const host of hosts) {
      const head = await answer(get(`/?token=${token}`).replace(/Host: .*/, `Host: ${host}`));
      expect([400, 403], host).toContain(status(head));
    }
    expect(status(await answer(`GET /?token=${token} HTTP/1.0\r\n\r\n`))).toBe(403);
    expect(status(await answer(get(`/?token=${token}`).replace('127.0.0.1', 'LOCALHOST')))).toBe(200);
  });

  it('rejects cross-origin, unauthenticated and malformed requests', async () => {
    const request = JSON.stringify({ action: 'disable', pool: 'api', name: 'eu' });
    const simple = post('/members', request).replace('application/json', 'text/plain');
    expect(status(await answer(simple))).toBe(415);
    for (const origin of [
      'http://evil.test',
      'null',
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}.evil.test`,
    ])
      expect(status(await answer(post('/members', request, `Origin: ${origin}`))), origin).toBe(403);
    expect(
      status(await answer(post(`/members?token=${token}`, request).replace(/X-Gemba-Token: .*\r\n/, ''))),
    ).toBe(403);
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      '{"__proto__":{"action":"disable"}}',
      '['.repeat(4_000),
      JSON.stringify({ action: '__proto__', pool: 'api', name: 'eu' }),
      JSON.stringify({ action: 'disable', pool: 'x'.repeat(300), name: '' }),
    ];
    for (const target of ['/members', '/config'])
      for (const body of bodies)
        expect(status(await answer(post(target, body))), body.slice(0, 40)).toBe(400);
    expect(({} as { action?: string }).action).toBeUndefined();
    expect(status(await answer(get(`/members?token=${token}`)))).toBe(403);
  });

  it('stops reading a body or head that is too long', async () => {
    const { socket, heard, closed } = await talk(
      post('/members', '').replace('Content-Length: 0', 'Content-Length: 100000000'),
    );
    const piece = 'x'.repeat(64 * 1024);
    let sent = 0;
    while (!socket.destroyed && sent < 64e6) {
      sent += piece.length;
      if (!socket.write(piece))
        await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))]);
    }
    expect(sent).toBeLessThan(64e6);
    expect(heard() === '' || status(heard()) === 400).toBe(true);
    expect(status(await answer(get(`/?token=${token}`, `X: ${'y'.repeat(100_000)}`)))).toBe(431);
    expect(status(await answer(get(`/?token=${token}&x=${'y'.repeat(100_000)}`)))).toBe(431);
  });

  it('frees connections and event streams that a client holds', async () => {
    const streams = await Promise.all(Array.from({ length: 30 }, () => talk(get(`/events?token=${token}`))));
    await until('each has an answer', () =>
      streams.every(({ heard }) => /retry: 1000|too many/.test(heard())),
    );
    expect(streams.filter(({ heard }) => heard().includes('too many')).length).toBe(14);
    for (const { socket } of streams) socket.destroy();
    const slow = await Promise.all(Array.from({ length: 100 }, () => talk('GET / HTTP/1.1\r\nX-Slow: ')));
    await until('the slow are cut off', () => slow.filter(({ socket }) => socket.destroyed).length >= 36);
    for (const { socket } of slow) socket.destroy();
    let head = '';
    for (let requestPermit = 0; requestPermit < 200 && status(head) !== 200; requestPermit++)
      head = await answer(get(`/?token=${token}`));
    expect(status(head)).toBe(200);
  });

  it('sends its security headers with every answer', async () => {
    const answers = [
      get(`/?token=${token}`),
      get('/'),
      get('/nothing'),
      post('/members', '{'),
      get(`/events?token=${token}`),
    ];
    for (const request of answers) {
      const head = (await answer(request)).toLowerCase();
      for (const header of [
        'cache-control: no-store',
        'x-content-type-options: nosniff',
        'x-frame-options: deny',
        'referrer-policy: no-referrer',
        'cross-origin-resource-policy: same-origin',
      ])
        expect(head).toContain(header);
      expect(head).toMatch(/content-security-policy: default-src 'none'/);
      expect(head).toContain("frame-ancestors 'none'");
      expect(head).not.toMatch(/access-control-|server:|x-powered-by/);
      expect(head).not.toContain(token.toLowerCase());
    }
  });

  it('compares tokens by digests of one length', () => {
    expect(isToken(token, token)).toBe(true);
    for (const wrong of [
      null,
      undefined,
      '',
      token.slice(1),
      `${token}x`,
      token.toUpperCase(),
      'é'.repeat(32),
    ])
      expect(isToken(wrong, token)).toBe(false);
  });
});
