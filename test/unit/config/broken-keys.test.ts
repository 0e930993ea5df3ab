import { describe, expect, test } from 'vitest';
import { refusal, withPool } from './project.ts';

describe('Keys that do not fit are refused:', () => {
  test('two keys of one name', () => {
    expect(refusal(withPool('"keys": [{ "name": "key-2", "value": "a" }, "b"]'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:100  pools.api.keys[1]: "key-2" is the name of keys[0], too; give it another "name"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('two keys of one value', () => {
    expect(refusal(withPool('"keys": ["hunter2", "other", { "name": "ci", "value": "hunter2" }]')))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:110  pools.api.keys[2].value: "ci" is the same secret as "key-1" (keys[0]); list each key once
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('two keys of the same fields', () => {
    expect(
      refusal(
        withPool(
          '"auth": "none", "keys": [{ "fields": { "a": "1", "b": "2" } }, { "fields": { "b": "2", "a": "1" } }]',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:119  pools.api.keys[1]: "key-2" is the same secret as "key-1" (keys[0]); list each key once
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('keys without secret, or an empty one', () => {
    expect(refusal(withPool('"keys": [{ "name": "ci" }, "", { "value": "", "fields": {} }]')))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (3 problems):
          /project/gemba.config.json:1:65  pools.api.keys[0]: must have a "value" or "fields"
          /project/gemba.config.json:1:83  pools.api.keys[1]: must be a string that is not empty
          /project/gemba.config.json:1:98  pools.api.keys[2].value: must be a string that is not empty
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('keys that no header carries', () => {
    expect(refusal(withPool('"keys": ["a ", "b\\nb", { "value": "\u20ac" }]'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:65  pools.api.keys[0]: must fit into a header: no line break, no space at its ends, no character beyond Latin-1
        /project/gemba.config.json:1:71  pools.api.keys[1]: must fit into a header: no line break, no space at its ends, no character beyond Latin-1
        /project/gemba.config.json:1:90  pools.api.keys[2].value: must fit into a header: no line break, no space at its ends, no character beyond Latin-1
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a key of an endpoint that is none', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": [{ "name": "eu", "url": "https://a.test" }], "keys": [{ "value": "a", "endpoints": ["us", "eu"] }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:120  pools.api.keys[0].endpoints[0]: "us" is not an endpoint of this pool; known: eu
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a key of no endpoint', () => {
    expect(refusal(withPool('"keys": [{ "value": "a", "endpoints": [] }]'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:94  pools.api.keys[0].endpoints: must name at least one endpoint; leave it out where the key works at all
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a key of an endpoint in a pool without any', () => {
    expect(refusal('{ "pools": { "api": { "keys": [{ "value": "a", "endpoints": ["eu"] }] } } }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:62  pools.api.keys[0].endpoints[0]: "eu" is not an endpoint of this pool; it has none
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('basic without user and password', () => {
    expect(refusal(withPool('"auth": "basic", "keys": ["a", { "fields": { "username": "qa" } }, "qa:b"]')))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (2 problems):
          /project/gemba.config.json:1:82  pools.api.keys[0]: needs "fields" with username and password, or a value "user:password", for "auth": "basic"
          /project/gemba.config.json:1:87  pools.api.keys[1]: needs "fields" with username and password, or a value "user:password", for "auth": "basic"
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('keys in no form', () => {
    expect(refusal(withPool('"keys": "a"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:64  pools.api.keys: must be an array of keys or { "fromEnv": "NAME" }
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('keys from two places', () => {
    expect(refusal(withPool('"keys": { "fromEnv": "KEYS", "value": "a" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:85  pools.api.keys.value: unknown field; known: fromEnv
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('keys from a variable without name', () => {
    expect(refusal(withPool('"keys": { "fromEnv": "MY KEYS" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:77  pools.api.keys.fromEnv: must be the name of a variable, such as "API_KEYS"
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
