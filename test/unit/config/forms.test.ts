import { describe, expect, test } from 'vitest';
import { defineGembaConfig } from '../../../src/config/define.ts';
import { gembaConfigSchema } from '../../../src/config/schema/schema.ts';
import type { PoolConfig, PoolInput } from '../../../src/config/types.ts';
import { FULL } from './full.ts';
import { load, loadValue } from './project.ts';

function pool(input: PoolInput): PoolConfig {
  const { pools } = loadValue({ pools: { api: input } });
  return pools['api']!;
}

describe('A configuration', () => {
  test('is the same through the public schema', () => {
    const {
      path: _,
      revision: __,
      skipped: ___,
      layers: ____,
      valueFiles: _____,
      written: ______,
      leftOut: _______,
      ...config
    } = loadValue(FULL);
    expect(gembaConfigSchema.parse(FULL)).toEqual(config);
  });

  test('is what defineGembaConfig was given', () => expect(defineGembaConfig(FULL)).toBe(FULL));

  test.each<[number | string, number]>([
    [0, 0],
    [250, 250],
    [1.6, 2],
    ['500ms', 500],
    ['5s', 5000],
    ['0.5s', 500],
    ['2 m', 120_000],
    ['1h', 3_600_000],
  ])('reads the duration %s', (given, ms) =>
    expect(pool({ keys: ['a'], acquireTimeout: given }).acquireTimeout).toBe(ms),
  );

  test.each<[string, string]>([
    ['https://a.test', 'a.test'],
    ['https://a.test/', 'a.test'],
    ['https://A.test:8443/v1', 'a.test:8443'],
    ['http://127.0.0.1:3000', '127.0.0.1:3000'],
    ['http://[::1]:3000', '::1:3000'],
    [' https://a.test\n', 'a.test'],
  ])('names the endpoint %j by its host', (url, name) => {
    const both = [{ name, url: url.trim(), weight: 1, priority: 0, enabled: true, headers: {} }];
    expect(pool({ endpoints: [url] }).endpoints).toEqual(both);
    expect(pool({ endpoints: [{ url }] }).endpoints).toEqual(both);
  });

  test('names keys by position', () => {
    const keys = ['a', { value: 'b' }, { name: 'ci', value: 'c' }, 'd'];
    expect(pool({ keys }).keys.map(({ name }) => name)).toEqual(['key-1', 'key-2', 'ci', 'key-4']);
  });

  test.each([
    ['http', 'bearer'],
    ['openai', 'bearer'],
    ['gemini', { header: 'x-goog-api-key' }],
    ['anthropic', { header: 'x-api-key' }],
    ['azure-openai', { header: 'api-key' }],
  ] as const)('sends keys the way of %s', (protocol, auth) => {
    expect(pool({ keys: ['a'], protocol }).auth).toEqual(auth);
    expect(pool({ keys: ['a'], protocol, auth: { query: 'key' } }).auth).toEqual({ query: 'key' });
  });

  test('takes basic credentials as fields or as one value', () => {
    const keys = ['qa1:secret', { fields: { username: 'qa2', password: 'secret' } }];
    expect(pool({ auth: 'basic', keys }).keys.map(({ value, fields }) => ({ value, fields }))).toEqual([
      { value: 'qa1:secret', fields: {} },
      { value: undefined, fields: { username: 'qa2', password: 'secret' } },
    ]);
  });

  test('takes any key where none travels in a header', () => {
    expect(pool({ auth: 'none', keys: ['-----BEGIN\nKEY-----\n', '€'] }).keys).toHaveLength(2);
    expect(pool({ auth: { query: 'key' }, keys: ['€'] }).keys).toHaveLength(1);
  });

  test.each(['local', 'redis://host', 'rediss://user:secret@host:6380/1'])('takes the store %s', (store) => {
    expect(loadValue({ store, pools: { api: { keys: ['a'] } } }).store).toBe(store);
  });

  test('has no pool that is there by accident', () => {
    const { pools } = load('{ "pools": { "toString": { "keys": ["a"] } } }');
    expect(pools['toString']?.keys).toHaveLength(1);
    expect(pools['constructor']).toBeUndefined();
  });

  test('may have an endpoint and a key of one name', () => {
    expect(
      pool({ endpoints: [{ name: 'eu', url: 'https://a.test' }], keys: [{ name: 'eu', value: 'a' }] }),
    ).toBeDefined();
  });
});

describe('The public schema', () => {
  test('tells what is wrong by itself', () => {
    const result = gembaConfigSchema.safeParse({
      pools: {
        api: { endpoints: [{ url: 'https://a.test', wieght: 1, rpm: 0 }], keys: { fromEnv: 'KEYS' } },
      },
    });
    expect(result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))
      .toMatchInlineSnapshot(`
        [
          "pools.api.endpoints.0.rpm: must be a number of 0.0001 or more",
          "pools.api.endpoints.0: unknown field "wieght"; did you mean "weight"?",
        ]
      `);
  });

  test('does not read variables', () => {
    const result = gembaConfigSchema.safeParse({ pools: { api: { keys: { fromEnv: 'KEYS' } } } });
    expect(result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))
      .toMatchInlineSnapshot(`
      [
        "pools.api.keys.fromEnv: is read by loadGembaConfig only; here give the keys themselves",
      ]
    `);
  });

  test('is not harmed by a prototype in its input', () => {
    const input = JSON.parse(
      '{ "__proto__": { "store": "x" }, "pools": { "__proto__": { "keys": ["a"] }, "b": { "keys": [{ "value": "a", "labels": { "__proto__": "x" } }] } } }',
    );
    expect(gembaConfigSchema.safeParse(input).error?.issues.map(({ message }) => message)).toEqual([
      'unknown field "__proto__"; known: $schema, extends, name, store, pools, retryTests, gate',
    ]);
    expect(({} as Record<string, unknown>)['store']).toBeUndefined();
  });
});
