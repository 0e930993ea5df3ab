import { describe, expect, test } from 'vitest';
import { type ClientFactory, loadClient } from '../../../src/redis/client.ts';
import { StoreTimeoutError, reasonOf } from '../../../src/redis/failures.ts';
import { readServer } from '../../../src/redis/server.ts';
import { openStore } from '../../../src/redis/store.ts';

const failed = (code: string): Error =>
  Object.assign(new Error(`connect ${code} user:geheim@host`), { code });

describe('why a server cannot be used', () => {
  test.each([
    [failed('ECONNREFUSED'), 'the connection was refused (ECONNREFUSED)'],
    [failed('ENOTFOUND'), 'its name is unknown (ENOTFOUND)'],
    [
      failed('DEPTH_ZERO_SELF_SIGNED_CERT'),
      'its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); ' +
        'NODE_EXTRA_CA_CERTS can name a file with its authority',
    ],
    [failed('EPROTO'), 'the connection failed (EPROTO)'],
    [
      new Error('WRONGPASS invalid username-password pair'),
      'it refuses the user or the password (WRONGPASS)',
    ],
    [new Error('NOAUTH HELLO must be called with …'), 'it asks for a password (NOAUTH)'],
    [new Error('LOADING Redis is loading'), 'it is still loading its data (LOADING)'],
    [new Error('READONLY You can not write'), 'it is a replica and takes no writes (READONLY)'],
    [new Error('OOM command not allowed'), 'its memory is full (OOM)'],
    [new Error("ERR unknown command 'HELLO'"), 'it is too old: Redis 6.2 or later is needed'],
    [new Error('ERR DB index is out of range'), 'it has no database of that number'],
    [
      new Error("ERR The user executing the script can't run this command or subcommand script: 0a1b"),
      expect.stringMatching(/^its user lacks rights: .*\+time .*\(NOPERM\)$/),
    ],
    [new Error('ERR geheim'), 'it answered with an error (ERR)'],
    [new Error('Socket closed unexpectedly'), 'the connection was closed'],
    [new StoreTimeoutError(2_000), 'it gave no answer within 2 s'],
    ['geheim', 'the connection failed'],
  ])('%s is told as: %s', (error, reason) => expect(reasonOf(error)).toEqual(reason));
});

describe('a server by its INFO', () => {
  const info = (...lines: string[]): string => ['redis_version:7.0.15', 'run_id:abc', ...lines].join('\r\n');

  test('is known by its run id, and is up for certain a second less than it says', () => {
    expect(readServer(info('uptime_in_seconds:61', 'role:master', 'second_repl_offset:-1'))).toEqual({
      run: 'abc',
      upMs: 60_000,
      promoted: false,
      notices: [],
    });
  });

  test('that was a replica before says so', () => {
    expect(readServer(info('second_repl_offset:4711')).promoted).toBe(true);
  });

  test('may do without the fields that a proxy leaves out', () => {
    expect(readServer('redis_version:6.2.0')).toMatchObject({ run: 'unnamed', upMs: 0, promoted: false });
  });

  test('that evicts leases is worth a notice, unless its memory has no limit', () => {
    expect(readServer(info('maxmemory:0', 'maxmemory_policy:allkeys-lru')).notices).toEqual([]);
    expect(readServer(info('maxmemory:1000', 'maxmemory_policy:volatile-lru')).notices).toEqual([]);
    expect(readServer(info('maxmemory:1000', 'maxmemory_policy:allkeys-lru')).notices).toMatchInlineSnapshot(`
      [
        "The store evicts keys when its memory is full (maxmemory-policy allkeys-lru), leases among them: set noeviction, or a policy whose name begins with "volatile".",
      ]
    `);
  });

  test.each(['6.0.20', '5.0.14', ''])('of version "%s" is too old', (version) => {
    expect(() => readServer(`redis_version:${version}`)).toThrow(
      /and 6\.2 or later is needed \(or Valkey\)$/,
    );
  });
});

describe('opening a store', () => {
  const options = {
    url: 'redis://ci:geheim@cache.test:6390',
    project: 'shop',
    broker: 'broker',
    leaseTtlMs: 1_000,
    onWake: () => undefined,
    onFact: () => undefined,
    onState: () => undefined,
    onLost: () => undefined,
    onProved: () => undefined,
  };
  const answering =
    (text: string): ClientFactory =>
    () => ({
      connect: () => Promise.resolve(),
      sendCommand: () => Promise.resolve(text),
      subscribe: () => Promise.resolve(),
      on: () => undefined,
      destroy: () => undefined,
    });

  test('names host and port of a server that is too old, and nothing else of the address', async () => {
    const opening = openStore({ ...options, client: answering('redis_version:6.0.16') });
    await expect(opening).rejects.toMatchObject({ code: 'GEMBA_STORE_UNREACHABLE' });
    await expect(opening).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GembaError: The store at cache.test:6390 cannot be used: it is Redis 6.0.16, and 6.2 or later is needed (or Valkey). Start or repair it, or correct "store" in gemba.config.json or GEMBA_STORE. (GEMBA_STORE_UNREACHABLE)]`,
    );
  });

  test('says what to install where the client is missing', async () => {
    const missing = new Error("Cannot find package '@redis/client'");
    const loading = loadClient(() => Promise.reject(missing));
    await expect(loading).rejects.toMatchObject({ code: 'GEMBA_STORE_CLIENT_MISSING', cause: missing });
    await expect(loading).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GembaError: A store at redis:// needs the package "@redis/client", which cannot be loaded here. Run: npm install --save-dev @redis/client (GEMBA_STORE_CLIENT_MISSING)]`,
    );
  });
});
