import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lengthOf } from '../../../src/http/content-length.ts';
import { closeConnections, type Received, type Sending, sendOnce } from '../../../src/http/send.ts';

const BEARER = { headers: { authorization: 'Bearer leased' }, query: null, extra: {} };
const NONE = { headers: {}, query: null, extra: {} };
const inQuery = { headers: {}, query: ['key', 'a leased key'], extra: {} } as const;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly raw: string[];
  readonly body: string;
}

describe('a request of gemba.fetch', () => {
  let server: Server;
  let other: Server;
  let origin = '';
  let elsewhere = '';
  const seen: Seen[] = [];

  const listening = async (listener: Parameters<typeof createServer>[1]): Promise<[Server, string]> => {
    const made = createServer(listener!);
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return [made, `http://127.0.0.1:${(made.address() as AddressInfo).port}`];
  };

  beforeAll(async () => {
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = '', url = '', rawHeaders: raw } = request;
      seen.push({ method, url, raw, body: Buffer.concat(chunks).toString() });
      const { pathname, search } = new URL(url, 'http://any');
      if (pathname === '/away')
        return response.writeHead(302, { location: `${elsewhere}/landed${search}` }).end();
      if (pathname === '/here') return response.writeHead(307, { location: `/landed${search}` }).end();
      if (pathname === '/hangs') return;
      if (pathname === '/breaks' || pathname === '/drips') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('first');
        await sleep(50);
        return pathname === '/breaks'
          ? request.socket.destroy()
          : setTimeout(() => response.end('last'), 200);
      }
      const status = Number(pathname.slice(1)) || 200;
      response.writeHead(status, ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Twice', '1', 'X-Twice', '2']);
      response.end('done');
    };
    [server, origin] = await listening((request, response) => void answer(request, response));
    [other, elsewhere] = await listening((request, response) => void answer(request, response));
  });

  afterAll(async () => {
    await closeConnections();
    for (const one of [server, other]) {
      one.closeAllConnections();
      one.close();
    }
  });

  const send = (path: string, init: RequestInit = {}, more: Partial<Sending> = {}): Promise<Received> => {
    seen.length = 0;
    const trust = { insecure: false, clientCertificates: [] };
    return sendOnce({
      url: origin + path,
      init,
      origin,
      credentials: BEARER,
      timeoutMs: null,
      trust,
      ...more,
    });
  };
  const headersOf = ({ raw }: Seen): string[] =>
    raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1]}`] : []));

  it('is plain fetch but for the key, also in the case and order of its headers', async () => {
    const init = { method: 'POST', body: 'x', headers: { 'X-Own': 'Mine', 'content-TYPE': 'text/x' } };
    const { response, auth } = await send('/200?q=a%20b', init);
    const [leased] = seen.splice(0);
    const plain = await fetch(`${origin}/200?q=a%20b`, init);
    const [without] = seen;
    expect(headersOf(leased!).filter((header) => header !== 'authorization: Bearer leased')).toEqual(
      headersOf(without!),
    );
    expect(auth).toBe('leased');
    expect(response).toBeInstanceOf(Response);
    const about = ({ url, type, redirected, status, headers }: Response): unknown[] => [
      url,
      type,
      redirected,
      status,
      headers.getSetCookie(),
      headers.get('x-twice'),
    ];
    expect(about(response!)).toEqual(about(plain));
    expect(about(response!.clone())).toEqual(about(plain.clone()));
    expect(about(response!)[4]).toEqual(['a=1', 'b=2']);
    expect(await response!.text()).toBe('done');
  });

  it('keeps the key of its caller, unless it stands in for the leased one', async () => {
    expect((await send('/200', { headers: { Authorization: 'Bearer mine' } })).auth).toBe('own');
    const standsIn = (name: string, value: string): boolean =>
      name === 'authorization' && value.endsWith(' placeholder');
    await send('/200', { headers: { Authorization: 'Bearer placeholder' } }, { standsIn });
    expect(headersOf(seen[0]!).filter((header) => /^authorization/i.test(header))).toEqual([
      'authorization: Bearer leased',
    ]);
    const inPlace = { standsIn: (_: string, value: string) => value === 'placeholder', credentials: inQuery };
    await send('/200?a=%7E&key=placeholder&b', {}, inPlace);
    expect(seen[0]!.url).toBe('/200?a=%7E&b&key=a%20leased%20key');
  });

  it('follows a redirect within its origin with the key, and with its body', async () => {
    const { response, status } = await send(
      '/here?x',
      { method: 'POST', body: 'again' },
      { credentials: inQuery },
    );
    expect(seen.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', '/here?x&key=a%20leased%20key', 'again'],
      ['POST', '/landed?x&key=a%20leased%20key', 'again'],
    ]);
    expect([response!.url, response!.redirected, status]).toEqual([`${origin}/landed?x`, true, 200]);
  });

  it.each([
    ['header', BEARER],
    ['own header', { headers: { 'x-api-key': 'a leased key' }, query: null, extra: {} }],
    ['query', inQuery],
  ] as const)('brings a key in the %s to no other origin', async (_, credentials) => {
    const { response, left, status } = await send(
      '/away?x',
      { headers: { 'X-Api-Key': 'a leased key' } },
      { credentials },
    );
    expect([left, status, response!.status, response!.redirected]).toEqual([true, 302, 200, true]);
    const landed = seen[1]!;
    expect(landed.url).toBe('/landed?x');
    expect(headersOf(landed).filter((header) => /^authorization/i.test(header))).toEqual([]);
    if (credentials.query === null && 'x-api-key' in credentials.headers)
      expect(landed.raw).not.toContain('a leased key');
    expect(response!.url).toBe(`${elsewhere}/landed?x`);
  });

  it('shows no key where a redirect is not followed', async () => {
    const { response } = await send('/away?x', { redirect: 'manual' }, { credentials: inQuery });
    expect(response!.headers.get('location')).toBe(`${elsewhere}/landed?x`);
  });

  it('adds a header to answers of a status', async () => {
    const addHeader = (status: number): readonly [string, string] | null =>
      status === 503 ? ['X-Should-Retry', 'false'] : null;
    const answers = await Promise.all(['/503', '/200'].map((path) => send(path, {}, { addHeader })));
    expect(answers.map(({ response }) => response!.headers.get('x-should-retry'))).toEqual(['false', null]);
    expect(answers[0]!.response!.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('ends after its time where no answer begins, and not in a stream', async () => {
    const { timedOut, response, elapsedMs } = await send('/hangs', {}, { timeoutMs: 60 });
    expect([timedOut, response]).toEqual([true, null]);
    expect(elapsedMs).toBeGreaterThanOrEqual(55);
    const slow = await send('/drips', {}, { timeoutMs: 100 });
    expect([await slow.response!.text(), slow.timedOut, await slow.bodyEnd]).toEqual([
      'firstlast',
      false,
      null,
    ]);
  });

  it('ends with its caller’s reason, before its answer and in the middle of it', async () => {
    const controller = new AbortController();
    const waiting = send('/hangs', { signal: controller.signal });
    const reason = new Error('mine');
    setTimeout(() => controller.abort(reason), 20);
    expect(await waiting).toMatchObject({ response: null, error: reason, timedOut: false });
    const cut = async (get: (signal: AbortSignal) => Promise<Response>): Promise<unknown> => {
      const own = new AbortController();
      const response = await get(own.signal);
      own.abort(reason);
      const error = (await response.text().catch((thrown: unknown) => thrown)) as Error;
      return [error === reason, error.name, error.message];
    };
    let bodyEnd: Promise<unknown> = Promise.resolve(null);
    const leased = await cut(async (signal) => {
      const received = await send('/drips', { signal });
      ({ bodyEnd } = received);
      return received.response!;
    });
    expect(leased).toEqual(await cut((signal) => fetch(`${origin}/drips`, { signal })));
    expect(await bodyEnd).not.toBeNull();
    expect((await send('/200', { signal: AbortSignal.abort(reason) })).error).toBe(reason);
  });

  it('knows why a body broke off', async () => {
    const { response, bodyEnd } = await send('/breaks');
    await expect(response!.text()).rejects.toThrow();
    expect(await bodyEnd).toMatchObject({ code: 'UND_ERR_SOCKET' });
  });

  it('knows where the platform’s fetch was replaced, and hands on what a mock answers', async () => {
    const { fetch: plain } = globalThis;
    try {
      globalThis.fetch = (url, { dispatcher: _, ...init } = {}) => plain(url, init);
      expect((await send('/200')).isBypassed).toBe(true);
      expect((await send('/200', {}, { credentials: NONE })).isBypassed).toBe(false);
      globalThis.fetch = async () => new Response('made');
      expect(await send('/200')).toMatchObject({ isBypassed: false, response: { status: 200 } });
    } finally {
      globalThis.fetch = plain;
    }
  });

  it('goes by a dispatcher that its caller gives', async () => {
    const asked: string[] = [];
    const dispatcher = {
      dispatch(options: { path: string }) {
        asked.push(options.path);
        throw new Error('not today');
      },
    } as unknown as NonNullable<RequestInit['dispatcher']>;
    const { error } = await send('/200?x', { dispatcher }, { credentials: inQuery });
    expect(asked).toEqual(['/200?x&key=a%20leased%20key']);
    expect((error as Error).cause).toMatchObject({ message: 'not today' });
  });
});

describe('the length of a request', () => {
  const post = (body: NonNullable<RequestInit['body']>): Request =>
    new Request('http://api.example.test', { method: 'POST', body, duplex: 'half' });
  const form = new FormData();
  form.set('file', new Blob(['content']), 'a.txt');
  it.each([
    ['text', 'hällo', 6],
    ['bytes', new Uint8Array(5), 5],
    ['nothing in it', '', 0],
    ['parameters', new URLSearchParams({ q: 'x y' }), 5],
    ['a blob', new Blob(['four']), 4],
  ])('is known where its body is %s', async (_, body, length) =>
    expect(await lengthOf(post(body))).toBe(length),
  );

  it('is known of a form, and of no stream', async () => {
    expect(await lengthOf(post(form))).toBeGreaterThan(100);
    expect(await lengthOf(post(new Blob(['four']).stream()))).toBeNull();
  });
});
