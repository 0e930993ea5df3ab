import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toPoolSpecs } from '../../../src/config/spec.ts';
import { fingerprint } from '../../../src/shared/fingerprint.ts';
import { FULL } from './full.ts';
import { loadValue } from './project.ts';

function hmac(project: string, text: string): string {
  return createHmac('sha256', project).update(text).digest('hex').slice(0, 16);
}

describe('The pools for the broker', () => {
  test('hold names, limits and fingerprints', () => {
    const [api, spare] = toPoolSpecs(loadValue(FULL));
    expect(api).toMatchInlineSnapshot(`
      {
        "acquireTimeoutMs": 1000,
        "ejection": {
          "baseMs": 500,
          "maxMs": 3600000,
        },
        "endpoints": [
          {
            "enabled": true,
            "id": "31174c4b7fed29bd",
            "maxConcurrent": undefined,
            "name": "eu.example.test",
            "priority": 0,
            "probe": "protocol",
            "rpm": undefined,
            "url": "https://eu.example.test",
            "weight": 1,
          },
          {
            "enabled": false,
            "id": "45793e09b48708fb",
            "maxConcurrent": 8,
            "name": "us",
            "priority": 1,
            "probe": "health",
            "rpm": 600,
            "url": "https://us.example.test/v1",
            "weight": 2,
          },
        ],
        "keys": [
          {
            "daily": undefined,
            "enabled": true,
            "endpoints": undefined,
            "fingerprint": "0be45d2a",
            "id": "0be45d2a0dcc3111",
            "labels": {},
            "maxConcurrent": undefined,
            "name": "key-1",
            "quotaGroup": "0be45d2a0dcc3111",
            "rpm": undefined,
            "tpm": undefined,
            "weight": 1,
          },
          {
            "daily": undefined,
            "enabled": false,
            "endpoints": [
              "us",
            ],
            "fingerprint": "468cd154",
            "id": "468cd154d3ebbe7b",
            "labels": {
              "role": "admin",
            },
            "maxConcurrent": 1,
            "name": "ci-1",
            "quotaGroup": "project-a",
            "rpm": 60,
            "tpm": undefined,
            "weight": 3,
          },
        ],
        "maxFailures": 2,
        "maxRetries": 0,
        "name": "api",
        "protocol": "gemini",
        "retryBudget": 1,
        "revision": "77314e65a1a6",
        "rotation": "random",
        "routing": "priority",
        "timeoutMs": 1500,
      }
    `);
    expect(spare).toMatchObject({
      name: 'api-dr',
      endpoints: [],
      keys: [{ id: hmac('shop', 'other') }],
    });
  });

  test('hold no secret', () => {
    const fields = { username: 'canary-user', password: 'canary-password' };
    const endpoints = [{ url: 'https://a.test', proxy: 'http://canary:canary@proxy:3128' }];
    const keys = ['canary-value', { fields }, { value: 'canary-both', fields }];
    const config = loadValue({ name: 'shop', pools: { api: { endpoints, keys } } });
    expect(JSON.stringify(toPoolSpecs(config))).not.toContain('canary');
  });

  test('know a member by its name and its secret, not by its place', () => {
    const ids = (keys: unknown): string[] =>
      toPoolSpecs(loadValue({ name: 'shop', pools: { api: { keys } } })).flatMap((pool) =>
        pool.keys.map(({ id }) => id),
      );
    const before = ids([
      { name: 'a', value: 'one' },
      { name: 'b', value: 'two' },
    ]);
    const after = ids([
      { name: 'b', value: 'two', rpm: 5 },
      { name: 'a', value: 'three' },
    ]);
    expect(after[0]).toBe(before[1]);
    expect(before).not.toContain(after[1]);
  });

  test('know an endpoint by its address', () => {
    const { pools: _, ...config } = loadValue({ pools: { api: { endpoints: ['https://a.test'] } } });
    const hash = createHash('sha256').update('https://a.test').digest('hex').slice(0, 16);
    const [pool] = toPoolSpecs({ ...config, pools: _ });
    expect(pool?.endpoints[0]?.id).toBe(hash);
  });
});

describe('A fingerprint', () => {
  test('is an HMAC over the value, keyed by the project', () => {
    expect(fingerprint('shop', 'secret')).toBe(hmac('shop', 'secret').slice(0, 8));
    expect(fingerprint('shop', { value: 'secret', fields: { a: 'b' } })).toBe(
      hmac('shop', 'secret').slice(0, 8),
    );
    expect(fingerprint('other', 'secret')).not.toBe(hmac('shop', 'secret').slice(0, 8));
  });

  test('of fields does not know their order', () => {
    const one = fingerprint('shop', { fields: { username: 'qa', password: 'p' } });
    expect(one).toBe(fingerprint('shop', { fields: { password: 'p', username: 'qa' } }));
    expect(one).not.toBe(fingerprint('shop', { fields: { password: 'qa', username: 'p' } }));
  });
});
