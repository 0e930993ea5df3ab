import { describe, expect, test } from 'vitest';
import { refusal, withPool } from './project.ts';

describe('A text that is no configuration is refused with the place of each slip:', () => {
  test('an empty file', () => {
    expect(refusal('')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  the file is empty; a configuration is an object: { … }
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('only a comment', () => {
    expect(refusal('// soon')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  the file is empty; a configuration is an object: { … }
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a list', () => {
    expect(refusal('[]')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  must be an object: { … }; found an array
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('single quotes', () => {
    expect(refusal("{ 'pools': {} }")).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:3  this is not a JSON value; strings need double quotes
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a missing comma', () => {
    expect(refusal('{\n  "name": "shop"\n  "pools": { "api": { "keys": ["a"] } }\n}')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:3:3  a "," or a closing bracket is expected before this
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a missing colon', () => {
    expect(refusal('{ "pools" { "api": { "keys": ["a"] } } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:11  a ":" is expected here
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an open brace', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["a"] } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:40  a "}" is expected here
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an open list', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["a" } } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:36  a "," or a closing bracket is expected before this
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an open text', () => {
    expect(refusal('{ "name": "shop\n}')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:11  this string has no closing quote
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an open comment', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["a"] } } } /* end')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:43  this comment has no end
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a wrong escape', () => {
    expect(refusal(String.raw`{ "name": "C:\shop", "pools": { "api": { "keys": ["a"] } } }`))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:11  this is not an escape sequence; write \\\\ for a backslash
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('something after the end', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["a"] } } } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:43  nothing may follow the end of the configuration
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a missing value', () => {
    expect(refusal('{ "name": , "pools": { "api": { "keys": ["a"] } } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:11  a value is expected here
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('nesting without end', () => {
    expect(refusal('['.repeat(200_000))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  the file is nested too deeply
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('several slips at once', () => {
    expect(refusal('{\n  "name": shop,\n  "pools" {\n    "api": { "keys": ["a"] }\n  }\n}'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (3 problems):
          /project/gemba.config.json:2:11  this is not a JSON value; strings need double quotes
          /project/gemba.config.json:3:11  a ":" is expected here
          /project/gemba.config.json:5:3  nothing may follow the end of the configuration
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('a field given twice', () => {
    expect(refusal('{ "name": "a", "pools": { "api": { "keys": ["a"] } }, "name": "b" }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:55  name: is given twice; keep one of the two
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('the name of the prototype', () => {
    expect(refusal('{ "pools": { "__proto__": { "keys": ["a"] }, "api": { "keys": ["b"] } } }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:14  pools.__proto__: must not be used as a name
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('the name of the prototype in a pool', () => {
    expect(refusal(withPool('"labels": 1, "__proto__": { "timeout": 1 }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (2 problems):
        /project/gemba.config.json:1:56  pools.api.labels: unknown field; known: endpoints, keys, protocol, auth, models, rotation, routing, scope, maxFailures, maxRetries, timeout, acquireTimeout, leaseTtl, ejection, retryBudget, failover, classify, whenEmpty, fallback, whenUnset
        /project/gemba.config.json:1:69  pools.api.__proto__: must not be used as a name
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a slip behind a byte order mark', () => {
    expect(refusal('\uFEFF{\r\n  "pools": }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:2:12  a value is expected here
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('ten megabytes', () => {
    expect(refusal(`{ "pools": ${'[1,'.repeat(3_500_000)}`)).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  the file is larger than 1 MB
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('more than a megabyte', () => {
    expect(refusal(`{ "pools": {} }${' '.repeat(1024 * 1024)}`)).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  the file is larger than 1 MB
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
