import { describe, expect, test } from 'vitest';
import { availableConfig } from '../../../src/config/available.ts';
import { sourceOf } from '../../../src/config/source.ts';

const FILE = '/p/gemba.config.json';
const UNSET = 'set it, or say "whenUnset": "skip" in this pool';

function available(
  pools: object,
  env: Record<string, string> = {},
  root: object = {},
): ReturnType<typeof availableConfig> {
  const text = JSON.stringify({ name: 'p', ...root, pools });
  return availableConfig(sourceOf([{ path: FILE, text }]), env);
}

describe('What an environment can have of an edit', () => {
  test('is all of it where nothing is missing', () => {
    const config = available({ api: { keys: ['${A}'] } }, { A: 'a-value' });
    expect(config).toMatchObject({ unavailable: {}, problems: [] });
  });

  test('leaves out keys and endpoints, and keeps the names of the others', () => {
    const config = available(
      { api: { endpoints: ['https://eu.test', 'https://${HOST}'], keys: ['${A}', '${B}', '${C}'] } },
      { A: 'a-value', C: 'c-value' },
    );
    const { endpoints, keys } = config.pools['api']!;
    expect([endpoints.map(({ name }) => name), keys.map(({ name }) => name)]).toEqual([
      ['eu.test'],
      ['key-1', 'key-3'],
    ]);
    expect(config.problems).toEqual([
      `${FILE}:1:60  pools.api.endpoints[1]: the variable HOST is not set; ${UNSET}`,
      `${FILE}:1:94  pools.api.keys[1]: the variable B is not set; ${UNSET}`,
    ]);
  });

  test('leaves out a key that works only where nothing is left', () => {
    const keys = [{ value: 'a', endpoints: ['us'] }, { value: 'b' }];
    const endpoints = ['https://eu.test', { name: 'us', url: '${US}' }];
    expect(available({ api: { endpoints, keys } }).pools['api']!.keys.map(({ name }) => name)).toEqual([
      'key-2',
    ]);
  });

  test('leaves out a pool that would have no key any more, or cannot be resolved, and lets others be', () => {
    const config = available(
      {
        api: { endpoints: ['https://eu.test'], keys: ['${A}'] },
        list: { keys: { fromEnv: 'KEYS' } },
        bad: { endpoints: ['${URL}'] },
        well: { keys: ['k'] },
      },
      { URL: 'ftp://secret-place' },
    );
    expect(Object.keys(config.pools)).toEqual(['well']);
    expect(config.unavailable).toEqual({
      api: `the variable A is not set; ${UNSET}`,
      list: `the variable KEYS is not set; ${UNSET}`,
      bad: 'must be an absolute http or https address, such as "https://api.example.test"; found "${URL}"',
    });
    expect(JSON.stringify(config.problems)).not.toContain('secret-place');
  });

  test('has nothing where what concerns all is missing', () => {
    const config = available({ api: { keys: ['k'] } }, {}, { store: '${STORE}' });
    expect(config.pools).toEqual({});
    expect(config.unavailable).toEqual({ api: 'the variable STORE is not set; set it' });
    expect(available({ api: { keys: ['k'] } }, { GEMBA_PIN: 'gone/x' }).unavailable).toHaveProperty('api');
    expect(available({ api: { keys: ['k'] } }, { GEMBA_STORE: 'nonsense' }).unavailable).toHaveProperty(
      'api',
    );
  });

  test('skips what says so', () => {
    const config = available({ api: { keys: ['${A}'], whenUnset: 'skip' } });
    expect([config.skipped, config.problems]).toEqual([{ api: 'the variable A is not set' }, []]);
  });
});
