import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InlineResult, runInlineTest } from '../harness/run-inline-test.ts';

/**
 * Random requests by `request` and by `gemba.fetch`, each sent twice: plain, and leased. What arrives, to the byte, and what comes
 * back must be equal but for the key and the host. GEMBA_DIFFERENTIAL_SEED plays other ones.
 */
const SEED = process.env['GEMBA_DIFFERENTIAL_SEED'] ?? 'one';
const EACH = 63;
const AUTHS = {
  bearer: {
    auth: 'bearer',
    key: { value: 'the-leased-key' },
    header: ['authorization', 'Bearer the-leased-key'],
  },
  header: {
    auth: { header: 'X-Api-Key' },
    key: { value: 'the-leased-key' },
    header: ['x-api-key', 'the-leased-key'],
  },
  basic: {
    auth: 'basic',
    key: { fields: { username: 'jürgen', password: 'pä$$:wörd' } },
    header: ['authorization', `Basic ${Buffer.from('jürgen:pä$$:wörd').toString('base64')}`],
  },
  query: { auth: { query: 'key' }, key: { value: 'a key&=+%' }, header: null },
} as const;
const QUERY_KEY = 'key=a%20key%26%3D%2B%25';

const SPEC = `
import fs from 'node:fs';
import { test, expect } from 'gemba-agent';
const { PLAIN, SEED, EACH } = process.env;
fs.writeFileSync(import.meta.dirname + '/up.txt', 'a file, ' + 'x'.repeat(70_000));

/** mulberry32 over a hash of the seed. */
function dice(seed) {
  let state = [...seed].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 7);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { chance: (p) => next() < p, pick: (list) => list[Math.floor(next() * list.length)], int: (n) => Math.floor(next() * n) };
}

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const QUERIES = ['', '', 'a=1&b=2', 'q=a%20b', 'sig=a%2Bb%2Fc~d', 'flag', 'flag&x=1', 'a=1&&b=2', 'plus=1+1', "f='n'", 'f=(a|b)!*', 'e=€', 'a=%7E&b=~', 'p=/a/b:c@d', '?', 'x=1?y=2', '&', 'a='];
const ANSWERS = ['200', '201', '204', '400', '404', '409', '410', '418', '422'];
const ENCODINGS = ['plain', 'plain', 'gzip', 'br', 'deflate', 'chunked', 'bytes', 'empty'];
const HEADERS = [['X-Mixed-Case', 'A b'], ['x-empty', ''], ['Accept', 'text/x-odd;q=0.5'], ['User-Agent', 'mine/1.0'], ['If-None-Match', '"e"'], ['Cookie', 'own=1; two=2'], ['X-Latin', 'caf\\u00e9'], ['Range', 'bytes=0-4'], ['Content-Language', 'de'], ['Accept-Language', 'de'], ['Accept-Encoding', 'identity'], ['Cache-Control', 'no-cache'], ['x-a', '1'], ['x-b', '2, 3']];
const TEXTS = ['', 'text', '{"a":1}', '\\u00e4\\u20ac\\ud83d\\ude00', 'x'.repeat(20_000)];

/** What to send, as a function of the side's base address: each side gets bodies of its own. */
function drawn(random, id) {
  const hops = random.chance(0.35) ? 1 + random.int(3) : 0;
  const steps = Array.from({ length: hops }, () => random.pick(['301', '302', '303', '307', '308']) + (random.chance(0.15) ? 'x' : ''));
  const end = random.pick(ANSWERS) + '-' + random.pick(ENCODINGS) + '-' + random.int(1000);
  const query = random.pick(QUERIES);
  const method = random.pick(METHODS);
  const headers = {};
  for (let count = random.int(4); count > 0; count--) {
    const [name, value] = random.pick(HEADERS);
    headers[name] = value;
  }
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method) && random.chance(0.8);
  const path = (side) => '/' + id + '/' + side + '/' + [...steps, end].join('/') + (query ? '?' + query : '') + (random.last ? '#part' : '');
  return { path, method, headers, hasBody, text: random.pick(TEXTS), random };
}

const bytesOf = (text) => new TextEncoder().encode(text);
const formOf = (text) => {
  const form = new FormData();
  form.append('field', text);
  form.append('field', 'again');
  form.append('file', new File([text], 'n\\u00e4me.txt', { type: 'text/plain' }));
  return form;
};
const streamOf = (text) => new ReadableStream({ start(controller) { controller.enqueue(bytesOf(text)); controller.enqueue(bytesOf('!')); controller.close(); } });

const REQUEST_BODIES = {
  text: (text) => ({ data: text || 'some' }),
  bytes: (text) => ({ data: Buffer.from(text || 'some') }),
  json: (text) => ({ data: { text, list: [1, null, true] } }),
  form: (text) => ({ form: { text, 'a b': '1&2', n: 3 } }),
  multipart: (text) => ({ multipart: { text, file: { name: 'f.bin', mimeType: 'application/x-odd', buffer: Buffer.from(text) } } }),
  stream: (text) => ({ multipart: { text, file: fs.createReadStream(import.meta.dirname + '/up.txt') } }),
  formdata: (text) => ({ multipart: formOf(text) }),
};
const FETCH_BODIES = {
  text: (text) => ({ body: text }),
  bytes: (text) => ({ body: bytesOf(text) }),
  buffer: (text) => ({ body: bytesOf(text).buffer }),
  params: (text) => ({ body: new URLSearchParams({ text, 'a b': '1&2' }) }),
  form: (text) => ({ body: formOf(text) }),
  blob: (text) => ({ body: new Blob([text], { type: 'text/x-blob' }) }),
  stream: (text) => ({ body: streamOf(text), duplex: 'half' }),
};
const PARAMS = [{ a: 1, b: 'x y', c: true }, 'p=a%20b&q', new URLSearchParams([['r', '1'], ['r', '2+3']])];

const seen = (text, base) => String(text).replaceAll(base, 'BASE').replaceAll(/\\/[pl]\\//g, '/s/');
async function outcome(work, base, read) {
  try {
    return await read(await work());
  } catch (error) {
    const lines = seen(error.message, base).split('\\n').filter((line) => !/date:|key=/.test(line));
    return { error: error.name, lines: lines.slice(0, 1), cause: error.cause?.message ?? null };
  }
}

for (const auth of ['bearer', 'header', 'basic', 'query']) {
  test.describe(auth, () => {
    test.use({ gembaPool: auth });
    test('request ' + auth, async ({ request, lease, playwright }) => {
      const plain = await playwright.request.newContext({ baseURL: PLAIN });
      const leasedBase = lease.endpoint.url;
      for (let number = 0; number < Number(EACH); number++) {
        const id = 'r' + auth + number;
        const { path, method, headers, hasBody, text, random } = drawn(dice(SEED + id), id);
        const kind = hasBody ? random.pick(Object.keys(REQUEST_BODIES)) : 'none';
        const options = { method, headers };
        if (random.chance(0.3)) options.params = random.pick(PARAMS);
        if (random.chance(0.2)) options.maxRedirects = random.int(3);
        if (random.chance(0.1)) options.failOnStatusCode = true;
        const isAbsolute = random.chance(0.5);
        const body = () => (hasBody ? REQUEST_BODIES[kind](text) : {});
        const send = (context, side, base) => outcome(
          () => context.fetch((isAbsolute ? base : '') + path(side), { ...options, ...body() }), base,
          async (response) => ({
            status: response.status(), statusText: response.statusText(), ok: response.ok(), url: seen(response.url(), base),
            headers: response.headersArray().filter(({ name }) => name.toLowerCase() !== 'date').map(({ name, value }) => name + ': ' + seen(value, base)),
            body: (await response.body()).toString('base64'),
          }));
        const was = await send(plain, 'p', PLAIN);
        expect(await send(request, 'l', leasedBase), id + ' ' + method + ' ' + path('s') + ' ' + kind).toEqual(was);
      }
    });
    test('fetch ' + auth, async ({ gemba, lease }) => {
      const leasedBase = lease.endpoint.url;
      for (let number = 0; number < Number(EACH); number++) {
        const id = 'f' + auth + number;
        const { path, method, headers, hasBody, text, random } = drawn(dice(SEED + id), id);
        const kind = hasBody ? random.pick(Object.keys(FETCH_BODIES)) : 'none';
        const init = { method, headers: random.chance(0.5) ? headers : Object.entries(headers) };
        if (random.chance(0.15)) init.redirect = random.pick(['manual', 'error']);
        const asRequest = random.chance(0.25);
        const body = () => (hasBody ? FETCH_BODIES[kind](text) : {});
        const send = (fetch, side, base, address = base + path(side)) => outcome(
          () => (asRequest ? fetch(new Request(address, { ...init, ...body() })) : fetch(address, { ...init, ...body() })), base,
          async (response) => ({
            status: response.status, statusText: response.statusText, ok: response.ok, url: seen(response.url, base),
            redirected: response.redirected, type: response.type,
            headers: [...response.headers].filter(([name]) => name !== 'date').map(([name, value]) => name + ': ' + seen(value, base)),
            body: Buffer.from(await response.arrayBuffer()).toString('base64'),
          }));
        const was = await send(globalThis.fetch, 'p', PLAIN);
        const relative = !asRequest && random.chance(0.5) ? path('l') : undefined;
        expect(await send(gemba.fetch, 'l', leasedBase, relative), id + ' ' + method + ' ' + path('s') + ' ' + kind).toEqual(was);
      }
    });
  });
}
`;

interface Arrived {
  readonly origin: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

describe('a leased request beside a plain one', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  /** What arrived, by case and side. */
  const arrived = new Map<string, Arrived[]>();
  let result: InlineResult;

  const listen = async (elsewhere: () => string): Promise<string> => {
    const server = createServer((request, response) => void answer(request, response, origin, elsewhere()));
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const origin: string = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return origin;
  };

  /** `/ID/SIDE/STEP/…/END`: each step is a redirect to the rest, with `x` to another origin; the end says what is answered. */
  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    origin: string,
    elsewhere: string,
  ): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', rawHeaders } = request;
    const [, id = '', side = '', step = '', rest = ''] = /^\/([^/]+)\/([pl])\/([^/?]+)(.*)$/s.exec(url) ?? [];
    const headers = Array.from(
      { length: rawHeaders.length / 2 },
      (_, at) => [rawHeaders[2 * at]!, rawHeaders[2 * at + 1]!] as const,
    );
    const known = arrived.get(`${id}/${side}`) ?? [];
    arrived.set(`${id}/${side}`, known);
    known.push({ origin, method, url, headers, body: Buffer.concat(chunks).toString('base64') });
    const [status = '', encoding = '', size = ''] = step.split('-');
    if (encoding === '') {
      const base = status.endsWith('x') ? elsewhere : '';
      response.writeHead(Number.parseInt(status, 10), { location: `${base}/${id}/${side}${rest}` });
      return void response.end();
    }
    const text = `answer of ${method} `.repeat(Number(size));
    const bodies: Record<string, () => Buffer> = {
      gzip: () => gzipSync(text),
      br: () => brotliCompressSync(text),
      deflate: () => deflateSync(text),
      bytes: () => Buffer.from([0, 255, 128, 10]),
      empty: () => Buffer.alloc(0),
    };
    const body = (bodies[encoding] ?? ((): Buffer => Buffer.from(text)))();
    const isBare = status === '204';
    const encoded = ['gzip', 'br', 'deflate'].includes(encoding) && !isBare;
    response.writeHead(Number(status), {
      'X-Answer': 'Mixed Case',
      'set-cookie': ['a=1; Path=/', `b=${size}; Path=/`],
      ...(encoded && { 'content-encoding': encoding }),
      ...(encoding === 'chunked' || isBare ? {} : { 'content-length': body.length }),
    });
    response.end(isBare ? undefined : body);
  };

  beforeAll(async () => {
    let other = '';
    other = await listen(() => other);
    const [plain, leased] = [await listen(() => other), await listen(() => other)];
    const pools = Object.fromEntries(
      Object.entries(AUTHS).map(([name, { auth, key }]) => [
        name,
        {
          endpoints: [{ name: 'leased', url: leased }],
          keys: [{ name: 'key', ...key }],
          auth,
          maxRetries: 0,
        },
      ]),
    );
    result = await runInlineTest(
      { 'gemba.config.json': JSON.stringify({ pools }), 'differential.spec.ts': SPEC },
      {
        config: '{ workers: 2, fullyParallel: true, timeout: 60000 }',
        env: { PLAIN: plain, SEED, EACH: String(EACH) },
      },
    );
  });

  afterAll(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await result.cleanup();
  });

  /** As it would be without a key; the host and a boundary are no difference. */
  const bare = ({ origin, method, url, headers, body }: Arrived, leasedAt: string | null): unknown => {
    const isLeased = origin === leasedAt;
    const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
    const boundary = /boundary=(\S+)/.exec(type)?.[1];
    // A redirect to another origin may take the type away.
    const plainText = (text: string): string =>
      (boundary ? text.replaceAll(boundary, 'BOUNDARY') : text).replaceAll(
        /formdata-undici-\d+/g,
        'BOUNDARY',
      );
    return {
      method,
      url: (isLeased ? url.replace(new RegExp(`[?&]${QUERY_KEY}$`), '') : url).replace(/\/[pl]\//, '/s/'),
      headers: headers
        .filter(([name]) => name.toLowerCase() !== 'host')
        .filter(([name, value]) => !(isLeased && isKey(name, value)))
        .map(([name, value]) => [
          name,
          plainText(value)
            .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'BASE')
            .replace(/\/[pl]\//, '/s/'),
        ]),
      body: plainText(Buffer.from(body, 'base64').toString('latin1')),
    };
  };
  const isKey = (name: string, value: string): boolean =>
    Object.values(AUTHS).some(
      ({ header }) => header !== null && header[0] === name.toLowerCase() && header[1] === value,
    );

  it('gets the same answers', () => {
    expect({ passed: result.passed, failed: result.failed }, result.output).toEqual({ passed: 8, failed: 0 });
  });

  it('arrives the same, but for the key and the host', () => {
    const cases = [...arrived.keys()].filter((name) => name.endsWith('/p')).map((name) => name.slice(0, -2));
    expect(cases.length).toBe(8 * EACH);
    for (const id of cases) {
      const [plain = [], leased = []] = [arrived.get(`${id}/p`), arrived.get(`${id}/l`)];
      const home = leased[0]?.origin ?? null;
      expect(
        leased.map((one) => bare(one, home)),
        `seed ${SEED}, case ${id}`,
      ).toEqual(plain.map((one) => bare(one, null)));
    }
  });

  it('has the key at the leased origin, and nowhere else', () => {
    for (const [name, requests] of arrived) {
      const auth = /^[rf]([a-z]+)/.exec(name)![1] as keyof typeof AUTHS;
      const isLeased = name.endsWith('/l');
      const home = requests[0]!.origin;
      for (const { origin, url, headers } of requests) {
        const has = AUTHS[auth].header
          ? headers.some(([header, value]) => isKey(header, value))
          : url.includes(QUERY_KEY);
        expect(has, `seed ${SEED}, case ${name}: ${url}`).toBe(isLeased && origin === home);
      }
    }
  });
});
