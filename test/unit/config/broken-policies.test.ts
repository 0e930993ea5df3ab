import { describe, expect, test } from 'vitest';
import { refusal, withPool } from './project.ts';

describe('A wrong policy is refused with what it must be:', () => {
  test('a duration without unit', () => {
    expect(refusal(withPool('"timeout": "5"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:67  pools.api.timeout: must be a duration: a number of milliseconds, or a string such as "500ms", "5s", "2m", "1h"; found "5"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a negative duration', () => {
    expect(refusal(withPool('"timeout": -5'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:67  pools.api.timeout: must be a duration: a number of milliseconds, or a string such as "500ms", "5s", "2m", "1h"; found -5
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a duration in days', () => {
    expect(refusal(withPool('"acquireTimeout": "1d"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:74  pools.api.acquireTimeout: must be a duration: a number of milliseconds, or a string such as "500ms", "5s", "2m", "1h"; found "1d"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a duration of nothing', () => {
    expect(refusal(withPool('"leaseTtl": 0, "timeout": "0s"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (2 problems):
        /project/gemba.config.json:1:68  pools.api.leaseTtl: must be more than 0; found 0
        /project/gemba.config.json:1:82  pools.api.timeout: must be more than 0; found "0s"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a duration that no timer holds', () => {
    expect(refusal(withPool('"ejection": { "max": "1000h" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:77  pools.api.ejection.max: must be at most 596h; found "1000h"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an ejection that shrinks', () => {
    expect(refusal(withPool('"ejection": { "base": "20m" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:78  pools.api.ejection.base: must not be longer than "max"; found "20m"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an unknown protocol, rotation, routing', () => {
    expect(refusal(withPool('"protocol": "htp", "rotation": "robin", "routing": 1'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:68  pools.api.protocol: must be one of "http", "openai", "gemini", "anthropic", "azure-openai"; found "htp"
        /project/gemba.config.json:1:87  pools.api.rotation: must be one of "round-robin", "least-busy", "success-rate", "random"; found "robin"
        /project/gemba.config.json:1:107  pools.api.routing: must be one of "success-rate", "round-robin", "least-busy", "priority"; found 1
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('broken numbers', () => {
    expect(refusal(withPool('"maxFailures": 0, "maxRetries": 1.5, "retryBudget": 2'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /project/gemba.config.json:1:71  pools.api.maxFailures: must be an integer of 1 or more; found 0
        /project/gemba.config.json:1:88  pools.api.maxRetries: must be an integer of 0 or more; found 1.5
        /project/gemba.config.json:1:108  pools.api.retryBudget: must be a share from 0 to 1; found 2
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an unknown way of auth', () => {
    expect(refusal(withPool('"auth": "beerer"'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:64  pools.api.auth: must be "bearer", "basic", "none", { "header": "name" }, { "query": "name" } or { "oauth2": { … } }
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an auth with two ways', () => {
    expect(refusal(withPool('"auth": { "header": "a", "query": "b" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:64  pools.api.auth: must have one of "header", "query" and "oauth2"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('an auth with a wrong header', () => {
    expect(refusal(withPool('"auth": { "header": "x key" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:76  pools.api.auth.header: must be the name of a header
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('a misspelt auth', () => {
    expect(refusal(withPool('"auth": { "heder": "x-key" }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:66  pools.api.auth.heder: unknown field; did you mean "header"?
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('rules without condition or result', () => {
    expect(
      refusal(withPool('"classify": [{ "as": "ok" }, { "status": 429 }, { "status": 42, "as": "fine" }]')),
    ).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (4 problems):
        /project/gemba.config.json:1:69  pools.api.classify[0]: must have a "status" or a "body"
        /project/gemba.config.json:1:85  pools.api.classify[1].as: is missing; it must be one of "ok", "auth", "session", "rate-limit", "exhausted", "server", "timeout", "network", "caller"
        /project/gemba.config.json:1:116  pools.api.classify[2].status: must be a status from 100 to 599; found 42
        /project/gemba.config.json:1:126  pools.api.classify[2].as: must be one of "ok", "auth", "session", "rate-limit", "exhausted", "server", "timeout", "network", "caller"; found "fine"
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});
