import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { brokerSourceOf } from '../../../src/config/broker-source.ts';
import { loadGembaConfig } from '../../../src/config/index.ts';
import { readSource } from '../../../src/config/layers.ts';
import { checkSource } from '../../../src/config/load.ts';
import type { LoadedConfig, PoolConfig } from '../../../src/config/types.ts';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gemba-layers-')));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes files by name; values as JSON. */
function write(files: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

function load(name: string, env: Record<string, string> = {}): LoadedConfig {
  return loadGembaConfig(join(folder, name), { env });
}

function api(name: string, env: Record<string, string> = {}): PoolConfig {
  return load(name, env).pools['api']!;
}

function refusal(name: string, env: Record<string, string> = {}): string {
  try {
    load(name, env);
  } catch (error) {
    return (error as Error).message.replaceAll(folder, '');
  }
  throw new Error('the configuration was accepted');
}

const BASE = {
  name: 'shop',
  store: 'redis://base:6379',
  gate: { product: 'fail', degraded: 'fail' },
  pools: {
    api: {
      endpoints: [
        'https://eu.example.test',
        { name: 'us', url: 'https://us.example.test', weight: 2, rpm: 60 },
      ],
      keys: [
        { name: 'ci-1', value: 'one', labels: { role: 'admin', team: 'a' } },
        { name: 'ci-2', value: 'two' },
      ],
      maxRetries: 1,
      ejection: { base: '1s', max: '2s' },
    },
    other: { keys: ['x'] },
  },
};

describe('A configuration that extends another', () => {
  test('merges pools and named members in the order of the base, and replaces other values', () => {
    write({
      'base.json': BASE,
      'staging.json': {
        extends: './base.json',
        store: 'local',
        gate: { product: 'warn' },
        pools: {
          api: {
            endpoints: [
              { name: 'apac', url: 'https://apac.example.test' },
              { name: 'us', weight: 0 },
              { name: 'eu.example.test', health: '/healthz' },
            ],
            keys: [
              { name: 'ci-2', value: 'second', maxConcurrent: 1 },
              'a-third',
              { name: 'ci-1', labels: { role: 'qa' } },
            ],
            ejection: { base: '3s' },
          },
          more: { keys: ['m'] },
        },
      },
    });
    const config = load('staging.json');
    expect([config.name, config.store, config.gate.product, config.gate.degraded]).toEqual([
      'shop',
      'local',
      'warn',
      'warn',
    ]);
    expect(Object.keys(config.pools)).toEqual(['api', 'other', 'more']);
    const { endpoints, keys, maxRetries, ejection } = config.pools['api']!;
    expect(endpoints.map(({ name, weight, rpm, health }) => [name, weight, rpm, health])).toEqual([
      ['eu.example.test', 1, undefined, '/healthz'],
      ['us', 0, 60, undefined],
      ['apac', 1, undefined, undefined],
    ]);
    expect(keys.map(({ name, value, labels }) => [name, value, labels])).toEqual([
      ['ci-1', 'one', { role: 'qa' }],
      ['ci-2', 'second', {}],
      ['key-3', 'a-third', {}],
    ]);
    expect([maxRetries, ejection]).toEqual([1, { base: 3000, max: 600_000 }]);
    expect(config.layers).toEqual([join(folder, 'staging.json'), join(folder, 'base.json')]);
  });

  test('may extend several, of which the last counts most, and each of which may extend others', () => {
    const rates = (maxRetries: number, more: object = {}): object => ({
      pools: { api: { maxRetries, ...more } },
    });
    write({
      'root/base.json': { pools: { api: { keys: ['k'], maxRetries: 1, maxFailures: 1, timeout: 1 } } },
      'root/a.json': { extends: 'base.json', ...rates(2, { maxFailures: 2 }) },
      'root/b.json': { extends: ['./base.json'], ...rates(3) },
      'gemba.config.json': { extends: ['root/a.json', './root/b.json'] },
    });
    // What a says holds where b does not say it itself: the base lies below both.
    expect(api('gemba.config.json')).toMatchObject({ maxRetries: 3, maxFailures: 2, timeout: 1 });
    expect(load('gemba.config.json').layers.map((file) => file.slice(folder.length + 1))).toEqual([
      'gemba.config.json',
      'root/a.json',
      'root/base.json',
      'root/b.json',
    ]);
  });

  test('replaces keys by a variable, and a variable by keys', () => {
    write({
      'list.json': { pools: { api: { keys: { fromEnv: 'KEYS' } } } },
      'keys.json': { extends: './list.json', pools: { api: { keys: ['own'] } } },
      'again.json': { extends: './keys.json', pools: { api: { keys: { fromEnv: 'KEYS' } } } },
    });
    expect(api('keys.json').keys.map(({ value }) => value)).toEqual(['own']);
    expect(api('again.json', { KEYS: 'a,b' }).keys.map(({ value }) => value)).toEqual(['a', 'b']);
  });

  test('is another revision when any of its files changes', () => {
    write({ 'base.json': BASE, 'top.json': { extends: './base.json' } });
    const before = load('top.json').revision;
    write({ 'base.json': { ...BASE, retryTests: 'environment' } });
    const after = load('top.json');
    expect([after.revision === before, after.retryTests]).toEqual([false, 'environment']);
  });

  test('names the file that contains a fault, with its place and path there', () => {
    write({
      'base.json': `{
  "pools": {
    "api": {
      "endpoints": [{ "name": "eu", "url": "https://eu.test" }, { "name": "us", "url": "us.test" }],
      "keys": ["\${KEY}"],
      "maxRetries": "three"
    }
  }
}`,
      'top.json': `{
  "extends": "./base.json",
  "pools": {
    "api": {
      "endpoints": [{ "name": "us", "wieght": 1 }, { "name": "usa", "weight": -1 }]
    }
  }
}`,
    });
    expect(refusal('top.json')).toMatchInlineSnapshot(`
      "top.json is not valid (6 problems):
        /base.json:4:88  pools.api.endpoints[1].url: must be an absolute http or https address, such as "https://api.example.test"; found "us.test"
        /base.json:5:16  pools.api.keys[0]: the variable KEY is not set; set it, or say "whenUnset": "skip" in this pool
        /base.json:6:21  pools.api.maxRetries: must be an integer of 0 or more; found "three"
        /top.json:5:37  pools.api.endpoints[0].wieght: unknown field; did you mean "weight"?
        /top.json:5:52  pools.api.endpoints[1].url: is missing; it must be an absolute http or https address, such as "https://api.example.test"
        /top.json:5:79  pools.api.endpoints[1].weight: must be 0, or a number from 0.0001 to 1000000; found -1
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('reports a base that is missing, broken, or leads back', () => {
    write({
      'missing.json': '{\n  "extends": ["./base.json", "./none.json"]\n}',
      'base.json': { extends: './missing.json', pools: { api: { keys: ['a'] } } },
      'wrong.json': { extends: ['./list.json', 5, '${BASE}.json', './broken.json'] },
      'list.json': [],
      'broken.json': '{ "pools": ',
      'shape.json': { extends: './list.json', pools: { api: { keys: ['a'] } } },
      'self.json': { extends: './self.json' },
    });
    expect([refusal('missing.json'), refusal('wrong.json'), refusal('shape.json'), refusal('self.json')])
      .toMatchInlineSnapshot(`
        [
          "missing.json is not valid (2 problems):
          /base.json:1:12  extends: leads back to this file: /missing.json → /base.json → /missing.json
          /missing.json:2:30  extends[1]: names /none.json, but there is no such file
        (GEMBA_CONFIG_INVALID)",
          "wrong.json is not valid (3 problems):
          /wrong.json:1:27  extends[1]: must be a path or an array of paths, such as "./base.json"
          /wrong.json:1:29  extends[2]: must not have a variable; to have several environments, write a file for each that extends this one
          /broken.json:1:12  a value is expected here
        (GEMBA_CONFIG_INVALID)",
          "shape.json is not valid (1 problem):
          /list.json:1:1  must be an object: { … }
        (GEMBA_CONFIG_INVALID)",
          "self.json is not valid (1 problem):
          /self.json:1:12  extends: leads back to this file: /self.json → /self.json
        (GEMBA_CONFIG_INVALID)",
        ]
      `);
  });

  test('is checked by a broker, which has no variables', () => {
    write({
      'base.json': {
        pools: { api: { keys: ['${A}', { value: { file: '${DIR}/b' } }], timeout: '${T:-x}' } },
      },
      'top.json': { extends: './base.json', pools: { api: { keys: [{ name: 'c', value: '${C:-}' }] } } },
    });
    expect(() => checkSource(readSource(join(folder, 'top.json')))).not.toThrow();
  });

  test('has its store and name from the file that says them, however broken another is', () => {
    write({
      'base.json': { name: 'shop', store: 'redis://${HOST:-h}:1', pools: {} },
      'top.json': '{ "extends": "./base.json", "pools": ',
    });
    expect(brokerSourceOf(join(folder, 'top.json'), {})).toMatchObject({
      name: 'shop',
      store: 'redis://h:1',
    });
  });
});

describe('A variable with a default', () => {
  test('has the default where it is not set, or empty', () => {
    write({
      'gemba.config.json': {
        pools: {
          api: {
            endpoints: ['https://${HOST:-eu.test}/${PATH_:-}'],
            keys: [{ name: 'k', value: '${KEY:-a:-b $c}' }],
            timeout: '${TIMEOUT:-7s}',
          },
        },
      },
    });
    const unset = api('gemba.config.json');
    expect([unset.endpoints[0]?.url, unset.keys[0]?.value, unset.timeout]).toEqual([
      'https://eu.test/',
      'a:-b $c',
      7000,
    ]);
    const set = api('gemba.config.json', { HOST: 'us.test', PATH_: 'v1', KEY: 'k', TIMEOUT: '' });
    expect([set.endpoints[0]?.url, set.keys[0]?.value, set.timeout]).toEqual([
      'https://us.test/v1',
      'k',
      7000,
    ]);
  });

  test('must not be nested, and is no way to an empty value', () => {
    write({ 'gemba.config.json': { pools: { api: { keys: ['${A:-${B}}', '${C:-}', '${D-x}'] } } } });
    expect(refusal('gemba.config.json')).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (3 problems):
        /gemba.config.json:1:26  pools.api.keys[0]: has a variable in the default of another variable; a default is plain text
        /gemba.config.json:1:39  pools.api.keys[1]: must be a string that is not empty (the value comes from C)
        /gemba.config.json:1:48  pools.api.keys[2]: has a "\${" that is not a variable; write \${NAME} or \${NAME:-default}, or $\${ for the characters themselves
      (GEMBA_CONFIG_INVALID)"
    `);
  });
});

describe('A value in a file', () => {
  const config = {
    pools: {
      api: {
        keys: [
          { name: 'a', value: { file: 'secrets/a' } },
          { name: 'b', fields: { username: 'bob', password: { file: '${DIR}/b' } } },
        ],
      },
    },
  };

  test('is its text without the line end, from a path that starts at the file that names it', () => {
    write({
      'root/base.json': config,
      'gemba.config.json': { extends: 'root/base.json' },
      'root/secrets/a': '\uFEFFvalue of a\r\n',
      'other/b': 'value of b\n\n',
    });
    const { pools, valueFiles } = load('gemba.config.json', { DIR: join(folder, 'other') });
    expect(pools['api']?.keys.map(({ value, fields }) => value ?? fields['password'])).toEqual([
      'value of a',
      'value of b\n',
    ]);
    expect(valueFiles.map(({ path }) => path)).toEqual([
      join(folder, 'root/secrets/a'),
      join(folder, 'other/b'),
    ]);
  });

  test('must exist and hold something', () => {
    write({ 'gemba.config.json': config, 'secrets/a': '\n' });
    expect(refusal('gemba.config.json', { DIR: './none' })).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (2 problems):
        /gemba.config.json:1:46  pools.api.keys[0].value: the file /secrets/a is empty; write the value into it, or say "whenUnset": "skip" in this pool
        /gemba.config.json:1:118  pools.api.keys[1].fields.password: the file /none/b does not exist; write the value into it, or say "whenUnset": "skip" in this pool
      (GEMBA_CONFIG_INVALID)"
    `);
    const skipped = { pools: { api: { ...config.pools.api, whenUnset: 'skip' }, b: { keys: ['k'] } } };
    write({ 'gemba.config.json': skipped });
    expect(load('gemba.config.json').skipped['api']).toBe(
      `the file ${folder}/secrets/a is empty, the variable DIR is not set`,
    );
  });

  test('is known by its content: the same secret twice is one too many', () => {
    const keys = [{ value: { file: 'a' } }, { value: { file: 'b' } }];
    write({ 'gemba.config.json': { pools: { api: { keys } } }, a: 'same\n', b: 'same' });
    expect(refusal('gemba.config.json')).toContain('"key-2" is the same secret as "key-1"');
  });

  test('is not read from what is no file', () => {
    const pools = { api: { keys: [{ value: { file: '/dev/zero' } }, { value: { file: '.' } }] } };
    write({ 'gemba.config.json': { pools } });
    expect(refusal('gemba.config.json')).toContain('the file /dev/zero is not a regular file');
  });
});
