import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CALL_HEADER, closeCall, openCall } from '../../../src/http/outgoing.ts';
import { startServer, type TestServer } from '../../harness/servers.ts';

const BEARER = { headers: { authorization: 'Bearer secret' }, query: null };

describe('a call on its way out', () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await startServer(
      (_seen, response) => void response.writeHead(429, { 'retry-after': '1' }).end('slow'),
    );
  });

  afterEach(() => server.close());

  function send(path: string, headers: Record<string, string>): Promise<void> {
    return new Promise((resolve) => {
      const request = http.request(new URL(path, server.url), { headers }, (response) => {
        response.resume().on('close', resolve);
      });
      request.on('error', () => resolve()).end();
    });
  }

  it('gets its credentials at the end, and its marker taken off', async () => {
    const seen = openCall('call-1', server.url, BEARER);
    await send('/orders', { [CALL_HEADER]: 'call-1', accept: 'text/plain' });
    expect(server.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      accept: 'text/plain',
    });
    expect(server.requests[0]!.headers).not.toHaveProperty(CALL_HEADER);
    expect(seen).toMatchObject([
      { status: 429, auth: 'leased', errorCode: null, headers: { 'retry-after': '1' } },
    ]);
    expect(seen[0]!.durationMs).toBeGreaterThan(0);
    closeCall('call-1');
  });

  it('keeps auth of its own', async () => {
    const seen = openCall('call-2', server.url, BEARER);
    await send('/orders', { [CALL_HEADER]: 'call-2', Authorization: 'Bearer mine' });
    expect(server.requests[0]!.token).toBe('mine');
    expect(seen[0]!.auth).toBe('own');
    closeCall('call-2');
  });

  it('gets none at another origin, nor after its end', async () => {
    openCall('call-3', 'http://elsewhere.test', BEARER);
    await send('/orders', { [CALL_HEADER]: 'call-3' });
    closeCall('call-3');
    await send('/orders', { [CALL_HEADER]: 'call-3' });
    for (const { headers } of server.requests) {
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty(CALL_HEADER);
    }
  });

  it('gets a key in the query where that is the style', async () => {
    openCall('call-4', server.url, { headers: {}, query: ['key', 'a&b'] });
    await send('/orders?page=1', { [CALL_HEADER]: 'call-4' });
    expect(server.requests[0]!.url).toBe('/orders?page=1&key=a%26b');
    closeCall('call-4');
  });

  it('tells the code of a network error', async () => {
    const seen = openCall('call-5', server.url, BEARER);
    await server.close();
    await send('/orders', { [CALL_HEADER]: 'call-5' });
    expect(seen).toMatchObject([{ status: null, errorCode: 'ECONNREFUSED' }]);
    closeCall('call-5');
  });

  it('leaves requests of others alone', async () => {
    await send('/orders', { accept: 'text/plain' });
    expect(server.requests[0]!.headers).not.toHaveProperty('authorization');
  });
});
