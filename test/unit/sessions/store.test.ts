import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forgetEndedRuns, sessionFolder } from '../../../src/sessions/folder.ts';
import { type SessionOwner, SessionStore } from '../../../src/sessions/store.ts';

const ADA: SessionOwner = {
  kind: 'session',
  account: 'a'.repeat(16),
  secret: 'ada:correct horse',
  place: 'https://eu.shop.test',
  name: 'accounts/ada',
};
const TEXT = JSON.stringify({ cookies: [{ name: 'sid', value: 'cookie-of-ada' }] });

let folder: string;
let lines: string[];
let store: SessionStore;

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'sessions-')), 'cache.sessions');
  lines = [];
  store = new SessionStore(folder, (line) => lines.push(line));
});
afterEach(() => rm(path.dirname(folder), { recursive: true, force: true }));

function onlyFile(): string {
  const [name] = readdirSync(folder);
  return path.join(folder, name!);
}

describe('the session store', () => {
  it('keeps a text for its owner, over processes', () => {
    store.write(ADA, TEXT);
    expect(new SessionStore(folder, () => {}).read(ADA)).toBe(TEXT);
    expect(lines).toEqual([]);
  });

  it('tells accounts, places and kinds apart', () => {
    store.write(ADA, TEXT);
    expect(store.read({ ...ADA, place: 'https://us.shop.test' })).toBeNull();
    expect(store.read({ ...ADA, account: 'b'.repeat(16) })).toBeNull();
    expect(store.read({ ...ADA, kind: 'token' })).toBeNull();
    expect(lines).toEqual([]);
  });

  it('writes what only this user can read, and nobody without the secret', () => {
    store.write(ADA, TEXT);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(onlyFile());
    expect(bytes.includes('cookie-of-ada')).toBe(false);
    expect(bytes.includes('ada')).toBe(false);
    expect(new SessionStore(folder, () => {}).read({ ...ADA, secret: 'wrong' })).toBeNull();
  });

  it('drops an entry that was changed, cut or written for another account, with one line', () => {
    for (const damage of [
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]),
      (bytes: Buffer) => bytes.subarray(0, 20),
      () => Buffer.from('{"cookies":[]}'),
      () => Buffer.alloc(0),
    ]) {
      store.write(ADA, TEXT);
      writeFileSync(onlyFile(), damage(readFileSync(onlyFile())));
      lines = [];
      expect(store.read(ADA)).toBeNull();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^the stored session of accounts\/ada was dropped: it is damaged/);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it.skipIf(process.platform === 'win32')('uses no entry that others can read, no link and no folder', () => {
    store.write(ADA, TEXT);
    const file = onlyFile();
    chmodSync(file, 0o644);
    expect(store.read(ADA)).toBeNull();
    const elsewhere = path.join(path.dirname(folder), 'elsewhere');
    writeFileSync(elsewhere, 'x', { mode: 0o600 });
    symlinkSync(elsewhere, file);
    expect(store.read(ADA)).toBeNull();
    expect(existsSync(elsewhere)).toBe(true);
    mkdirSync(file);
    expect(store.read(ADA)).toBeNull();
    expect(lines).toHaveLength(3);
  });

  it('forgets all that an account has, and nothing of others', () => {
    const grace = { ...ADA, account: 'c'.repeat(16) };
    store.write(ADA, TEXT);
    store.write({ ...ADA, kind: 'token', place: 'https://id.test' }, 'token');
    store.write(grace, TEXT);
    expect(store.forget(ADA.account)).toBe(true);
    expect(store.forget(ADA.account)).toBe(false);
    expect(store.read(ADA)).toBeNull();
    expect(store.read(grace)).toBe(TEXT);
  });

  it('says where it cannot write, and goes on', () => {
    writeFileSync(folder, 'a file stands in its place');
    store.write(ADA, TEXT);
    expect(lines).toEqual([expect.stringMatching(/^the session of accounts\/ada could not be kept in /)]);
    expect(store.read(ADA)).toBeNull();
  });

  it('stays whole where many write at once', async () => {
    const other = new SessionStore(folder, (line) => lines.push(line));
    for (let round = 0; round < 50; round++) {
      store.write(ADA, `one ${round}`);
      other.write(ADA, `other ${round}`);
      expect(store.read(ADA)).toBe(`other ${round}`);
    }
    expect(readdirSync(folder)).toHaveLength(1);
  });
});

describe('the folder of sessions', () => {
  it('is the run’s own where nothing is to be kept, and goes with the run', () => {
    const cache = path.join(path.dirname(folder), 'cache.json');
    expect(sessionFolder(cache, {}, 7)).toBe(folder);
    const ended = sessionFolder(cache, { GEMBA_SESSIONS: 'off' }, 999_999_999);
    const live = sessionFolder(cache, { GEMBA_SESSIONS: 'off' }, process.pid);
    for (const place of [ended, live]) new SessionStore(place, () => {}).write(ADA, TEXT);
    store.write(ADA, TEXT);
    forgetEndedRuns(cache);
    expect([ended, live].map((place) => existsSync(place))).toEqual([false, true]);
    expect(store.read(ADA)).toBe(TEXT);
  });
});
