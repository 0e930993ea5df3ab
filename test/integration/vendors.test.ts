import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InlineResult, runInlineTest } from '../harness/run-inline-test.ts';
import type { TestServer } from '../harness/servers.ts';
import { STREAM_PAUSE_MS, vendorServer } from '../harness/vendors.ts';

const require = createRequire(import.meta.url);

/** The vendors' own clients, as their users make them, with `gemba.fetch` in place of fetch. */
const SPEC = `
import { createRequire } from 'node:module';
import { test, expect } from 'gemba-agent';
const { OPENAI, GENAI, ANTHROPIC } = process.env;
const require = createRequire(import.meta.url);
const { AzureOpenAI, OpenAI } = require(OPENAI);
const { GoogleGenAI } = require(GENAI);
const { Anthropic } = require(ANTHROPIC);
const at = 'https://gemba.invalid';
function talk(client) {
  const ask = { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] };
  return {
    say: async () => (await client.chat.completions.create(ask)).choices[0].message.content,
    stream: async function* () {
      for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) yield chunk.choices[0].delta.content;
    },
  };
}
function insistingOn(gemba) {
  const client = gemba.client();
  const repeating = (send) => (input, init) => send(input, { ...init, idempotent: true });
  return { fetch: repeating(gemba.fetch), client: () => ({ ...client, fetch: repeating(client.fetch) }) };
}
const clients = {
  openai: (gemba, options = {}) =>
    talk(new OpenAI({ ...gemba.client(), ...options })),
  'azure-openai': (gemba, options = {}) =>
    talk(new AzureOpenAI({ apiKey: 'leased', endpoint: at, apiVersion: '2024-10-21', fetch: gemba.fetch, ...options })),
  gemini: (gemba, { model = 'gemini-test' } = {}) => {
    const client = new GoogleGenAI({ apiKey: 'leased', httpOptions: { baseUrl: at, fetch: gemba.fetch } });
    const ask = { model, contents: 'hi' };
    return {
      say: async () => (await client.models.generateContent(ask)).text,
      stream: async function* () { for await (const chunk of await client.models.generateContentStream(ask)) yield chunk.text; },
    };
  },
  anthropic: (gemba, options = {}) => {
    const client = new Anthropic({ ...gemba.client(), ...options });
    const ask = { model: 'claude-test', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
    return {
      say: async () => (await client.messages.create(ask)).content[0].text,
      stream: async function* () {
        for await (const event of await client.messages.create({ ...ask, stream: true }))
          if (event.type === 'content_block_delta') yield event.delta.text;
      },
    };
  },
};
for (const vendor of ['openai', 'azure-openai', 'gemini', 'anthropic']) {
  const pool = (name) => test.use({ gembaPool: vendor + '-' + name });
  test.describe(vendor + ' streams', () => {
    pool('fine');
    test(vendor + ' streams', async ({ gemba }) => {
      const [parts, times] = [[], []];
      for await (const part of clients[vendor](gemba).stream()) { parts.push(part); times.push(Date.now()); }
      expect(parts.join('')).toBe('from fine-' + vendor);
      expect(times.at(-1) - times[0]).toBeGreaterThan(${STREAM_PAUSE_MS / 2});
    });
  });
  for (const trouble of ['busy', 'used', 'revoked']) {
    test.describe(vendor + ' ' + trouble, () => {
      pool(trouble);
      test(vendor + ' goes to another key where the first is ' + trouble, async ({ gemba }) => {
        const from = Date.now();
        expect(await clients[vendor](gemba).say()).toBe('fine-' + vendor + '-' + trouble);
        expect(Date.now() - from).toBeLessThan(5_000);
        const again = [];
        for (let call = 0; call < 2; call++) again.push(await clients[vendor](gemba).say());
        expect(again).toEqual(Array(2).fill('fine-' + vendor + '-' + trouble));
      });
    });
  }
  test.describe(vendor + ' alone', () => {
    pool('alone');
    test(vendor + ' waits where there is one throttled key only', async ({ gemba }) => {
      expect(await clients[vendor](gemba).say()).toBe('busy-alone-' + vendor);
    });
  });
  test.describe(vendor + ' flaky', () => {
    pool('flaky');
    test(vendor + ' repeats what its caller says may be repeated', async ({ gemba }) => {
      const insisting = insistingOn(gemba);
      expect(await clients[vendor](insisting).say()).toBe('flaky-' + vendor);
    });
  });
}
test.describe('models', () => {
  test.use({ gembaPool: 'models' });
  test('a key that is throttled for one model goes on serving the others', async ({ gemba }) => {
    const through = async (model) => {
      const lease = await gemba.lease();
      return clients.gemini({ fetch: (input, init) => gemba.fetch(input, { ...init, lease }) }, { model }).say();
    };
    expect(await through('scarce')).toBe('fine-models');
    expect([await through('plenty'), await through('plenty')]).toContain('half-models');
    expect(await through('scarce')).toBe('fine-models');
  });
});
for (const vendor of ['openai', 'azure-openai', 'anthropic']) {
  for (const maxRetries of [0, 2]) {
    test.describe(vendor + ' ' + maxRetries, () => {
      test.use({ gembaPool: vendor + '-down-' + maxRetries });
      test(vendor + ' with ' + maxRetries + ' retries of its own', async ({ gemba }) => {
        const insisting = insistingOn(gemba);
        for (let call = 0; call < 5; call++)
          await expect(clients[vendor](insisting, { maxRetries }).say()).rejects.toMatchObject({ status: 503 });
      });
    });
  }
}
`;

const VENDORS = ['openai', 'azure-openai', 'gemini', 'anthropic'] as const;
const CALLS = 5;
const BUDGET = 0.5;

describe('the vendors’ own clients', () => {
  let server: TestServer;
  let result: InlineResult;

  beforeAll(async () => {
    server = await vendorServer();
    const pool = (protocol: string, keys: string[], more = {}): object => ({
      protocol,
      endpoints: [server.url],
      // Of equals the first by name goes first.
      keys: keys.map((value, index) => ({ name: `key-${index}`, value })),
      retryBudget: 1,
      ...more,
    });
    const pools = Object.fromEntries(
      VENDORS.flatMap((vendor) => [
        [`${vendor}-fine`, pool(vendor, [`fine-${vendor}`])],
        ...['busy', 'used', 'revoked'].map((trouble) => [
          `${vendor}-${trouble}`,
          pool(vendor, [`${trouble}-${vendor}`, `fine-${vendor}-${trouble}`]),
        ]),
        [`${vendor}-alone`, pool(vendor, [`busy-alone-${vendor}`])],
        [`${vendor}-flaky`, pool(vendor, [`flaky-${vendor}`])],
        ...[0, 2].map((own) => [
          `${vendor}-down-${own}`,
          pool(vendor, [`down-${vendor}-${own}`], { retryBudget: BUDGET, maxRetries: 2 }),
        ]),
      ]),
    );
    const models = { models: ['scarce', 'plenty'] };
    pools['models'] = pool('gemini', ['half-models', 'fine-models'], models);
    const env = {
      OPENAI: require.resolve('openai'),
      GENAI: require.resolve('@google/genai'),
      ANTHROPIC: require.resolve('@anthropic-ai/sdk'),
    };
    const files = { 'gemba.config.json': JSON.stringify({ pools }), 'vendors.spec.ts': SPEC };
    result = await runInlineTest(files, { config: '{ workers: 2, fullyParallel: true }', env });
  });

  afterAll(async () => {
    await server.close();
    await result.cleanup();
  });

  const calls = (key: string): number =>
    server.requests.filter(({ token, headers }) =>
      [token, headers['x-goog-api-key'], headers['x-api-key'], headers['api-key']].includes(key),
    ).length;

  it('stream, leave bad keys, wait and repeat', () => {
    expect({ passed: result.passed, failed: result.failed }, result.output).toEqual({
      passed: 4 * 6 + 6 + 1,
      failed: 0,
    });
  });

  it.each(VENDORS)('of %s ask a bad key once', (vendor) => {
    expect(['busy', 'used', 'revoked'].map((trouble) => calls(`${trouble}-${vendor}`))).toEqual([1, 1, 1]);
    expect(calls(`busy-alone-${vendor}`)).toBe(2);
    const states = ['busy', 'used', 'revoked'].map((trouble) => {
      const pool = result.report!.pools.find(({ name }) => name === `${vendor}-${trouble}`)!;
      return pool.keys.find(({ name }) => name === 'key-0')!.state;
    });
    expect(states.slice(1)).toEqual(['exhausted', 'quarantined']);
  });

  it.each(['openai', 'anthropic'])(
    'of %s never exceed the retry budget, with retries of their own or without',
    (vendor) => {
      for (const own of [0, 2]) {
        const made = calls(`down-${vendor}-${own}`);
        expect(made).toBeGreaterThan(CALLS);
        expect(made).toBeLessThanOrEqual(CALLS + Math.max(3, BUDGET * CALLS));
      }
    },
  );
});
