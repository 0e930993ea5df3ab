import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ProbeTask, probeMember } from '../../../src/http/probe.ts';
import { deadUrl, json, startServer, type TestServer } from '../../harness/servers.ts';

const KEY = { value: 'sk-probe-secret', fields: {} };
const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(...args: Parameters<typeof startServer>): Promise<TestServer> {
  const server = await startServer(...args);
  servers.push(server);
  return server;
}

function probe(
  url: string,
  more: Partial<ProbeTask> = {},
  endpoint: Partial<ProbeTask['endpoint']> = {},
): ProbeTask {
  return {
    endpoint: { url, ...endpoint },
    key: null,
    protocol: 'http',
    auth: 'bearer',
    timeoutMs: 5_000,
    ...more,
  };
}

describe('a probe of an endpoint', () => {
  it.each([
    [200, 'ok'],
    [302, 'ok'],
    [401, 'ok'],
    [404, 'ok'],
    [500, 'ok'],
    [503, 'server'],
  ])('takes %i of its plain address for %s', async (status, kind) => {
    const server = await serve((_, response) => json(response, status, {}));
    expect(await probeMember(probe(server.url))).toMatchObject({ kind, status, by: 'address', path: '/' });
    expect(server.requests[0]!.headers.authorization).toBeUndefined();
  });

  it.each([
    [204, 'ok'],
    [302, 'server'],
    [404, 'server'],
    [500, 'server'],
  ])('takes %i of its health path for %s', async (status, kind) => {
    const server = await serve((_, response) => json(response, status, {}));
    const probed = await probeMember(probe(`${server.url}/api/`, {}, { health: '/healthz' }));
    expect(probed).toMatchObject({ kind, status, by: 'health', path: '/api/healthz' });
  });

  it('says why nothing answers', async () => {
    const refused = await probeMember(probe(await deadUrl()));
    expect(refused).toMatchObject({ kind: 'network', status: null, message: 'ECONNREFUSED', unsent: true });
    const unknown = await probeMember(probe('http://no-such-host.invalid'));
    expect(unknown).toMatchObject({ kind: 'network', unsent: true, local: 'perhaps' });
    expect(unknown.message).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });

  it('gives up where nothing is said in time, and at once where it is aborted', async () => {
    const { url } = await serve(() => undefined);
    const late = await probeMember(probe(url, { timeoutMs: 100 }));
    expect(late).toMatchObject({ kind: 'timeout', status: null, message: 'no answer in 100 ms' });
    const aborted = await probeMember(probe(url, { signal: AbortSignal.abort() }));
    expect(aborted).toMatchObject({ kind: 'caller', message: 'aborted' });
  });

  it('judges by the status where a body never ends, and reads no more of one than it needs', async () => {
    let written = 0;
    const server = await serve(async (_, response) => {
      response.writeHead(200);
      while (!response.destroyed && written < 50_000_000) {
        written += 65_536;
        if (!response.write(Buffer.alloc(65_536)))
          await once(response, 'drain', { signal: AbortSignal.timeout(500) }).catch(() => undefined);
      }
    });
    expect(await probeMember(probe(server.url))).toMatchObject({ kind: 'ok', status: 200 });
    expect(written).toBeLessThan(20_000_000);
  });
});

describe('a probe of a key', () => {
  it.each([
    ['openai', '', '/v1/models', 'authorization', 'Bearer sk-probe-secret'],
    ['openai', '/v1', '/v1/models', 'authorization', 'Bearer sk-probe-secret'],
    ['gemini', '', '/v1beta/models?pageSize=1', 'x-goog-api-key', 'sk-probe-secret'],
    ['gemini', '/v1', '/v1/models?pageSize=1', 'x-goog-api-key', 'sk-probe-secret'],
    ['anthropic', '', '/v1/models?limit=1', 'x-api-key', 'sk-probe-secret'],
    ['azure-openai', '', '/openai/models?api-version=2024-10-21', 'api-key', 'sk-probe-secret'],
    ['azure-openai', '/openai/v1', '/openai/v1/models', 'api-key', 'sk-probe-secret'],
  ] as const)('under %s at "%s" asks %s', async (protocol, base, path, header, value) => {
    const server = await serve((_, response) => json(response, 200, {}));
    const auth = header === 'authorization' ? 'bearer' : { header };
    const probed = await probeMember(probe(server.url + base, { protocol, auth, key: KEY }));
    expect(probed).toMatchObject({ kind: 'ok', by: 'protocol', message: null });
    expect(server.requests.map(({ url }) => url)).toEqual([path]);
    expect(server.requests[0]!.headers[header]).toBe(value);
  });

  it.each([
    [401, { error: { code: 'invalid_api_key' } }, 'auth', '401, invalid key'],
    [403, { error: { message: 'Missing scopes: api.model.read' } }, 'ok', null],
    [429, { error: { code: 'insufficient_quota' } }, 'exhausted', '429, no credit or quota left'],
    [429, { error: { code: 'rate_limit_exceeded' } }, 'rate-limit', '429, rate limit reached'],
    [404, {}, 'caller', '404 at /v1/models'],
    [503, {}, 'server', '503'],
  ] as const)('is told by %i and its body', async (status, body, kind, message) => {
    const server = await serve((_, response) => json(response, status, body));
    const probed = await probeMember(probe(server.url, { protocol: 'openai', key: KEY }));
    expect(probed).toMatchObject({ kind, status, message });
  });

  it('goes by the configuration’s own rules first', async () => {
    const server = await serve((_, response) => json(response, 403, { error: 'account locked' }));
    const classify = [{ status: 403, body: 'account locked', as: 'exhausted' }] as const;
    expect(await probeMember(probe(server.url, { key: KEY, classify }))).toMatchObject({ kind: 'exhausted' });
  });

  it.each(['bearer', { query: 'key' }] as const)(
    'sent as %j goes along within its origin, and never to another',
    async (auth) => {
      const foreign = await serve((_, response) => json(response, 200, {}));
      const server = await serve(({ url }, response) => {
        const location = url.startsWith('/health') ? '/moved' : `${foreign.url}/taken`;
        response.writeHead(302, { location }).end();
      });
      const probed = await probeMember(probe(server.url, { key: KEY, auth }, { health: '/health' }));
      expect(probed).toMatchObject({ kind: 'server', status: 302 });
      expect(JSON.stringify(probed)).not.toContain(KEY.value);
      expect(foreign.requests).toEqual([]);
      expect(server.requests.map(({ url, token }) => `${url} ${token ?? ''}`)).toEqual(
        auth === 'bearer'
          ? ['/health sk-probe-secret', '/moved sk-probe-secret']
          : ['/health?key=sk-probe-secret ', '/moved?key=sk-probe-secret '],
      );
    },
  );
});

describe('a probe through a proxy', () => {
  const proxies: Server[] = [];
  afterEach(() => proxies.splice(0).forEach((proxy) => proxy.close()));

  /** Takes plain requests with an absolute address, and tunnels to port 443 alone, as most do. */
  function startProxy(password: string | null): Promise<{ url: string; seen: string[] }> {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const given = request.headers['proxy-authorization'];
      const wanted = password === null ? undefined : `Basic ${btoa(`user:${password}`)}`;
      response.writeHead(given === wanted ? 204 : 407).end();
    });
    proxy.on('connect', (_, socket) => {
      seen.push('CONNECT');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    proxies.push(proxy);
    return new Promise((resolve) => {
      proxy.listen(0, '127.0.0.1', () => {
        const { port } = proxy.address() as AddressInfo;
        const userinfo = password === null ? '' : `user:${password}@`;
        resolve({ url: `http://${userinfo}127.0.0.1:${port}`, seen });
      });
    });
  }

  it('asks it by the whole address, with the user that its address names', async () => {
    const proxy = await startProxy('proxy-secret');
    const probed = await probeMember(probe('http://behind.invalid/api', {}, { proxy: proxy.url }));
    expect(probed).toMatchObject({ kind: 'ok', status: 204 });
    expect(proxy.seen).toEqual(['GET http://behind.invalid/api']);
  });

  it('says what a proxy refused, without its password', async () => {
    const proxy = await startProxy('proxy-secret');
    const probed = await probeMember(probe('https://behind.invalid', {}, { proxy: proxy.url }));
    expect(probed).toMatchObject({ kind: 'network', message: 'proxy answered 403', unsent: true });
    const gone = await probeMember(probe('https://behind.invalid', {}, { proxy: await deadUrl() }));
    expect(gone).toMatchObject({ kind: 'network', message: 'ECONNREFUSED' });
    expect(JSON.stringify([probed, gone])).not.toContain('proxy-secret');
  });
});
