import { Ajv, type ValidateFunction } from 'ajv';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXAMPLES } from '../../../scripts/docs/examples.ts';
import { fieldsOf as schemaFields, gembaJsonSchema } from '../../../scripts/docs/json-schema.ts';
import { FULL } from './full.ts';

const validate: ValidateFunction = new Ajv({ allErrors: true }).compile(gembaJsonSchema());
const api = FULL.pools['api'];

interface Node {
  readonly [keyword: string]: unknown;
  readonly properties?: Record<string, Node>;
}

/** Every field of the schema by its path. */
function fieldsOf(node: unknown, path = ''): [string, Node][] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties = {}, ...rest } = node as Node;
  const below = Object.values(rest).flatMap((part) =>
    (Array.isArray(part) ? part : [part]).flatMap((each) => fieldsOf(each, path)),
  );
  const own = Object.entries(properties).flatMap(([name, field]): [string, Node][] => [
    [`${path}.${name}`, field],
    ...fieldsOf(field, `${path}.${name}`),
  ]);
  return [...own, ...below];
}

describe('schema.json', () => {
  test('is what the schema generates (else run `npm run build`)', () => {
    const file = new URL('../../../schema.json', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(gembaJsonSchema(), null, 2)}\n`);
  });

  test('describes every field', () => {
    const fields = fieldsOf(gembaJsonSchema());
    expect(
      fields.filter(([, field]) => typeof field['description'] !== 'string').map(([path]) => path),
    ).toEqual([]);
  });

  test('has examples for every field, and they are valid', () => {
    const fields = schemaFields(gembaJsonSchema());
    expect(fields.length).toBeGreaterThan(50);
    expect(fields.filter(({ node }) => !Array.isArray(node['examples'])).map(({ path }) => path)).toEqual([]);
    expect(Object.keys(EXAMPLES).filter((path) => !fields.some((field) => field.path === path))).toEqual([]);
    const ajv = new Ajv({ allErrors: true });
    const wrong = fields.filter(
      ({ node }) => !(node['examples'] as unknown[]).every((example) => ajv.validate(node, example)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('has the default of every field that has one', () => {
    const fields = fieldsOf(gembaJsonSchema());
    expect(fields.map(([path, field]) => `${path} ${JSON.stringify(field['default']) ?? '-'}`).join('\n'))
      .toMatchInlineSnapshot(`
        ".$schema -
        .extends -
        .name -
        .store "local"
        .pools -
        .pools.endpoints []
        .pools.endpoints.name -
        .pools.endpoints.url -
        .pools.endpoints.maxConcurrent -
        .pools.endpoints.rpm -
        .pools.endpoints.weight 1
        .pools.endpoints.enabled true
        .pools.endpoints.priority 0
        .pools.endpoints.health -
        .pools.endpoints.proxy -
        .pools.endpoints.headers {}
        .pools.keys []
        .pools.keys.name -
        .pools.keys.value -
        .pools.keys.value.file -
        .pools.keys.fields {}
        .pools.keys.fields.file -
        .pools.keys.totp -
        .pools.keys.totp.file -
        .pools.keys.maxConcurrent -
        .pools.keys.rpm -
        .pools.keys.weight 1
        .pools.keys.enabled true
        .pools.keys.tpm -
        .pools.keys.daily -
        .pools.keys.daily.calls -
        .pools.keys.daily.tokens -
        .pools.keys.daily.resetsAt "00:00 UTC"
        .pools.keys.labels {}
        .pools.keys.quotaGroup -
        .pools.keys.endpoints -
        .pools.keys.fromEnv -
        .pools.protocol "http"
        .pools.auth -
        .pools.auth.header -
        .pools.auth.query -
        .pools.auth.oauth2 -
        .pools.auth.oauth2.tokenUrl -
        .pools.auth.oauth2.clientId "client_id"
        .pools.auth.oauth2.clientSecret "client_secret"
        .pools.auth.oauth2.scope -
        .pools.auth.oauth2.audience -
        .pools.models []
        .pools.rotation "round-robin"
        .pools.routing "success-rate"
        .pools.scope "test"
        .pools.maxFailures 5
        .pools.maxRetries 3
        .pools.timeout -
        .pools.acquireTimeout "60s"
        .pools.leaseTtl "30s"
        .pools.ejection {}
        .pools.ejection.base "15s"
        .pools.ejection.max "10m"
        .pools.retryBudget 0.2
        .pools.failover "first-request"
        .pools.classify []
        .pools.classify.status -
        .pools.classify.body -
        .pools.classify.header -
        .pools.classify.as -
        .pools.whenEmpty "wait"
        .pools.fallback -
        .pools.whenUnset "error"
        .retryTests "all"
        .gate {}
        .gate.product "warn"
        .gate.environment "warn"
        .gate.unknown "warn"
        .gate.degraded "warn"
        .gate.shards "warn""
      `);
  });

  test.each<[string, unknown]>([
    ['all fields', FULL],
    ['short forms', { pools: { api: { endpoints: ['https://a.test'], keys: ['a'] } } }],
    ['keys from a variable', { pools: { api: { keys: { fromEnv: 'KEYS' } } } }],
    [
      'variables in texts',
      {
        store: '${STORE}',
        pools: {
          api: { endpoints: ['${URL}', { url: 'https://${HOST}', health: '${PATH_}' }], timeout: '${T}' },
        },
      },
    ],
    [
      'ways of auth',
      { pools: { a: { keys: ['a'], auth: { query: 'key' } }, b: { keys: ['a'], auth: 'basic' } } },
    ],
    ['a layer', { extends: './base.json', pools: { a: { endpoints: [{ name: 'eu', weight: 0 }] } } }],
    ['a value in a file', { pools: { a: { keys: [{ value: { file: '/run/secrets/a' } }] } } }],
    ['an empty gate and ejection', { pools: { a: { keys: ['a'], ejection: {} } }, gate: {} }],
  ])('takes %s', (_, config) => {
    validate(config);
    expect(validate.errors).toBeNull();
  });

  test.each<[string, unknown]>([
    ['of the file', { ...FULL, pool: {} }],
    ['of a pool', { pools: { api: { ...api, retries: 1 } } }],
    ['of an endpoint', { pools: { api: { endpoints: [{ url: 'https://a.test', wieght: 1 }] } } }],
    ['of a key', { pools: { api: { keys: [{ value: 'a', lables: {} }] } } }],
    ['of fromEnv', { pools: { api: { keys: { fromEnv: 'KEYS', split: ',' } } } }],
    ['of auth', { pools: { api: { keys: ['a'], auth: { heder: 'x' } } } }],
    ['of a rule', { pools: { api: { keys: ['a'], classify: [{ status: 429, as: 'ok', when: 1 }] } } }],
    ['of ejection', { pools: { api: { keys: ['a'], ejection: { min: 1 } } } }],
    ['of the gate', { pools: { api: { keys: ['a'] } }, gate: { flaky: 'fail' } }],
  ])('refuses an unknown field %s', (_, config) => expect(validate(config)).toBe(false));

  test.each<[string, unknown]>([
    ['no pools', {}],
    ['a wrong duration', { pools: { api: { keys: ['a'], timeout: '5 days' } } }],
    ['a wrong choice', { pools: { api: { keys: ['a'], protocol: 'ftp' } } }],
    ['a wrong address', { pools: { api: { endpoints: ['a.test'] } } }],
    ['a wrong name', { pools: { 'a/b': { keys: ['a'] } } }],
    ['an endpoint without address and name', { pools: { api: { endpoints: [{ weight: 2 }] } } }],
    ['neither pools nor a file that has them', { name: 'shop' }],
  ])('refuses %s', (_, config) => expect(validate(config)).toBe(false));
});
