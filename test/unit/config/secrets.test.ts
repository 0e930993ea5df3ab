import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/problems.ts';
import { secretsOf } from '../../../src/config/secrets.ts';
import { FULL } from './full.ts';
import { loadValue } from './project.ts';

const CANARY = 'canary-5d1c7';
type Json = null | string | number | boolean | Json[] | { [name: string]: Json };

/** Every copy of a value in which one part is something else, with the path of that part. */
function* mutants(value: Json, parts: readonly Json[], path = ''): Generator<{ path: string; config: Json }> {
  for (const config of parts) yield { path, config };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    for (const mutant of mutants(part, parts, `${path}.${name}`)) {
      const copy = structuredClone(value) as { [name: string]: Json };
      copy[name] = mutant.config;
      yield { path: mutant.path, config: copy };
    }
  }
}

function messageOf(value: Json): string {
  try {
    loadValue(value, { V: CANARY });
    return '';
  } catch (error) {
    // Anything but our own error would be a defect, and shows with its stack.
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('Whatever is wrong in a configuration', () => {
  const parts = [
    null,
    0,
    -1,
    1.5,
    true,
    '',
    CANARY,
    `\${V}`,
    `${CANARY} x`,
    `http://user:${CANARY}@proxy:3128/?key=${CANARY}`,
    `user:${CANARY}@proxy:3128`,
    [],
    [CANARY],
    {},
    { value: CANARY },
    { [CANARY]: CANARY },
  ];
  const found = [...mutants(FULL as unknown as Json, parts)]
    .map(({ path, config }) => ({ path, message: messageOf(config) }))
    .filter(({ message }) => message !== '');

  test('is reported in our words', () => {
    const messages = found.map(({ message }) => message);
    expect(messages.length).toBeGreaterThan(500);
    const strange = /invalid input|expected|unrecognized|too (small|big)|undefined|NaN|\[object|\{found\}/i;
    expect(messages.filter((message) => strange.test(message))).toEqual([]);
    expect(
      messages.filter(
        (message) =>
          !/^gemba\.config\.json is not valid \(\d+ problems?\):\n( {2}\/\S+:\d+:\d+ {2}.+\n)+\(GEMBA_CONFIG_INVALID\)$/.test(
            message,
          ),
      ),
    ).toEqual([]);
  });

  test('is reported without a secret', () => {
    const isSecret = /\.keys$|\.keys\.\d+(\.(value|fields(\.password)?))?$|\.auth|\.headers\./;
    const secret = found.filter(({ path }) => isSecret.test(path));
    expect(secret.length).toBeGreaterThan(60);
    // A name that is not known is shown: that is how one finds it.
    const bare = secret.map(({ message }) => message.replaceAll(/\S+: unknown field.*/g, ''));
    expect(bare.filter((message) => message.includes(CANARY))).toEqual([]);
  });

  test('is reported without the logins and queries of addresses', () => {
    const addresses = found.filter(({ path }) => /\.(store|proxy|url|endpoints\.\d+)$/.test(path));
    const quoted = addresses.map(({ message }) => message).filter((message) => message.includes('@'));
    expect(quoted.length).toBeGreaterThan(3);
    expect(quoted.filter((message) => message.includes(CANARY))).toEqual([]);
  });

  test('is quoted where it is not secret, and by its name where it is a variable', () => {
    const all = found.map(({ message }) => message).join('\n');
    expect(all).toContain(`pools.api.timeout: must be a duration: a number of milliseconds, or a string`);
    expect(all).toContain(`found "${CANARY} x"`);
    expect(all).toContain('found "${V}"');
  });
});

test('The secrets of a configuration are values, fields but for username and email, headers, and logins', () => {
  const config = loadValue({
    store: 'rediss://user:store-password@host',
    pools: {
      api: {
        endpoints: [
          { url: 'https://a.test', proxy: 'http://u:proxy-password@p:1', headers: { 'x-t': 'in-a-header' } },
        ],
        keys: [
          { name: 'a', value: 'a-value', fields: { username: 'ada', email: 'a@b.test', tenant: 'a-tenant' } },
          { name: 'b', fields: { username: 'bob', password: 'b-password' } },
        ],
      },
    },
  });
  expect(secretsOf(config).map(({ name, value }) => `${name}: ${value}`)).toEqual([
    'api/a: a-value',
    'api/a (tenant): a-tenant',
    'api/b (password): b-password',
    'api/a.test (its proxy): proxy-password',
    'api/a.test (header x-t): in-a-header',
    'store: store-password',
  ]);
});
