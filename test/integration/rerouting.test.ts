import { createRequire } from 'node:module';
import { beforeAll, describe, expect } from 'vitest';
import { inlineSuite } from '../harness/inline-suite.ts';
import type { TestServer } from '../harness/servers.ts';
import { vendorServer } from '../harness/vendors.ts';

const require = createRequire(import.meta.url);

const HEAD = `
import { createRequire } from 'node:module';
import { test, expect } from 'gemba-agent';
const { OPENAI, GENAI, ANTHROPIC } = process.env;
const require = createRequire(import.meta.url);
const { OpenAI } = require(OPENAI);
const { GoogleGenAI } = require(GENAI);
const { Anthropic } = require(ANTHROPIC);
const messages = [{ role: 'user', content: 'hi' }];
const openai = (lease, gemba, more = {}) =>
  new OpenAI({ baseURL: lease.endpoint.url, apiKey: lease.key.value, fetch: gemba.fetch, ...more });
const ask = { model: 'gpt-test', messages };
const say = async (client, options) => (await client.chat.completions.create(ask, options)).choices[0].message.content;
`;

/** Tests of one pool of OpenAI's protocol share its keys, so each of these tests has a pool of its own. */
describe('a call that the key of a fixed lease cannot serve', () => {
  let server: TestServer;
  const pools: Record<string, object> = {};
  const pool = (name: string, keys: unknown[], more = {}, place = {}): string => {
    const { protocol = 'openai' } = more as { protocol?: string };
    const path = protocol === 'openai' ? '/v1' : '';
    const named = keys.map((key, index) => ({
      name: `key-${index}`,
      ...(typeof key === 'string' ? { value: key } : (key as object)),
    }));
    pools[name] = { protocol: 'openai', endpoints: [{ url: path, ...place }], keys: named, ...more };
    return name;
  };
  const sent = (key: string): number =>
    server.requests.filter(
      ({ method, headers }) => method === 'POST' && JSON.stringify(headers).includes(key),
    ).length;

  beforeAll(async () => {
    server = await vendorServer();
  });

  const { scenario } = inlineSuite({
    head: HEAD,
    setUp: async () => {
      const placed = Object.entries(pools).map(([name, one]) => {
        const [place] = (one as { endpoints: [{ url: string }] }).endpoints;
        return [name, { ...one, endpoints: [{ ...place, name: 'here', url: server.url + place.url }] }];
      });
      const env = {
        OPENAI: require.resolve('openai'),
        GENAI: require.resolve('@google/genai'),
        ANTHROPIC: require.resolve('@anthropic-ai/sdk'),
      };
      return {
        files: { 'gemba.config.json': JSON.stringify({ pools: Object.fromEntries(placed) }) },
        config: '{ workers: 3, fullyParallel: true }',
        env,
        cleanup: () => server.close(),
      };
    },
  });

  scenario(
    'goes with another key in each of 20 tests, for OpenAI’s client made of the lease',
    `test.use({ gembaPool: '${pool('many', ['used-many', 'limited-many', 'fine-many'])}' });
     for (let number = 1; number <= 20; number++) {
       test('answers ' + number, async ({ lease, gemba }) => {
         const client = openai(lease, gemba);
         expect([await say(client), await say(client)]).toEqual(['fine-many', 'fine-many']);
         expect(lease.key.name).toMatch(/^key-[012]$/);
       });
     }`,
    ({ tests, report }) => {
      expect(tests).toHaveLength(20);
      const leases = tests.flatMap(({ results }) => results.flatMap((result) => result.leases));
      const rerouted = leases.filter((lease) => lease.rerouted);
      expect(rerouted.length).toBeGreaterThan(0);
      const served = rerouted.filter((lease) => lease.requests > lease.failures);
      expect(new Set(served.map(({ key }) => key))).toEqual(new Set(['key-2']));
      for (const { results } of tests)
        expect(
          results[0]!.requests.filter(({ kind }) => kind === 'ok').map(({ key, status }) => [key, status]),
        ).toEqual([
          ['key-2', 200],
          ['key-2', 200],
        ]);
      // What is known to be out is asked no more: at most each worker met it at once.
      expect(sent('used-many')).toBeLessThanOrEqual(3);
      expect(sent('limited-many')).toBeLessThanOrEqual(3);
      const { keys } = report.pools.find(({ name }) => name === 'many')!;
      expect(keys.map(({ state }) => state)).toEqual(['exhausted', 'cooling', 'healthy']);
      expect(keys.map(({ requests, failures }) => requests - failures)).toEqual([0, 0, 40]);
    },
  );

  scenario(
    'goes with another key for gemba.client(), beside a lease that was read, too',
    `test.use({ gembaPool: '${pool('client', ['used-client', 'limited-client', 'fine-client'])}' });
     for (let number = 1; number <= 20; number++) {
       test('answers ' + number, async ({ lease, gemba }) => {
         if (number % 2) expect(lease.key.value).toContain('-client');
         expect(await say(new OpenAI(gemba.client()))).toBe('fine-client');
       });
     }`,
  );

  scenario(
    'has the own key of the other vendors’ clients replaced',
    `const pools = ['${pool('gemini', ['used-gemini', 'fine-gemini'], { protocol: 'gemini' })}', '${pool('anthropic', ['revoked-anthropic', 'fine-anthropic'], { protocol: 'anthropic' })}'];
     test.describe('gemini', () => {
       test.use({ gembaPool: pools[0] });
       test('answers', async ({ lease, gemba }) => {
         const client = new GoogleGenAI({ apiKey: lease.key.value, httpOptions: { baseUrl: lease.endpoint.url, fetch: gemba.fetch } });
         const answer = await client.models.generateContent({ model: 'gemini-test', contents: 'hi' });
         expect(answer.text).toBe('fine-gemini');
       });
     });
     test.describe('anthropic', () => {
       test.use({ gembaPool: pools[1] });
       test('answers', async ({ lease, gemba }) => {
         const client = new Anthropic({ baseURL: lease.endpoint.url, apiKey: lease.key.value, fetch: gemba.fetch });
         const answer = await client.messages.create({ model: 'claude-test', max_tokens: 9, messages });
         expect(answer.content[0].text).toBe('fine-anthropic');
       });
     });`,
    ({ tests }) => {
      for (const { results } of tests) {
        expect(results[0]!.leases.map(({ key, rerouted }) => [key, rerouted])).toEqual([
          ['key-0', false],
          ['key-1', true],
        ]);
        expect(results[0]!.requests.map(({ key, recovered }) => [key, recovered])).toEqual([
          ['key-0', true],
          ['key-1', null],
        ]);
      }
      expect([sent('used-gemini'), sent('fine-gemini')]).toEqual([1, 1]);
      expect([sent('revoked-anthropic'), sent('fine-anthropic')]).toEqual([1, 1]);
    },
  );

  scenario(
    'holds an exclusive key until its answer is read, and no longer',
    `test.use({ gembaPool: '${pool('exclusive', [
      { value: 'used-exclusive', labels: { which: 'used' } },
      { value: 'fine-exclusive', maxConcurrent: 1, labels: { which: 'fine' } },
    ])}' });
     test('streams', async ({ lease, gemba }) => {
       const fine = (timeoutMs) => gemba.lease({ need: { which: 'fine' }, timeoutMs });
       const client = openai(lease, gemba);
       const parts = [];
       for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
         if (parts.length === 0) await expect(fine(100)).rejects.toMatchObject({ code: 'GEMBA_ACQUIRE_TIMEOUT' });
         parts.push(chunk.choices[0].delta.content);
       }
       expect(parts.join('')).toBe('from fine-exclusive');
       await (await fine(2_000)).release();
       expect(await say(client)).toBe('fine-exclusive');
       await (await fine(2_000)).release();
       const left = new AbortController();
       const cut = gemba.fetch(lease.endpoint.url + '/chat/completions', { method: 'POST', signal: left.signal, body: JSON.stringify({ ...ask, stream: true }) });
       await cut;
       left.abort();
       await (await fine(2_000)).release();
     });`,
    ({ tests }) => {
      const leases = tests[0]!.results[0]!.leases.filter(({ rerouted }) => rerouted);
      expect(leases.map(({ key, requests, failures }) => [key, requests, failures])).toEqual([
        ['key-1', 1, 0],
        ['key-1', 1, 0],
        ['key-1', 1, 0],
      ]);
      expect(sent('used-exclusive')).toBe(1);
    },
  );

  scenario(
    'needs no second place at its endpoint',
    `test.use({ gembaPool: '${pool('narrow', ['used-narrow', 'fine-narrow'], {}, { maxConcurrent: 1 })}' });
     test('answers', async ({ lease, gemba }) => {
       const client = openai(lease, gemba);
       expect(lease.key.name).toBe('key-0');
       expect([await say(client), await say(client)]).toEqual(['fine-narrow', 'fine-narrow']);
     });`,
    () => expect(sent('used-narrow')).toBe(1),
  );

  scenario(
    'gets the refusal where no other key fits the need, and waits where its key is only throttled',
    `const pools = ['${pool('need', [
      { value: 'used-need', labels: { role: 'admin' } },
      { value: 'fine-need', labels: { role: 'user' } },
    ])}', '${pool('alone', ['busy-alone'])}', '${pool('all', ['used-all-1', 'used-all-2'])}'];
     test.describe('need', () => {
       test.use({ gembaPool: pools[0], gembaNeed: { role: 'admin' } });
       test('refuses', async ({ lease, gemba }) => {
         await expect(say(openai(lease, gemba))).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
       });
     });
     test.describe('alone', () => {
       test.use({ gembaPool: pools[1] });
       test('waits', async ({ lease, gemba }) => {
         expect(await say(openai(lease, gemba))).toBe('busy-alone');
       });
     });
     test.describe('all', () => {
       test.use({ gembaPool: pools[2] });
       test('asks each', async ({ lease, gemba }) => {
         await expect(say(openai(lease, gemba))).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
         expect(lease.key.name).toBe('key-0');
       });
     });`,
    () => {
      expect(sent('fine-need')).toBe(0);
      expect([sent('used-all-1'), sent('used-all-2')]).toEqual([1, 1]);
    },
  );

  scenario(
    'stays with its key under plain http',
    `test.use({ gembaPool: '${pool('http', ['limited-http', 'fine-http'], { protocol: 'http', maxRetries: 0 })}' });
     test('refuses', async ({ lease, gemba }) => {
       const send = () => gemba.fetch(lease.endpoint.url + '/v1/chat/completions', { method: 'POST', body: JSON.stringify(ask) });
       expect((await send()).status).toBe(429);
     });`,
    () => expect(sent('fine-http')).toBe(0),
  );
});
