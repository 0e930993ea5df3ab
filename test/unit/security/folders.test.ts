import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConfig } from '../../../src/config/find.ts';
import { loadGembaConfig } from '../../../src/config/load.ts';
import { brokerAddress } from '../../../src/client/address.ts';
import { brokerSocket, secretFile } from '../../../src/shared/local-sockets.ts';
import { ownFolder } from '../../../src/shared/private-folder.ts';
import { isTrusted } from '../../../src/shared/file-trust.ts';
import { HOSTILE, wellFormed } from '../../harness/hostile.ts';

const uid = process.getuid?.() ?? 0;
const isRoot = uid === 0 && process.platform !== 'win32';
const STRANGER = 54_321;
const CONFIG = '{ "pools": { "api": { "endpoints": ["https://a.test"] } } }';

let base: string;
beforeEach(() => (base = realpathSync(mkdtempSync(path.join(tmpdir(), 'gemba-folders-')))));
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('the folder of sockets', () => {
  const folder = (): string => path.join(base, `gemba-${uid}`);

  it('is made for its user alone, also where new folders are open to all', () => {
    const usual = process.umask(0);
    expect(ownFolder(base, uid)).toBe(folder());
    process.umask(usual);
    expect(lstatSync(folder()).mode & 0o777).toBe(0o700);
    expect(ownFolder(base, uid)).toBe(folder());
  });

  it.each([
    ['its group can write', () => (mkdirSync(folder()), chmodSync(folder(), 0o770)), /mode 770/],
    ['all can write', () => (mkdirSync(folder()), chmodSync(folder(), 0o777)), /mode 777/],
    ['all can look into', () => (mkdirSync(folder()), chmodSync(folder(), 0o755)), /mode 755/],
    ['is a link', () => (mkdirSync(path.join(base, 'x'), 0o700), symlinkSync('x', folder())), /not a folder/],
    ['is a file', () => writeFileSync(folder(), ''), /EEXIST|not a folder/],
  ])('is refused where it %s', (_what, make, why) => {
    make();
    expect(() => ownFolder(base, uid)).toThrow(why);
  });

  it.skipIf(!isRoot)('is refused where it is another user’s', () => {
    mkdirSync(folder(), 0o700);
    chownSync(folder(), STRANGER, STRANGER);
    expect(() => ownFolder(base, uid)).toThrow(/owner 54321/);
  });
});

describe('names', () => {
  it('lead to no other place, whatever the project, its store and its pools are called', () => {
    const file = path.join(base, 'gemba.config.json');
    writeFileSync(file, CONFIG);
    writeFileSync(path.join(base, 'package.json'), '{}');
    for (const name of HOSTILE) {
      const store = `redis://host/${encodeURIComponent(wellFormed(name))}`;
      const { projects, cacheFile } = brokerAddress({
        path: file,
        name,
        store,
        pools: { [name]: { leaseTtl: 1 } },
      });
      expect(projects).toEqual([file]);
      expect(secretFile(file)).toMatch(/^[0-9a-f]{14}\.broker$/);
      expect(brokerSocket(file)).toMatch(/^\0?[\w./-]+$/);
      expect(path.dirname(cacheFile)).toBe(path.join(base, 'node_modules/.cache/gemba-agent'));
    }
  });
});

describe.skipIf(!isRoot)('a configuration that is come upon', () => {
  const work = (): string => path.join(base, 'shared/work');
  const stranger = (file: string): void => (writeFileSync(file, CONFIG), chownSync(file, STRANGER, STRANGER));
  beforeEach(() => mkdirSync(work(), { recursive: true }));

  it('in a folder above, from another user, is not used unless it is named', () => {
    const file = path.join(base, 'shared/gemba.config.json');
    stranger(file);
    const found = (env: Record<string, string>): string | undefined => findConfig({ env, from: work() });
    expect(() => found({})).toThrow(
      /shared\/gemba\.config\.json .*belongs to another user \(54321\).*GEMBA_CONFIG/s,
    );
    expect(() => loadGembaConfig(undefined, { cwd: work(), env: {} })).toThrow(/another user/);
    expect(found({ GEMBA_CONFIG: file })).toBe(file);
    expect(findConfig({ env: {}, option: file, from: work() })).toBe(file);
  });

  it('is used where the whole checkout is that user’s, as in a container', () => {
    const file = path.join(work(), 'gemba.config.json');
    stranger(file);
    chownSync(work(), STRANGER, STRANGER);
    expect(findConfig({ env: {}, from: work() })).toBe(file);
  });

  it('counts as a stranger’s where a stranger made the link to it', () => {
    const file = path.join(work(), 'link.json');
    writeFileSync(path.join(work(), 'mine.json'), CONFIG);
    symlinkSync('mine.json', file);
    expect(isTrusted(file, work())).toBe(true);
    chownSync(path.join(work(), 'mine.json'), STRANGER, STRANGER);
    expect(isTrusted(file, work())).toBe(false);
  });

  it('neither decides where the cache lies: a package.json of a stranger above does not', () => {
    const file = path.join(work(), 'gemba.config.json');
    writeFileSync(file, CONFIG);
    const manifest = path.join(base, 'shared/package.json');
    writeFileSync(manifest, '{}');
    chownSync(manifest, STRANGER, STRANGER);
    const { cacheFile } = brokerAddress({
      path: file,
      name: 'x',
      store: 'local',
      pools: { a: { leaseTtl: 1 } },
    });
    expect(cacheFile).not.toContain(path.join(base, 'shared', 'node_modules'));
  });
});
