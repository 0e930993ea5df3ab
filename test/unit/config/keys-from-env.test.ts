import { describe, expect, test } from 'vitest';
import { load, loadValue, refusal } from './project.ts';

const CANARY = 'canary-7f3a9';

function keysFrom(variable: string): unknown {
  const { pools } = loadValue({ pools: { api: { keys: { fromEnv: 'KEYS' } } } }, { KEYS: variable });
  return pools['api']?.keys.map(({ name, value, rpm }) => [name, value, rpm]);
}

describe('Keys from a variable', () => {
  test.each<[string, string, unknown]>([
    [
      'a JSON array of texts',
      '["a","b"]',
      [
        ['key-1', 'a', undefined],
        ['key-2', 'b', undefined],
      ],
    ],
    [
      'a JSON array of keys',
      ' [{"name":"ci","value":"a","rpm":60}, "b"]\n',
      [
        ['ci', 'a', 60],
        ['key-2', 'b', undefined],
      ],
    ],
    [
      'commas',
      'a, b,,c,',
      [
        ['key-1', 'a', undefined],
        ['key-2', 'b', undefined],
        ['key-3', 'c', undefined],
      ],
    ],
    [
      'lines',
      '\r\na\r\n b\n\nc\n',
      [
        ['key-1', 'a', undefined],
        ['key-2', 'b', undefined],
        ['key-3', 'c', undefined],
      ],
    ],
    ['one value', 'a${A}', [['key-1', 'a${A}', undefined]]],
  ])('may be %s', (_, variable, keys) => expect(keysFrom(variable)).toEqual(keys));

  test.each(['[', '{"value":"canary-7f3a9"}', '[]', ' , ', '["canary-7f3a9",]'])(
    'may not be %j',
    (variable) => {
      const message = refusal('{ "pools": { "api": { "keys": { "fromEnv": "KEYS" } } } }', {
        KEYS: variable,
      });
      expect(message).toBe(
        'gemba.config.json is not valid (1 problem):\n' +
          '  /project/gemba.config.json:1:44  pools.api.keys.fromEnv: the variable KEYS must hold a JSON array of keys, or values separated by commas or line breaks\n' +
          '(GEMBA_CONFIG_INVALID)',
      );
    },
  );

  test('are told by position, never shown, where one is wrong', () => {
    const keys = [
      { value: `${CANARY}1`, [`${CANARY}2`]: 1, rpm: `${CANARY}3` },
      { value: 7, labels: { [`${CANARY}4`]: 5 }, endpoints: [`${CANARY}5`] },
      [`${CANARY}6`],
      { name: `${CANARY} 7`, fields: { [`${CANARY}8`]: `${CANARY}9` } },
      'same-value',
      'same-value',
      { [CANARY]: CANARY },
    ];
    const text = '{ "pools": { "api": { "keys": { "fromEnv": "KEYS" } } } }';
    const message = refusal(text, { KEYS: JSON.stringify(keys) });
    expect(message).not.toContain(CANARY);
    expect(message).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (10 problems):
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 1 in the variable KEYS: rpm must be a number of 0.0001 or more
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 1 in the variable KEYS: has an unknown field
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 2 in the variable KEYS: value must be a string or { "file": "path" }
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 2 in the variable KEYS: labels.… must be a string
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 3 in the variable KEYS: must be a string or an object with "value" or "fields"
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 4 in the variable KEYS: name must be a name of letters, digits and . _ : @ - (no space, slash or comma)
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 7 in the variable KEYS: has an unknown field
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 7 in the variable KEYS: must have a "value" or "fields"
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 6 in the variable KEYS: value "key-6" is the same secret as "key-5" (keys[4]); list each key once
        /project/gemba.config.json:1:44  pools.api.keys.fromEnv: key 2 in the variable KEYS: endpoints.… an entry is not an endpoint of this pool; it has none
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});

describe('A pool that may be skipped', () => {
  const text = `{
  "pools": {
    "api": { "keys": ["a"], "whenEmpty": "fallback", "fallback": "staging" },
    "staging": { "endpoints": ["\${STAGING_URL}"], "keys": ["\${STAGING_KEY}"], "whenUnset": "skip" },
    "list": { "keys": { "fromEnv": "LIST" }, "whenUnset": "skip" }
  }
}`;

  test('is left out with the reason', () => {
    const { pools, skipped } = load(text, { LIST: '' });
    expect(Object.keys(pools)).toEqual(['api']);
    expect(pools['api']?.fallback).toBe('staging');
    expect({ ...skipped }).toEqual({
      staging: 'the variables STAGING_URL, STAGING_KEY are not set',
      list: 'the variable LIST is empty',
    });
  });

  test('is there where its variables are set', () => {
    const { pools, skipped } = load(text, { STAGING_URL: 'https://s.test', STAGING_KEY: 'b', LIST: 'c' });
    expect(Object.keys(pools)).toEqual(['api', 'staging', 'list']);
    expect({ ...skipped }).toEqual({});
  });

  test('may be the only one', () => {
    const { pools, skipped } = load('{ "pools": { "a": { "keys": ["${A}"], "whenUnset": "skip" } } }');
    expect({ ...pools }).toEqual({});
    expect({ ...skipped }).toEqual({ a: 'the variable A is not set' });
  });

  test('is still checked', () => {
    expect(
      refusal(
        '{ "pools": { "a": { "keys": ["${A}"], "whenUnset": "skip", "timeot": 1, "fallback": "b" } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (2 problems):
        /project/gemba.config.json:1:60  pools.a.timeot: unknown field; did you mean "timeout"?
        /project/gemba.config.json:1:85  pools.a.fallback: "b" is not a pool of this file; known: a
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
