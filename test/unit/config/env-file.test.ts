import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { variablesFor } from '../../../src/config/env-file.ts';
import { loadGembaConfig } from '../../../src/config/index.ts';

let folder: string;
let config: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gemba-env-')));
  config = join(folder, 'gemba.config.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('The variables of a configuration', () => {
  test('come from the environment, then from .env beside the config', () => {
    write(
      '.env',
      '\uFEFF# keys\nexport A="one"\nB=two # second\nC=\r\nGEMBA_STORE=redis://h\nGEMBA_PIN=a/b\n',
    );
    const { env, files } = variablesFor(config, { B: 'set', D: '', GEMBA_SEED: '1' });
    expect(env).toEqual({ A: 'one', B: 'set', C: '', D: '', GEMBA_SEED: '1' });
    expect(files.map(({ path }) => path)).toEqual([join(folder, '.env')]);
    expect(process.env).not.toHaveProperty('A');
  });

  test('come from the file that GEMBA_ENV_FILE names, which must exist', () => {
    write('.env', 'A=one');
    const other = write('other.env', 'B=two');
    expect(variablesFor(config, { GEMBA_ENV_FILE: other }).env).toEqual({ B: 'two', GEMBA_ENV_FILE: other });
    const missing = join(folder, 'none.env');
    expect(() => variablesFor(config, { GEMBA_ENV_FILE: missing })).toThrow(
      `The file of variables ${missing}, which GEMBA_ENV_FILE or --env names, does not exist.`,
    );
  });

  test('are those of the environment alone where there is no file; one that appears is another state', () => {
    const before = variablesFor(config, { A: 'one' });
    expect(before.env).toEqual({ A: 'one' });
    write('.env', 'B=two');
    expect(variablesFor(config, {}).files[0]?.stamp).not.toBe(before.files[0]?.stamp);
  });
});

describe.each([
  ['with a byte order mark', Buffer.from('\uFEFFA=1', 'utf16le')],
  ['of the other byte order', Buffer.from('\uFEFFA=1', 'utf16le').swap16()],
  ['without a byte order mark', Buffer.from('{ "pools": 1 }', 'utf16le')],
])('A file in UTF-16 %s', (_, bytes) => {
  test('is refused by the name of its encoding', () => {
    write('.env', bytes);
    write('gemba.config.json', bytes);
    expect(() => variablesFor(config, {})).toThrow('is encoded as UTF-16; save it as UTF-8');
    expect(() => loadGembaConfig(config)).toThrow('is encoded as UTF-16; save it as UTF-8');
  });
});
