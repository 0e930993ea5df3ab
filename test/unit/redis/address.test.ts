import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/redis/address.ts';
import { keysOf } from '../../../src/redis/keys.ts';

describe('the address of a store', () => {
  test('has defaults for all but the host', () => {
    expect(parseAddress('redis://cache.test')).toEqual({
      host: 'cache.test',
      port: 6379,
      tls: false,
      username: undefined,
      password: undefined,
      database: 0,
      shown: 'cache.test:6379',
    });
  });

  test('carries user, password, port, database and TLS', () => {
    expect(parseAddress('rediss://ci:p%40ss%2Fw%3Ard@[::1]:6390/12')).toEqual({
      host: '::1',
      port: 6390,
      tls: true,
      username: 'ci',
      password: 'p@ss/w:rd',
      database: 12,
      shown: '[::1]:6390',
    });
  });

  test.each([
    'local',
    'http://:geheim@cache.test',
    'redis://:geheim@',
    'redis://:geheim@cache.test/shop',
    'redis://:geheim%zz@cache.test',
    'redis://:geheim@cache.test:99999',
  ])('is refused as %s without showing it', (url) => {
    expect(() => parseAddress(url)).toThrowErrorMatchingInlineSnapshot(
      `[GembaError: The store must be an address such as "redis://host:6379/0" or "rediss://user:password@host:6379/0", with special characters of user and password percent-encoded. Correct "store" in gemba.config.json, or GEMBA_STORE. (GEMBA_STORE_UNREACHABLE)]`,
    );
  });
});

test('a project name never breaks the hash tag, and databases have channels of their own', () => {
  expect(keysOf('@shop/{web} 100%', 3)).toMatchObject({
    epoch: 'gemba:{@shop/%7Bweb%7D%20100%25}:epoch',
    wakeChannel: 'gemba:{@shop/%7Bweb%7D%20100%25}:3:wake',
  });
});
