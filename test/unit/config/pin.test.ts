import { describe, expect, test } from 'vitest';
import { load, refusal } from './project.ts';

const TEXT = `{
  "pools": {
    "api": {
      "endpoints": ["https://eu.test", { "name": "us", "url": "https://us.test" }],
      "keys": ["a", { "name": "ci-1", "value": "b" }, { "name": "ci-us", "value": "c", "endpoints": ["us"] }]
    },
    "llm": { "keys": ["d", "e"] },
    "staging": { "keys": ["\${STAGING}"], "whenUnset": "skip" }
  }
}`;

function left(pin: string): Record<string, string> {
  const { pools } = load(TEXT, { GEMBA_PIN: pin });
  const names = (members: readonly { name: string }[]): string => members.map(({ name }) => name).join(' ');
  return Object.fromEntries(
    Object.entries(pools).map(([name, { endpoints, keys }]) => [
      name,
      `${names(endpoints)} | ${names(keys)}`,
    ]),
  );
}

describe('GEMBA_PIN', () => {
  test.each<[string, Record<string, string>]>([
    ['', { api: 'eu.test us | key-1 ci-1 ci-us', llm: ' | key-1 key-2' }],
    ['api/us', { api: 'us | key-1 ci-1 ci-us', llm: ' | key-1 key-2' }],
    ['api/eu.test', { api: 'eu.test | key-1 ci-1', llm: ' | key-1 key-2' }],
    ['api/us,api/ci-1', { api: 'us | ci-1', llm: ' | key-1 key-2' }],
    [' api/ci-us , llm/key-2,', { api: 'eu.test us | ci-us', llm: ' | key-2' }],
    ['api/eu.test,api/us', { api: 'eu.test us | key-1 ci-1 ci-us', llm: ' | key-1 key-2' }],
  ])('of %j leaves only what it names', (pin, members) => expect(left(pin)).toEqual(members));

  test('leaves keys the endpoints that are left', () => {
    const text =
      '{ "pools": { "api": { "endpoints": ["https://a.test", "https://b.test"], "keys": [{ "value": "k", "endpoints": ["a.test", "b.test"] }] } } }';
    expect(load(text, { GEMBA_PIN: 'api/b.test' }).pools['api']?.keys[0]?.endpoints).toEqual(['b.test']);
  });

  test('must name members that there are', () => {
    expect(refusal(TEXT, { GEMBA_PIN: 'api/uk,ap/us,api,llm/key-1/x,/us,staging/key-1,api/ci-9' }))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (7 problems):
          /project/gemba.config.json:2:12  GEMBA_PIN: "api" must be POOL/NAME, such as "api/us"
          /project/gemba.config.json:2:12  GEMBA_PIN: "llm/key-1/x" must be POOL/NAME, such as "api/us"
          /project/gemba.config.json:2:12  GEMBA_PIN: "/us" must be POOL/NAME, such as "api/us"
          /project/gemba.config.json:2:12  GEMBA_PIN: there is no pool "ap"; known: "api", "llm"
          /project/gemba.config.json:3:12  GEMBA_PIN: the pool "api" has no "uk"; known: "eu.test", "us", "key-1", "ci-1", "ci-us"
          /project/gemba.config.json:3:12  GEMBA_PIN: the pool "api" has no "ci-9"; known: "eu.test", "us", "key-1", "ci-1", "ci-us"
          /project/gemba.config.json:8:16  GEMBA_PIN: the pool "staging" is left out: the variable STAGING is not set
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('must not leave a pool without a key', () => {
    expect(refusal(TEXT, { GEMBA_PIN: 'api/eu.test,api/ci-us' })).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:3:12  GEMBA_PIN: no key of the pool "api" that is left works at "eu.test"
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
