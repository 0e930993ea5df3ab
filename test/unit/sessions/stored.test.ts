import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sessionFolder } from '../../../src/sessions/folder.ts';
import { SessionStore } from '../../../src/sessions/store.ts';
import { StoredSessions } from '../../../src/sessions/stored.ts';
import { identity, secretOf } from '../../../src/shared/fingerprint.ts';

const ADA = { name: 'ada', fields: { username: 'ada', password: 'secret-of-ada' } };
const URL = 'https://shop.test';
const CONFIG = { name: 'shop', pools: { shop: { endpoints: [{ url: URL }], keys: [ADA] } } };

let cache: string;
let stored: StoredSessions;

beforeEach(async () => {
  cache = path.join(await mkdtemp(path.join(tmpdir(), 'stored-')), 'cache.json');
  const state = {
    cookies: [
      { name: 'sid', value: 'sid-0123456789abcdef' },
      { name: 'theme', value: 'dark' },
    ],
    origins: [
      { origin: URL, localStorage: [{ name: 'auth', value: '{"token":"token-0123456789","user":"ada"}' }] },
    ],
  };
  const owner = {
    kind: 'session',
    account: identity('shop', ADA),
    secret: secretOf(ADA),
    place: URL,
    name: 'x',
  };
  new SessionStore(sessionFolder(cache, {}, 0), () => {}).write(
    { ...owner, kind: 'session' },
    JSON.stringify({ v: 1, state }),
  );
  stored = new StoredSessions(CONFIG, cache, () => {});
});
afterEach(() => rm(path.dirname(cache), { recursive: true, force: true }));

it('finds what of the kept sessions must stand in no artifact', () => {
  expect(stored.secrets()).toEqual([
    { name: 'shop/ada (cookie sid)', value: 'sid-0123456789abcdef' },
    { name: 'shop/ada (stored auth)', value: 'token-0123456789' },
  ]);
});

it('forgets those of a key', () => {
  expect(stored.forget('shop', 'grace')).toBe(false);
  expect(stored.forget('shop', 'ada')).toBe(true);
  expect(stored.secrets()).toEqual([]);
});
