import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { GembaError } from '../../../src/core/errors.ts';
import { findConfig } from '../../../src/config/find.ts';
import { loadGembaConfig } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/config/problems.ts';
import { FILE, load, loadWith, refusal, refusalError } from './project.ts';

const SMALL = '{ "pools": { "api": { "keys": ["a"] } } }';
const root = realpathSync(mkdtempSync(join(tmpdir(), 'gemba-find-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GembaError) return `${error.code}: ${error.message.replaceAll(root, '')}`;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('A config file is found', () => {
  const nearest = write('work/gemba.config.json', SMALL);
  const other = write('work/other.json', SMALL);
  const from = join(root, 'work/tests/deep');

  test('by GEMBA_CONFIG before all else', () => {
    const env = { GEMBA_CONFIG: 'work/other.json' };
    expect(findConfig({ env, option: '../none.json', from, cwd: root })).toBe(other);
    expect(findConfig({ env: { GEMBA_CONFIG: other }, from })).toBe(other);
  });

  test('by the option before the search, from the folder of the Playwright config', () => {
    expect(findConfig({ env: { GEMBA_CONFIG: '' }, option: '../../other.json', from })).toBe(other);
  });

  test('upward from that folder', () => {
    expect(findConfig({ env: {}, from })).toBe(nearest);
    expect(findConfig({ env: {}, option: '', from: join(root, 'work') })).toBe(nearest);
  });

  test('or not at all', () => expect(findConfig({ env: {}, from: root })).toBeUndefined());

  test('and one that is named must exist', () => {
    const env = { GEMBA_CONFIG: 'none.json' };
    expect([
      failure(() => findConfig({ env, from, cwd: root })),
      failure(() => findConfig({ env: {}, option: '../tests', from: join(root, 'work') })),
      failure(() => loadGembaConfig(undefined, { env, cwd: root })),
      failure(() => loadGembaConfig(undefined, { env: {}, cwd: root })),
      failure(() => loadGembaConfig('none.json', { env: {}, cwd: root })),
      failure(() => loadGembaConfig('work/other.json/none.json', { env: {}, cwd: root })),
      failure(() => loadGembaConfig('work', { env: {}, cwd: root })),
    ]).toMatchInlineSnapshot(`
      [
        "GEMBA_CONFIG_NOT_FOUND: the variable GEMBA_CONFIG names /none.json, but there is no such file; correct the name, or create a file with "npx gemba init" (GEMBA_CONFIG_NOT_FOUND)",
        "GEMBA_CONFIG_NOT_FOUND: the option gembaConfig names /tests, but there is no such file; correct the name, or create a file with "npx gemba init" (GEMBA_CONFIG_NOT_FOUND)",
        "GEMBA_CONFIG_NOT_FOUND: the variable GEMBA_CONFIG names /none.json, but there is no such file; correct the name, or create a file with "npx gemba init" (GEMBA_CONFIG_NOT_FOUND)",
        "GEMBA_CONFIG_NOT_FOUND: no gemba.config.json in  or above; create one with "npx gemba init" (GEMBA_CONFIG_NOT_FOUND)",
        "GEMBA_CONFIG_NOT_FOUND: there is no file /none.json; create one with "npx gemba init" (GEMBA_CONFIG_NOT_FOUND)",
        "GEMBA_CONFIG_NOT_FOUND: there is no file /work/other.json/none.json; create one with "npx gemba init" (GEMBA_CONFIG_NOT_FOUND)",
        "GEMBA_CONFIG_INVALID: work is not valid (1 problem):
        /work:1:1  this is a folder or a device, not a file
      (GEMBA_CONFIG_INVALID)",
      ]
    `);
  });

  test('by loadGembaConfig without a path, too', () => {
    expect(loadGembaConfig(undefined, { env: {}, cwd: from }).path).toBe(nearest);
    expect(loadGembaConfig('other.json', { env: {}, cwd: join(root, 'work') }).path).toBe(other);
  });
});

describe('A loaded configuration', () => {
  test('knows its file and the revision of its text', () => {
    const revision = createHash('sha256').update(SMALL).digest('hex').slice(0, 12);
    expect(load(SMALL)).toMatchObject({ path: FILE, revision });
    expect(load(`${SMALL}\n`).revision).not.toBe(revision);
  });

  test('may have comments, trailing commas and a byte order mark, and problems keep their place', () => {
    const text =
      '\uFEFF// of the shop\r\n{ "pools": { "api": { "keys": ["a",], /* five */ "maxRetries": 5, }, }, }\r\n';
    expect(load(text).pools['api']?.maxRetries).toBe(5);
    expect(refusal(text.replace('5, }', '"5", }'))).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:2:64  pools.api.maxRetries: must be an integer of 0 or more; found "5"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test.each([
    ['its own name', 'a/gemba.config.json', '"name": "own",', 'own'],
    ['the name of the nearest package', 'b/c/gemba.config.json', '', '@shop/b'],
    ['the name of its folder where the package has none', 'd/gemba.config.json', '', 'd'],
    ['the name of its folder where the package is broken', 'e/gemba.config.json', '', 'e'],
  ])('has %s', (_, path, name, expected) => {
    write('b/package.json', '{ "name": "@shop/b" }');
    write('d/package.json', '{ "private": true }');
    write('e/package.json', '{ "name": ');
    const file = write(path, `{ ${name} "pools": { "api": { "keys": ["a"] } } }`);
    expect(loadGembaConfig(file, { env: {} }).name).toBe(expected);
  });

  test('takes its store from GEMBA_STORE', () => {
    const text = '{ "store": "${UNSET}", "pools": { "api": { "keys": ["a"] } } }';
    expect(load(text, { GEMBA_STORE: 'redis://h:1/${0}' }).store).toBe('redis://h:1/${0}');
    expect(load(SMALL, { GEMBA_STORE: '' }).store).toBe('local');
    expect(refusal(text, { GEMBA_STORE: 'postgres://canary@h' })).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:12  GEMBA_STORE: must be "local" or a Redis address, such as "redis://host:6379/0"; found "…@h"
      (GEMBA_CONFIG_INVALID)"
    `);
    expect(refusal(SMALL, { GEMBA_STORE: 'postgres://canary@h' })).toMatchInlineSnapshot(`
      "gemba.config.json is not valid (1 problem):
        /project/gemba.config.json:1:1  GEMBA_STORE: must be "local" or a Redis address, such as "redis://host:6379/0"; found "…@h"
      (GEMBA_CONFIG_INVALID)"
    `);
  });

  test('takes variables from the process where none are given', () => {
    process.env['GEMBA_TEST_KEY'] = 'from-process';
    const { pools } = loadWith('{ "pools": { "api": { "keys": ["${GEMBA_TEST_KEY}"] } } }');
    expect(pools['api']?.keys[0]?.value).toBe('from-process');
    delete process.env['GEMBA_TEST_KEY'];
  });
});

describe('The error of a broken file', () => {
  test('holds its problems one by one', () => {
    const error = refusalError('{\n  "pools": { "api": { "keys": ["${KEY}"], "timeout": "x" } }\n}');
    expect(error).toBeInstanceOf(ConfigError);
    expect(GembaError.is(error)).toBe(true);
    expect(error.code).toBe('GEMBA_CONFIG_INVALID');
    expect(error.problems).toEqual([
      {
        file: FILE,
        path: 'pools.api.keys[0]',
        line: 2,
        column: 32,
        message: 'the variable KEY is not set; set it, or say "whenUnset": "skip" in this pool',
      },
      expect.objectContaining({ path: 'pools.api.timeout', line: 2, column: 54 }),
    ]);
  });
});
