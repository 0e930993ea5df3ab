import { describe, expect, test } from 'vitest';
import { changesBetween, changeText } from '../../../src/config/edits/changes.ts';
import { fingerprint } from '../../../src/shared/fingerprint.ts';
import type { LoadedConfig } from '../../../src/config/types.ts';
import { loadValue } from './project.ts';

const key = (name: string, more: object = {}): object => ({ name, value: `secret of ${name}`, ...more });

function changed(old: object, next: object, root: readonly [object, object] = [{}, {}]): string[] {
  const before = loadValue({ name: 'shop', ...root[0], pools: { api: old } });
  const after = loadValue({ name: 'shop', ...root[1], pools: { api: next } });
  return changesBetween(before, after).map(changeText);
}

describe('What an edit changed', () => {
  test('is told field by field, with both values', () => {
    expect(
      changed(
        { endpoints: ['https://eu.test'], keys: [key('a', { maxConcurrent: 4 }), key('b')], timeout: '5s' },
        {
          endpoints: ['https://eu.test'],
          keys: [key('a'), key('c', { rpm: 5 })],
          timeout: '2s',
          auth: 'none',
        },
        [{}, { gate: { product: 'fail' }, retryTests: 'environment' }],
      ),
    ).toEqual([
      'retryTests: "all" → "environment"',
      'gate.product: "warn" → "fail"',
      'pools.api.timeout: 5000 → 2000',
      'pools.api.auth: "bearer" → "none"',
      'pools.api.keys.a.maxConcurrent: 4 → none',
      'pools.api.keys.c added',
      'pools.api.keys.b removed',
    ]);
  });

  test('shows a text with variables as the file has it, and no secret that another field repeats', () => {
    const env = { TOKEN: 'value-of-the-key', HOST: 'eu.test' };
    const load = (pool: object): LoadedConfig => loadValue({ name: 'shop', pools: { api: pool } }, env);
    const pool = (endpoint: object, more: object = {}): object => ({
      endpoints: [{ name: 'eu', url: 'https://${HOST}', ...endpoint }],
      keys: [{ name: 'a', value: '${TOKEN}' }],
      ...more,
    });
    const texts = (old: object, next: object): string[] =>
      changesBetween(load(old), load(next)).map(changeText);
    expect(texts(pool({}), pool({ url: 'https://${HOST}/v2', health: '/h?as=${TOKEN}' }))).toEqual([
      'pools.api.endpoints.eu.url: "https://${HOST}" → "https://${HOST}/v2"',
      'pools.api.endpoints.eu.health: none → "/h?as=${TOKEN}"',
    ]);
    expect(
      texts(pool({ proxy: 'http://me:${TOKEN}@proxy.test' }), pool({ name: 'us', proxy: 'http://${HOST}' })),
    ).toEqual([
      'pools.api.endpoints.us.name: "eu" → "us"',
      'pools.api.endpoints.us.proxy: "http://proxy.test" → "http://${HOST}"',
    ]);
    const rule = { status: 401, body: 'no ${TOKEN}', as: 'auth' };
    expect(texts(pool({}), pool({}, { classify: [rule] }))).toEqual([
      'pools.api.classify: [] → [{"status":401,"body":"no ${TOKEN}","as":"auth"}]',
    ]);
    const labelled = pool(
      {},
      { keys: [{ name: 'a', value: '${TOKEN}', labels: { a: 'value-of-the-key' } }] },
    );
    expect(texts(pool({}), labelled)).toEqual(['pools.api.keys.a.labels.a: none → "[key api/a]"']);
  });

  test('is nothing for another order, and a name for another name', () => {
    const [a, b] = [key('a', { rpm: 1 }), key('b')];
    expect(changed({ keys: [a, b] }, { keys: [b, a] })).toEqual([]);
    expect(changed({ keys: [a, b] }, { keys: [b, { ...a, name: 'z' }] })).toEqual([
      'pools.api.keys.z.name: "a" → "z"',
    ]);
    const at = (name: string): object => ({ name, url: 'https://eu.test/v1' });
    expect(changed({ endpoints: [at('eu')] }, { endpoints: [at('eu.west')] })).toEqual([
      'pools.api.endpoints["eu.west"].name: "eu" → "eu.west"',
    ]);
  });

  test('shows a value that comes from a variable by its name, as the file has it', () => {
    const env = { URL: 'https://eu.test/hooks/of-somebody', LABEL: 'a-label', T: '7s' };
    const of = (pool: object): LoadedConfig => loadValue({ name: 'shop', pools: { api: pool } }, env);
    const before = of({ endpoints: [{ name: 'eu', url: 'https://eu.test/a' }], keys: [key('a')] });
    const after = of({
      endpoints: [{ name: 'eu', url: '${URL}', health: '/h?label=${LABEL}', headers: { 'x-a': '${LABEL}' } }],
      keys: [key('a', { labels: { a: '${LABEL}' } })],
      classify: [{ status: 401, body: 'is ${LABEL}', as: 'auth' }],
      timeout: '${T}',
    });
    const text = changesBetween(before, after).map(changeText).join('\n');
    for (const shown of ['"${URL}"', '"/h?label=${LABEL}"', '"${LABEL}"', '"is ${LABEL}"'])
      expect(text).toContain(shown);
    for (const value of ['of-somebody', 'a-label']) expect(text).not.toContain(value);
    expect(text).toContain('timeout: 5000 → 7000');
  });

  test('shows a secret as its fingerprint, and no password of an address', () => {
    const of = (secret: string): string => JSON.stringify(fingerprint('shop', secret));
    const proxied = (proxy: string): object => ({
      endpoints: [{ url: 'https://eu.test', proxy }],
      keys: [key('a')],
    });
    const fields = (password: string): object => ({ keys: [{ name: 'a', fields: { password } }] });
    expect(changed({ keys: [key('a')] }, { keys: [key('a', { value: 'new secret' })] })).toEqual([
      `pools.api.keys.a.value: ${of('secret of a')} → ${of('new secret')}`,
    ]);
    expect(changed(fields('old one'), fields('new one'))).toEqual([
      `pools.api.keys.a.fields.password: ${of('old one')} → ${of('new one')}`,
    ]);
    const announced = JSON.stringify([
      changed(proxied('http://me:hid@hidden@p:1'), proxied('http://me:hid@hidden@q:1')),
      changed({ keys: [key('a')] }, { keys: [key('a')] }, [{}, { store: 'redis://:hidden@host' }]),
    ]);
    expect(announced).not.toContain('hidden');
    expect(announced).toContain('http://q:1');
  });

  test('tells whole pools', () => {
    const before = loadValue({ name: 'shop', pools: { api: { keys: ['k'] } } });
    const after = loadValue({ name: 'shop', pools: { other: { keys: ['k'] } } });
    expect(changesBetween(before, after)).toEqual([
      { path: 'pools.other', old: undefined, new: { endpoints: [], keys: ['key-1'] } },
      { path: 'pools.api', old: { endpoints: [], keys: ['key-1'] }, new: undefined },
    ]);
  });
});
