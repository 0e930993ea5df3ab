import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Outgoing, openCall, sendWithin } from '../../../src/http/outgoing.ts';
import { startServer, type TestServer } from '../../harness/servers.ts';

const BEARER = { headers: { authorization: 'Bearer secret' }, query: null, extra: {} };
const inQuery = (key: string) => ({ headers: {}, query: ['key', key], extra: {} }) as const;

describe('a call on its way out', () => {
  let server: TestServer;
  let other: TestServer;
  const plainRequest = http.request;

  beforeEach(async () => {
    other = await startServer((_seen, response) => void response.writeHead(503).end());
    server = await startServer((seen, response) => {
      const { pathname, search, searchParams } = new URL(seen.url, 'http://any');
      if (pathname === '/copy') {
        const to = new URL(searchParams.get('to')!);
        return void response
          .writeHead(302, { location: `${to.href}${search}&back=${encodeURIComponent(seen.url)}` })
          .end();
      }
      response
        .writeHead(
          429,
          [
            ['retry-after', '1'],
            ['retry-after', '7'],
          ].flat(),
        )
        .end('slow');
    });
  });

  afterEach(async () => {
    http.request = plainRequest;
    await Promise.all([server.close(), other.close()]);
  });

  /** As Playwright sends: one URL, options, and a function that sends the next request of a redirect. */
  function send(url: URL, headers: Record<string, string> = {}): Promise<void> {
    return new Promise((resolve) => {
      const request = http.request(url, { headers }, (response) => {
        response.resume();
        const { location } = response.headers;
        if (location === undefined) return void response.on('close', resolve);
        void send(new URL(location, url), headers).then(resolve);
      });
      request.on('error', () => resolve()).end();
    });
  }

  const call = async (
    outgoing: Outgoing,
    path: string,
    headers?: Record<string, string>,
  ): Promise<Outgoing> => {
    await sendWithin(outgoing, () => send(new URL(path, server.url), headers));
    return outgoing;
  };
  const toServer = (credentials: Outgoing['credentials']): Outgoing => openCall(server.url, credentials);

  it('gets its credentials at the end', async () => {
    const { seen, left } = await call(toServer(BEARER), '/orders', { accept: 'text/plain' });
    expect(server.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      accept: 'text/plain',
    });
    expect(seen).toMatchObject([
      { status: 429, auth: 'leased', errorCode: null, headers: { 'retry-after': '1, 7' } },
    ]);
    expect(seen[0]!.durationMs).toBeGreaterThan(0);
    expect(left).toBe(false);
  });

  it('keeps auth of its own', async () => {
    const { seen } = await call(toServer(BEARER), '/orders', { Authorization: 'Bearer mine' });
    expect(server.requests[0]!.token).toBe('mine');
    expect(seen[0]!.auth).toBe('own');
  });

  it('gets none at another origin, nor after its end, nor beside it', async () => {
    const outgoing = await call(openCall('http://elsewhere.test', BEARER), '/orders');
    expect([outgoing.seen.length, outgoing.left]).toEqual([0, true]);
    let late = Promise.resolve();
    const mine = toServer(BEARER);
    await sendWithin(mine, async () => {
      late = new Promise((resolve) => setTimeout(resolve, 20)).then(() => send(new URL('/late', server.url)));
    });
    await late;
    await send(new URL('/beside', server.url));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill(undefined));
  });

  it('appends a key to the query and leaves the rest as it is', async () => {
    for (const query of ['', '?', '?q=a%20b&flag&&x=~1', "?f=(a|b)!*'"])
      await call(toServer(inQuery('a&b ü')), `/orders${query}`);
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/orders?key=a%26b%20%C3%BC',
      '/orders?key=a%26b%20%C3%BC',
      '/orders?q=a%20b&flag&&x=~1&key=a%26b%20%C3%BC',
      '/orders?f=(a|b)!*%27&key=a%26b%20%C3%BC',
    ]);
  });

  it('brings no key to another origin, where a server copies its query into a redirect', async () => {
    const key = 'k+y ü/%=&?';
    const { left } = await call(toServer(inQuery(key)), `/copy?to=${other.url}/landed`);
    expect(left).toBe(true);
    const [landed] = other.requests;
    expect(landed!.url).toMatch(/^\/landed\?to=/);
    for (const form of [key, encodeURIComponent(key), encodeURIComponent(encodeURIComponent(key))])
      expect(landed!.url).not.toContain(form);
    expect(landed!.url).not.toContain('&key=');
  });

  it('carries its key where a redirect stays, once', async () => {
    await call(toServer(inQuery('a key')), `/copy?to=${server.url}/landed`);
    expect(server.requests[1]!.url.match(/[?&]key=a%20key/g)).toHaveLength(1);
  });

  it('takes headers that hold the key from what goes elsewhere', async () => {
    const credentials = { headers: { 'x-api-key': 'secret' }, query: null, extra: {} };
    await call(toServer(credentials), `/copy?to=${other.url}/landed`, {
      'X-Api-Key': 'secret',
      'x-own': 'mine',
    });
    expect(server.requests[0]!.headers['x-api-key']).toBe('secret');
    expect(other.requests[0]!.headers).not.toHaveProperty('x-api-key');
    expect(other.requests[0]!.headers['x-own']).toBe('mine');
  });

  it('gets the headers of its endpoint, whatever key it has, but for those that it sets itself', async () => {
    const credentials = { ...BEARER, extra: { 'x-tenant': 'qa', 'x-gate': 'open' } };
    await call(toServer(credentials), `/copy?to=${other.url}/landed`, {
      authorization: 'Bearer own',
      'X-Gate': 'mine',
    });
    expect(server.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer own',
      'x-tenant': 'qa',
      'x-gate': 'mine',
    });
    expect(other.requests[0]!.headers).not.toHaveProperty('x-tenant');
  });

  it('records the code of a network error', async () => {
    const outgoing = toServer(BEARER);
    await server.close();
    await call(outgoing, '/orders');
    expect(outgoing.seen).toMatchObject([{ status: null, errorCode: 'ECONNREFUSED' }]);
  });

  it('finds its way again where others replace the function and put it back', async () => {
    const before = http.request;
    await call(toServer(BEARER), '/first');
    const wrapped = http.request;
    http.request = function (this: unknown, ...args: unknown[]) {
      return Reflect.apply(wrapped, this, args) as http.ClientRequest;
    } as typeof http.request;
    const { seen } = await call(toServer(BEARER), '/wrapped');
    expect(seen).toHaveLength(1);
    http.request = before;
    await call(toServer(BEARER), '/restored');
    expect(server.requests.map(({ token }) => token)).toEqual(['secret', 'secret', 'secret']);
  });
});
