import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect } from 'vitest';
import { inlineSuite } from '../harness/inline-suite.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const require = createRequire(import.meta.url);

/** A minute of this vendor: each key may ask so often in it. */
const MINUTE_MS = 6_000;
const A_MINUTE = 20;
const PART_MS = 250;
const PARTS = 6;

const HEAD = `
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { test, expect } from 'gemba-agent';
const { OPENAI } = process.env;
const require = createRequire(import.meta.url);
const { OpenAI, APIUserAbortError } = require(OPENAI);
const ask = { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] };
const say = async (client, options) => (await client.chat.completions.create(ask, options)).choices[0].message.content;
`;

describe('clients of vendors', () => {
  let server: TestServer;
  /** When each key was answered. */
  const answered = new Map<string, number[]>();
  /** The bodies of uploads, by key. */
  const uploads: { readonly key: string; readonly body: string }[] = [];
  let refused = 0;
  let cut = 0;

  /** How long until the next minute, where the key has used up this one; 0: it may go. */
  const mayGo = (key: string): number => {
    const now = Date.now();
    const began = now - (now % MINUTE_MS);
    const recent = (answered.get(key) ?? []).filter((at) => at >= began);
    answered.set(key, recent);
    if (recent.length >= A_MINUTE) return began + MINUTE_MS - now;
    recent.push(now);
    return 0;
  };

  beforeAll(async () => {
    server = await startServer(async ({ url, token, body, headers }, response) => {
      const key = token ?? headers['x-api-key']?.toString() ?? '';
      const limit = { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } };
      if (key.startsWith('paced')) {
        const waitMs = mayGo(key);
        if (waitMs > 0) {
          refused++;
          return json(response, 429, limit, { 'retry-after-ms': String(waitMs) });
        }
      }
      if (url.startsWith('/v1/files')) {
        uploads.push({ key, body });
        if (key.startsWith('used'))
          return json(response, 429, { error: { message: 'quota', code: 'insufficient_quota' } });
        return json(response, 200, { id: 'file-1', object: 'file', bytes: body.length });
      }
      if (key.startsWith('jammed')) return json(response, 429, limit, { 'retry-after': '20' });
      const isStream = (JSON.parse(body) as { stream?: boolean }).stream === true;
      const choice = (content: string): object => ({ index: 0, delta: { content }, message: { content } });
      if (!isStream)
        return json(response, 200, { id: '1', object: 'chat.completion', choices: [choice(key)] });
      response.once('close', () => (cut += response.writableFinished ? 0 : 1));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let part = 0; part < PARTS && !response.destroyed; part++) {
        response.write(`data: ${JSON.stringify({ id: '1', choices: [choice(`${part}`)] })}\n\n`);
        await sleep(PART_MS);
      }
      response.end('data: [DONE]\n\n');
    });
  });

  const { scenario } = inlineSuite({
    head: HEAD,
    setUp: async () => {
      const pool = (keys: readonly string[], more = {}): object => ({
        protocol: 'openai',
        endpoints: [{ name: 'here', url: server.url }],
        keys: keys.map((value, index) => ({ name: `key-${index}`, value })),
        ...more,
      });
      const pools = {
        paced: pool(['paced-0', 'paced-1', 'paced-2']),
        uploads: pool(['used-uploads', 'fine-uploads']),
        long: pool(['fine-long'], { timeout: PART_MS * 3 }),
        jammed: pool(['jammed']),
      };
      return {
        files: { 'gemba.config.json': JSON.stringify({ pools }), 'up.txt': 'the whole file '.repeat(9_000) },
        config: '{ workers: 3, fullyParallel: true }',
        env: { OPENAI: require.resolve('openai') },
        cleanup: () => server.close(),
      };
    },
  });

  scenario(
    'share three keys of 20 requests a minute over 30 tests, with the defaults of a pool',
    `test.use({ gembaPool: 'paced' });
     for (let number = 1; number <= 30; number++)
       test('asks ' + number, async ({ gemba, lease }) => {
         // Half of them know their key.
         const own = { baseURL: lease.endpoint?.url + '/v1', apiKey: lease.key.value, fetch: gemba.fetch };
         const client = new OpenAI(number % 2 ? own : gemba.client());
         for (let call = 0; call < 3; call++) expect(await say(client)).toMatch(/^paced-[012]$/);
       });`,
    ({ tests, report }) => {
      expect(tests).toHaveLength(30);
      const asked = [...answered.values()].length;
      expect(asked).toBe(3);
      // What is known to be used up is waited for, and not asked again and again.
      expect(refused).toBeLessThan(60);
      const { keys } = report.pools.find(({ name }) => name === 'paced')!;
      expect(keys.reduce((sum, key) => sum + key.successes, 0)).toBe(90);
    },
  );

  scenario(
    'upload a file whole, again with another key where the first is refused',
    `test.use({ gembaPool: 'uploads' });
     test('uploads', async ({ gemba }) => {
       const file = fs.createReadStream(import.meta.dirname + '/up.txt');
       const sent = await new OpenAI(gemba.client()).files.create({ file, purpose: 'assistants' });
       expect(sent.id).toBe('file-1');
     });`,
    () => {
      expect(uploads.map(({ key }) => key)).toEqual(['used-uploads', 'fine-uploads']);
      for (const { body } of uploads) expect(body).toContain('the whole file '.repeat(9_000));
    },
  );

  scenario(
    'read an answer that takes longer than the limit for its beginning, and end one that they leave',
    `test.use({ gembaPool: 'long' });
     test('reads on', async ({ gemba }) => {
       const parts = [];
       for await (const chunk of await new OpenAI(gemba.client()).chat.completions.create({ ...ask, stream: true })) parts.push(chunk.choices[0].delta.content);
       expect(parts.join('')).toBe('012345');
     });
     test('leaves', async ({ gemba }) => {
       const left = new AbortController();
       const stream = await new OpenAI(gemba.client()).chat.completions.create({ ...ask, stream: true }, { signal: left.signal });
       const parts = [];
       for await (const chunk of stream) {
         parts.push(chunk.choices[0].delta.content);
         left.abort();
       }
       expect(parts.length).toBeLessThan(6);
     });`,
    ({ tests }) => {
      expect(cut).toBe(1);
      for (const { results } of tests)
        expect(results[0]!.requests.map(({ kind, status }) => [kind, status])).toEqual([['ok', 200]]);
    },
  );

  scenario(
    'give a wait up when they are told to',
    `test.use({ gembaPool: 'jammed' });
     test('gives up', async ({ gemba }) => {
       const began = Date.now();
       const client = new OpenAI(gemba.client());
       await expect(say(client, { signal: AbortSignal.timeout(300) })).rejects.toThrow(APIUserAbortError);
       expect(Date.now() - began).toBeLessThan(15_000);
     });`,
  );
});
