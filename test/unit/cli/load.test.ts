import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigFiles, loadConfig } from '../../../src/cli/load.ts';

const CONFIG = JSON.stringify({ pools: { api: { keys: [{ name: 'ci-1', value: '${CI_KEY}' }] } } });

describe('the configuration of a command', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gemba-cli-'));
    mkdirSync(path.join(folder, 'deep/er'), { recursive: true });
    writeFileSync(path.join(folder, 'gemba.config.json'), CONFIG);
    writeFileSync(path.join(folder, '.env'), '\uFEFFCI_KEY=beside\n# a comment\nexport OTHER="x y"\n');
    writeFileSync(path.join(folder, 'deep/named'), 'CI_KEY=named\n');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function value(
    given: Partial<ConfigFiles> = {},
    env: Record<string, string> = {},
    from = '',
  ): string | undefined {
    const options = { config: undefined, envFile: undefined, ...given };
    const { config } = loadConfig(options, terminal(env, from));
    return config.pools['api']?.keys[0]?.value;
  }

  function terminal(env: Record<string, string>, from: string): Parameters<typeof loadConfig>[1] {
    return {
      folder: path.join(folder, from),
      env,
      colours: false,
      interactive: false,
      print: () => {},
      warn: () => {},
    };
  }

  it('is found upward, by GEMBA_CONFIG or by --config, with .env beside it', () => {
    expect(value({}, {}, 'deep/er')).toBe('beside');
    expect(value({}, { GEMBA_CONFIG: '../gemba.config.json' }, 'deep')).toBe('beside');
    expect(value({ config: '../../gemba.config.json' }, { GEMBA_CONFIG: 'none' }, 'deep/er')).toBe('beside');
  });

  it('takes a named file of variables in place of .env, which may also name the configuration', () => {
    expect(value({ envFile: 'deep/named' })).toBe('named');
    writeFileSync(path.join(folder, 'deep/named'), 'CI_KEY=named\nGEMBA_CONFIG=../none.json');
    expect(value({ envFile: 'named' }, {}, 'deep')).toBe('named');
  });

  it('lets variables win that are set already', () => {
    expect(value({}, { CI_KEY: 'set' })).toBe('set');
    expect(value({ envFile: 'deep/named' }, { CI_KEY: 'set' })).toBe('set');
  });

  it('names every member, whatever a run is pinned to', () => {
    expect(value({}, { GEMBA_PIN: 'api/other' })).toBe('beside');
  });

  it('that misses a variable says why it is needed and where it was looked for', () => {
    rmSync(path.join(folder, '.env'));
    expect(() => value()).toThrow(
      /variable CI_KEY is not set[^]*fingerprint of its value[^]*\.env \(not there\)/,
    );
    writeFileSync(path.join(folder, 'deep/named'), '');
    expect(() => value({ envFile: 'deep/named' })).toThrow(path.join(folder, 'deep/named. Another'));
  });

  it('and a file of variables that is named must be there', () => {
    expect(() => value({ envFile: 'none' })).toThrow(`file of variables ${path.join(folder, 'none')}`);
    expect(() => value({ envFile: 'deep' })).toThrow('does not exist');
  });
});
