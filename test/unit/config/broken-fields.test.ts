import { describe, expect, test } from 'vitest';
import { refusal, withPool } from './project.ts';

describe('A wrong field is refused with what it must be:', () => {
  test('no pools', () => {
    expect(refusal('{}')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  pools: is missing; it must be an object of pools by name
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('pools as a list', () => {
    expect(refusal('{ "pools": [] }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:12  pools: must be an object of pools by name; found an array
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an empty set of pools', () => {
    expect(refusal('{ "pools": {} }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:12  pools: must have at least one pool
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a pool without members', () => {
    expect(refusal('{ "pools": { "api": {} } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:21  pools.api: needs at least one endpoint or key
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a pool as a text', () => {
    expect(refusal('{ "pools": { "api": "https://a.test" } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:21  pools.api: must be an object: { … }; found "https://a.test"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a misspelt field of the file', () => {
    expect(refusal('{ "pool": {} }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (2 problems):
        /project/gemba.config.json:1:1  pools: is missing; it must be an object of pools by name
        /project/gemba.config.json:1:3  pool: unknown field; did you mean "pools"?
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a misspelt field of a pool', () => {
    expect(refusal(withPool('"maxretries": 2'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:56  pools.api.maxretries: unknown field; did you mean "maxRetries"?
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a misspelt field of an endpoint', () => {
    expect(
      refusal(
        '{\n  "pools": {\n    "api": { "endpoints": [{ "url": "https://a.test", "wieght": 2 }] }\n  }\n}',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:3:55  pools.api.endpoints[0].wieght: unknown field; did you mean "weight"?
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a misspelt field of a key', () => {
    expect(refusal(withPool('"keys": [{ "valeu": "a" }]'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (2 problems):
        /project/gemba.config.json:1:65  pools.api.keys[0]: must have a "value" or "fields"
        /project/gemba.config.json:1:67  pools.api.keys[0].valeu: unknown field; did you mean "value"?
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a field of nowhere', () => {
    expect(refusal(withPool('"flavour": "mint"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:56  pools.api.flavour: unknown field; known: endpoints, keys, protocol, auth, models, rotation, routing, scope, maxFailures, maxRetries, timeout, acquireTimeout, leaseTtl, ejection, retryBudget, failover, classify, whenEmpty, fallback, whenUnset
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a field of nowhere in a key', () => {
    expect(refusal(withPool('"keys": [{ "value": "a", "flavour": 1 }]'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:81  pools.api.keys[0].flavour: unknown field; known: name, value, fields, totp, maxConcurrent, rpm, weight, enabled, tpm, daily, labels, quotaGroup, endpoints
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a null', () => {
    expect(refusal(withPool('"timeout": null, "maxRetries": null, "keys": null'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:67  pools.api.timeout: must be a duration: a number of milliseconds, or a string such as "500ms", "5s", "2m", "1h"; found null
        /project/gemba.config.json:1:87  pools.api.maxRetries: must be an integer of 0 or more; found null
        /project/gemba.config.json:1:101  pools.api.keys: must be an array of keys or { "fromEnv": "NAME" }
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('limits out of range', () => {
    expect(refusal(withPool('"keys": [{ "value": "a", "maxConcurrent": 0, "rpm": 0, "weight": -1 }]')))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (3 problems):
          /project/gemba.config.json:1:98  pools.api.keys[0].maxConcurrent: must be an integer of 1 or more; found 0
          /project/gemba.config.json:1:108  pools.api.keys[0].rpm: must be a number of 0.0001 or more; found 0
          /project/gemba.config.json:1:121  pools.api.keys[0].weight: must be 0, or a number from 0.0001 to 1000000; found -1
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('wrong switches', () => {
    expect(refusal(withPool('"keys": [{ "value": "a", "enabled": "yes" }]'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:92  pools.api.keys[0].enabled: must be true or false; found "yes"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('labels that are no texts', () => {
    expect(refusal(withPool('"keys": [{ "value": "a", "labels": { "role": 1, "": "x" }, "fields": [] }]')))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (3 problems):
          /project/gemba.config.json:1:101  pools.api.keys[0].labels.role: must be a string; found 1
          /project/gemba.config.json:1:104  pools.api.keys[0].labels[""]: must have a name
          /project/gemba.config.json:1:125  pools.api.keys[0].fields: must be an object of strings, such as { "username": "qa1" }; found an array
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('a wrong gate and retryTests', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "keys": ["a"] } }, "gate": { "product": "stop", "degrade": "warn" }, "retryTests": true }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:63  gate.product: must be one of "warn", "fail"; found "stop"
        /project/gemba.config.json:1:71  gate.degrade: unknown field; did you mean "degraded"?
        /project/gemba.config.json:1:106  retryTests: must be one of "all", "environment"; found true
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a store that is none', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["a"] } }, "store": "memcached://host" }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:51  store: must be "local" or a Redis address, such as "redis://host:6379/0"; found "memcached://host"
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('an empty name', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["a"] } }, "name": "" }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:50  name: must be a string that is not empty; found ""
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
