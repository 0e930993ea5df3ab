import { describe, expect, test } from 'vitest';
import { load, loadValue, refusal } from './project.ts';

const CANARY = 'canary-7f3a9';

describe('A variable', () => {
  test('is filled in wherever a text stands', () => {
    const text =
      '{ "store": "redis://${HOST}:${PORT}/0", "pools": { "api": { "endpoints": ["https://${HOST}/v1"], "keys": [{ "value": "${KEY}", "labels": { "role": "${ROLE}" } }], "timeout": "${TIMEOUT}" } } }';
    const config = load(text, { HOST: 'h.test', PORT: '1234', KEY: 'a${NO}b', ROLE: 'admin', TIMEOUT: '7s' });
    expect(config.store).toBe('redis://h.test:1234/0');
    expect(config.pools['api']).toMatchObject({
      endpoints: [{ name: 'h.test', url: 'https://h.test/v1' }],
      keys: [{ value: 'a${NO}b', labels: { role: 'admin' } }],
      timeout: 7000,
    });
  });

  test.each([
    ['$${NAME}', '${NAME}'],
    ['a$${', 'a${'],
    ['$$${NAME}', '$${NAME}'],
    ['$1 $& {}', '$1 $& {}'],
    ['${A}$${A}${A}', '$&${A}$&'],
  ])('is not meant by %s', (text, value) => {
    const { pools } = loadValue({ pools: { api: { keys: [text] } } }, { A: '$&' });
    expect(pools['api']?.keys[0]?.value).toBe(value);
  });

  test('must be set, wherever it stands', () => {
    const text = `{
  "name": "\${NAME}",
  "pools": {
    "api": {
      "endpoints": ["https://\${HOST}/\${PATH_}", { "url": "\${EMPTY}" }],
      "keys": ["\${KEY}", "\${KEY}", { "value": "\${KEY}-\${KEY}", "endpoints": ["h.test"] }],
      "auth": "basic",
      "whenEmpty": "\${WHEN}",
      "timeout": "\${TIMEOUT}"
    },
    "more": { "keys": { "fromEnv": "KEYS" } }
  }
}`;
    expect(refusal(text, { EMPTY: '', KEYS: '' })).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (10 problems):
        /project/gemba.config.json:2:11  name: the variable NAME is not set; set it
        /project/gemba.config.json:5:21  pools.api.endpoints[0]: the variable HOST is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:5:21  pools.api.endpoints[0]: the variable PATH_ is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:5:58  pools.api.endpoints[1].url: the variable EMPTY is empty; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:6:16  pools.api.keys[0]: the variable KEY is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:6:26  pools.api.keys[1]: the variable KEY is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:6:47  pools.api.keys[2].value: the variable KEY is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:8:20  pools.api.whenEmpty: the variable WHEN is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:9:18  pools.api.timeout: the variable TIMEOUT is not set; set it, or say "whenUnset": "skip" in this pool
        /project/gemba.config.json:11:36  pools.more.keys.fromEnv: the variable KEYS is empty; set it, or say "whenUnset": "skip" in this pool
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('is not found by the names that all objects have', () => {
    expect(refusal('{ "pools": { "api": { "keys": ["${constructor}", "${__proto__}"] } } }'))
      .toMatchInlineSnapshot(`
        "gemba.config.json is not valid (2 problems):
          /project/gemba.config.json:1:32  pools.api.keys[0]: the variable constructor is not set; set it, or say "whenUnset": "skip" in this pool
          /project/gemba.config.json:1:50  pools.api.keys[1]: the variable __proto__ is not set; set it, or say "whenUnset": "skip" in this pool
        (GEMBA_CONFIG_INVALID)"
      `);
  });

  test('has a name', () => {
    expect(
      refusal('{ "pools": { "api": { "keys": ["${}", "${A-B}", "${A:-default}", "${A"] } } }', { A: CANARY }),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:32  pools.api.keys[0]: has a "\${" that is not a variable; write \${NAME} or \${NAME:-default}, or $\${ for the characters themselves
        /project/gemba.config.json:1:39  pools.api.keys[1]: has a "\${" that is not a variable; write \${NAME} or \${NAME:-default}, or $\${ for the characters themselves
        /project/gemba.config.json:1:66  pools.api.keys[3]: has a "\${" that is not a variable; write \${NAME} or \${NAME:-default}, or $\${ for the characters themselves
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('is named, never shown, where its value is wrong', () => {
    const text = `{
  "store": "\${V}",
  "pools": {
    "api": {
      "endpoints": ["\${V}", { "name": "a b \${V}", "url": "https://\${V}@a.test", "health": "\${V}" }],
      "keys": [{ "name": "\${V}", "value": "\${V}\\n", "endpoints": ["\${V}"] }, { "name": "\${V}", "value": "\${V}" }],
      "protocol": "\${V}",
      "timeout": "\${V}",
      "fallback": "\${V}",
      "rpm\${V}": 1
    }
  }
}`;
    const message = refusal(text, { V: CANARY });
    expect(message).not.toContain(CANARY);
    expect(message).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (11 problems):
        /project/gemba.config.json:2:12  store: must be "local" or a Redis address, such as "redis://host:6379/0"; found "\${V}"
        /project/gemba.config.json:5:21  pools.api.endpoints[0]: must be an absolute http or https address, such as "https://api.example.test"; found "\${V}"
        /project/gemba.config.json:5:39  pools.api.endpoints[1].name: must be a name of letters, digits and . _ : @ - (no space, slash or comma); found "a b \${V}"
        /project/gemba.config.json:5:58  pools.api.endpoints[1].url: must not hold a user name or password; put them in "keys", with "auth": "basic"; found "…@a.test"
        /project/gemba.config.json:5:91  pools.api.endpoints[1].health: must be a path that begins with "/", such as "/healthz"; found "\${V}"
        /project/gemba.config.json:6:43  pools.api.keys[0].value: must fit into a header: no line break, no space at its ends, no character beyond Latin-1 (the value comes from V)
        /project/gemba.config.json:6:88  pools.api.keys[1].name: "\${V}" is the name of keys[0], too; give it another "name"
        /project/gemba.config.json:7:19  pools.api.protocol: must be one of "http", "openai", "gemini", "anthropic", "azure-openai"; found "\${V}"
        /project/gemba.config.json:8:18  pools.api.timeout: must be a duration: a number of milliseconds, or a string such as "500ms", "5s", "2m", "1h"; found "\${V}"
        /project/gemba.config.json:9:19  pools.api.fallback: "\${V}" is not a pool of this file; known: api
        /project/gemba.config.json:10:7  pools.api["rpm\${V}"]: unknown field; known: endpoints, keys, protocol, auth, models, rotation, routing, scope, maxFailures, maxRetries, timeout, acquireTimeout, leaseTtl, ejection, retryBudget, failover, classify, whenEmpty, fallback, whenUnset
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
