import { describe, expect, test } from 'vitest';
import { refusal, withPool } from './project.ts';

describe('Endpoints and pools that do not fit are refused:', () => {
  test('addresses that are none', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": ["a.test", "ftp://a.test", "https:a.test", "https://a b.test", { "url": "" }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (5 problems):
        /project/gemba.config.json:1:37  pools.api.endpoints[0]: must be an absolute http or https address, such as "https://api.example.test"; found "a.test"
        /project/gemba.config.json:1:47  pools.api.endpoints[1]: must be an absolute http or https address, such as "https://api.example.test"; found "ftp://a.test"
        /project/gemba.config.json:1:63  pools.api.endpoints[2]: must be an absolute http or https address, such as "https://api.example.test"; found "https:a.test"
        /project/gemba.config.json:1:79  pools.api.endpoints[3]: must be an absolute http or https address, such as "https://api.example.test"; found "https://a b.test"
        /project/gemba.config.json:1:108  pools.api.endpoints[4].url: must be an absolute http or https address, such as "https://api.example.test"; found ""
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an address with more than an address', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": ["https://qa:secret@a.test", "https://b.test/?key=secret", "https://c.test/#top"] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:37  pools.api.endpoints[0]: must not hold a user name or password; put them in "keys", with "auth": "basic"; found "…@a.test"
        /project/gemba.config.json:1:65  pools.api.endpoints[1]: must not hold a query; a key in a query belongs in "keys"; found "https://b.test/?…"
        /project/gemba.config.json:1:95  pools.api.endpoints[2]: must not hold a fragment (#…); found "https://c.test/#…"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an endpoint without address', () => {
    expect(refusal('{ "pools": { "api": { "endpoints": [{ "name": "eu" }] } } }')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:37  pools.api.endpoints[0].url: is missing; it must be an absolute http or https address, such as "https://api.example.test"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('endpoints of wrong types', () => {
    expect(refusal('{ "pools": { "api": { "endpoints": [5, null, ["https://a.test"]] } } }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (3 problems):
          /project/gemba.config.json:1:37  pools.api.endpoints[0]: must be an address in quotes or an object with "url"; found 5
          /project/gemba.config.json:1:40  pools.api.endpoints[1]: must be an address in quotes or an object with "url"; found null
          /project/gemba.config.json:1:46  pools.api.endpoints[2]: must be an address in quotes or an object with "url"; found an array
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('headers that do not fit', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": [{ "url": "https://a.test", "headers": { "x y": "1", "Host": "b", "Authorization": "secret-1", "x-a": "secret\\nb", "x-b": 1 } }], "keys": ["k"] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (5 problems):
        /project/gemba.config.json:1:77  pools.api.endpoints[0].headers["x y"]: must be the name of a header
        /project/gemba.config.json:1:89  pools.api.endpoints[0].headers.Host: is a header that only the connection sets
        /project/gemba.config.json:1:102  pools.api.endpoints[0].headers.Authorization: is the header of the key; set another "auth", or leave this one out
        /project/gemba.config.json:1:138  pools.api.endpoints[0].headers.x-a: must fit into a header: no line break, no space at its ends, no character beyond Latin-1
        /project/gemba.config.json:1:158  pools.api.endpoints[0].headers.x-b: must be a string
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a wrong health, proxy and priority', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": [{ "url": "https://a.test", "health": "healthz", "proxy": "proxy:3128", "priority": -1 }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:74  pools.api.endpoints[0].health: must be a path that begins with "/", such as "/healthz"; found "healthz"
        /project/gemba.config.json:1:94  pools.api.endpoints[0].proxy: must be the http or https address of a proxy, such as "http://proxy:3128"; found "proxy:3128"
        /project/gemba.config.json:1:120  pools.api.endpoints[0].priority: must be an integer of 0 or more; found -1
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a health path of another host', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": [{ "url": "https://a.test", "health": "//b.test/healthz" }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:74  pools.api.endpoints[0].health: must be a path that begins with "/", such as "/healthz"; found "//b.test/healthz"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('names with a slash, a comma, a space', () => {
    expect(
      refusal(
        '{ "pools": { "a/b": { "endpoints": [{ "name": "eu, us", "url": "https://a.test" }], "keys": [{ "name": "a b", "value": "a" }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:14  pools["a/b"]: must be a name of letters, digits and . _ : @ - (no space, slash or comma)
        /project/gemba.config.json:1:47  pools["a/b"].endpoints[0].name: must be a name of letters, digits and . _ : @ - (no space, slash or comma); found "eu, us"
        /project/gemba.config.json:1:104  pools["a/b"].keys[0].name: must be a name of letters, digits and . _ : @ - (no space, slash or comma); found "a b"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('two endpoints of one address', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": ["https://a.test", { "name": "eu", "url": "https://a.test/" }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:78  pools.api.endpoints[1].url: "eu" has the address of "a.test" (endpoints[0]); list each endpoint once
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('two endpoints of one host', () => {
    expect(refusal('{ "pools": { "api": { "endpoints": ["https://a.test/one", "https://a.test/two"] } } }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (1 problem):
          /project/gemba.config.json:1:59  pools.api.endpoints[1]: "a.test" is the name of endpoints[0], too; give it another "name"
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('two endpoints of one name', () => {
    expect(
      refusal(
        '{ "pools": { "api": { "endpoints": [{ "name": "eu", "url": "https://a.test" }, { "name": "eu", "url": "https://b.test" }] } } }',
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:90  pools.api.endpoints[1].name: "eu" is the name of endpoints[0], too; give it another "name"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a fallback that is missing', () => {
    expect(refusal(withPool('"whenEmpty": "fallback"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:69  pools.api.whenEmpty: needs "fallback", the name of the pool that is used instead
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a fallback that is no pool', () => {
    expect(refusal(withPool('"fallback": "api-dr"', ', "api-d": { "keys": ["a"] }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:68  pools.api.fallback: "api-dr" is not a pool of this file; did you mean "api-d"?
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a fallback to itself', () => {
    expect(refusal(withPool('"fallback": "api"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:68  pools.api.fallback: must be the name of another pool; found "api"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('fallbacks in a circle', () => {
    expect(
      refusal(
        withPool(
          '"fallback": "b"',
          ', "b": { "keys": ["b"], "fallback": "c" }, "c": { "keys": ["c"], "fallback": "b" }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:109  pools.b.fallback: leads back to this pool: b → c → b
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
