import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigEdit, editConfig } from '../../../src/config/edits/edit.ts';
import { revisionOf as revisionOfAll } from '../../../src/config/source.ts';
import { GembaError, withoutCode } from '../../../src/core/errors.ts';

const TEXT = `// The shop's staging system.
{
  "pools": {
    "api": {
      "endpoints": [
        "https://eu.example.test", // the near one
        { "name": "us", "url": "https://us.example.test", "weight": 2 },
      ],
      /* one account for each worker */
      "keys": [
        { "name": "ci-1", "value": "\${CI_KEY_1}", "maxConcurrent": 1 },
        {
          "name": "ci-2",
          // rotated every month
          "value": "\${CI_KEY_2}",
        },
        "\${CI_KEY_3}",
      ],
    },
    "vendor": { "keys": { "fromEnv": "VENDOR_KEYS" } },
  },
}
`;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gemba-edit-'));
  file = join(folder, 'gemba.config.json');
  writeFileSync(file, TEXT);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function revisionOf(text: string): string {
  return revisionOfAll([text]);
}

/** The lines that an edit changed: what was, what is. */
function difference(edit: ConfigEdit, text = TEXT): { old: string[]; new: string[] } {
  writeFileSync(file, text);
  const { revision } = editConfig(file, revisionOf(text), edit);
  const after = readFileSync(file, 'utf8');
  expect(revision).toBe(revisionOf(after));
  const [before, now] = [text.split('\n'), after.split('\n')];
  let start = 0;
  while (start < before.length && before[start] === now[start]) start++;
  let end = 0;
  while (end < before.length - start && before.at(-1 - end) === now.at(-1 - end)) end++;
  return { old: before.slice(start, before.length - end), new: now.slice(start, now.length - end) };
}

function codeOf(edit: () => unknown): string {
  try {
    edit();
  } catch (error) {
    if (GembaError.is(error)) return `${error.code} ${withoutCode(error.message)}`;
    throw error;
  }
  throw new Error('it was written');
}

const one: ConfigEdit = { pool: 'api', kind: 'key', name: 'ci-1', set: { maxConcurrent: 2 } };

describe('An edit of a member', () => {
  test('changes its own line and nothing else', () => {
    expect(difference(one)).toEqual({
      old: ['        { "name": "ci-1", "value": "${CI_KEY_1}", "maxConcurrent": 1 },'],
      new: ['        { "name": "ci-1", "value": "${CI_KEY_1}", "maxConcurrent": 2 },'],
    });
    expect(difference({ pool: 'api', kind: 'endpoint', name: 'us', set: { weight: 0 } })).toEqual({
      old: ['        { "name": "us", "url": "https://us.example.test", "weight": 2 },'],
      new: ['        { "name": "us", "url": "https://us.example.test", "weight": 0 },'],
    });
  });

  test('adds a field, keeps comments, and takes a field away', () => {
    const { new: lines } = difference({
      pool: 'api',
      kind: 'key',
      name: 'ci-2',
      set: { enabled: false, rpm: 60 },
    });
    const after = readFileSync(file, 'utf8');
    expect(after).toContain('// rotated every month');
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "          "enabled": false,
                "rpm": 60,"
    `);
    expect(difference({ ...one, set: { rpm: 60 } }).new).toEqual([
      '        { "name": "ci-1", "value": "${CI_KEY_1}", "maxConcurrent": 1, "rpm": 60 },',
    ]);
    expect(difference({ ...one, set: { maxConcurrent: null } }).new).toEqual([
      '        { "name": "ci-1", "value": "${CI_KEY_1}" },',
    ]);
  });

  test('turns a short form into the long one where it has to', () => {
    difference({ pool: 'api', kind: 'endpoint', name: 'eu.example.test', set: { maxConcurrent: 4 } });
    expect(readFileSync(file, 'utf8')).toContain(
      '        { "url": "https://eu.example.test", "maxConcurrent": 4 }, // the near one\n',
    );
    difference({ pool: 'api', kind: 'key', name: 'key-3', set: { enabled: false } });
    expect(readFileSync(file, 'utf8')).toContain('"value": "${CI_KEY_3}"');
    expect(difference({ pool: 'api', kind: 'key', name: 'key-3', set: { enabled: null } })).toEqual({
      old: [],
      new: [],
    });
  });

  test('finds a member that only the environment names', () => {
    const text = TEXT.replace('"https://eu.example.test"', '"${EU_URL}"');
    writeFileSync(file, text);
    const edit: ConfigEdit = { pool: 'api', kind: 'endpoint', name: 'eu.test', set: { weight: 0 } };
    expect(codeOf(() => editConfig(file, revisionOf(text), edit))).toContain(
      'has no endpoint "eu.test"; known: us.',
    );
    editConfig(file, revisionOf(text), edit, { EU_URL: 'https://eu.test/api' });
    expect(readFileSync(file, 'utf8')).toContain(
      '        { "url": "${EU_URL}", "weight": 0 }, // the near one\n',
    );
  });

  test('writes nothing where nothing changes', () => {
    const before = statSync(file).mtimeMs;
    editConfig(file, revisionOf(TEXT), { ...one, set: { maxConcurrent: 1 } });
    expect(statSync(file).mtimeMs).toBe(before);
  });

  test('keeps tabs, line ends of Windows, a byte order mark, the mode and a link', () => {
    const text =
      '\uFEFF{\r\n\t"pools": {\r\n\t\t"api": { "keys": [{\r\n\t\t\t"value": "k"\r\n\t\t}] }\r\n\t}\r\n}\r\n';
    const target = join(folder, 'target.json');
    writeFileSync(target, text, { mode: 0o640 });
    rmSync(file);
    symlinkSync(target, file);
    editConfig(file, revisionOf(text), { pool: 'api', kind: 'key', name: 'key-1', set: { rpm: 30 } });
    const after = readFileSync(target, 'utf8');
    expect(after.replaceAll('\r\n', '').includes('\n')).toBe(false);
    expect(after).toBe(text.replace('"value": "k"', '"value": "k",\r\n\t\t\t"rpm": 30'));
    expect([lstatSync(file).isSymbolicLink(), statSync(target).mode & 0o777]).toEqual([true, 0o640]);
  });

  test.each<[string, ConfigEdit, string]>([
    [
      'an unknown pool',
      { ...one, pool: 'apy' },
      'GEMBA_POOL_UNKNOWN gemba.config.json has no pool "apy"; did you mean "api"?.',
    ],
    [
      'an unknown member',
      { ...one, name: 'ci-9' },
      'GEMBA_USAGE Pool "api" of gemba.config.json has no key "ci-9"; did you mean "ci-1"?.',
    ],
    [
      'a member of another kind',
      { ...one, name: 'us' },
      'GEMBA_USAGE Pool "api" of gemba.config.json has no key "us"; known: ci-1, ci-2, key-3.',
    ],
    [
      'keys of a variable',
      { ...one, pool: 'vendor' },
      'GEMBA_USAGE The keys of pool "vendor" come from the variable VENDOR_KEYS, so they cannot be changed in gemba.config.json.',
    ],
  ])('says so for %s', (_, edit, message) => {
    expect(codeOf(() => editConfig(file, revisionOf(TEXT), edit))).toBe(message);
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
  });

  test('is refused where the file changed meanwhile', () => {
    const { revision } = { revision: revisionOf(TEXT) };
    const mine = TEXT.replace('near', 'far');
    writeFileSync(file, mine);
    expect(codeOf(() => editConfig(file, revision, one))).toBe(
      'GEMBA_CONFIG_CHANGED gemba.config.json was changed meanwhile, so nothing was written. Look at it again, and repeat the change.',
    );
    expect(readFileSync(file, 'utf8')).toBe(mine);
  });

  test('is refused where the file would not be valid after it, and leaves nothing behind', () => {
    expect(codeOf(() => editConfig(file, revisionOf(TEXT), { ...one, set: { maxConcurrent: 0 } }))).toContain(
      'GEMBA_CONFIG_INVALID gemba.config.json is not valid (1 problem):',
    );
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
    expect(readdirSync(folder)).toEqual(['gemba.config.json']);
  });
});

describe('An edit of a configuration of several files', () => {
  const BASE = `{
  // what all environments share
  "pools": { "api": {
    "endpoints": ["https://eu.test", { "name": "us", "url": "https://us.test", "weight": 2, "rpm": 60 }],
    "keys": [{ "name": "ci-1", "value": "one" }]
  } }
}`;
  const TOP = `{
  "extends": "./base.json",
  "pools": { "api": { "endpoints": [{ "name": "us", "rpm": 30 }, { "name": "apac", "url": "https://apac.test" }] } }
}`;
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const revision = (): string => revisionOfAll([read('gemba.config.json'), read('base.json')]);
  const edit = (kind: ConfigEdit['kind'], name: string, set: ConfigEdit['set']): string[] =>
    editConfig(file, revision(), { pool: 'api', kind, name, set }).files.map((written) => basename(written));

  beforeEach(() => {
    writeFileSync(file, TOP);
    writeFileSync(join(folder, 'base.json'), BASE);
  });

  test('changes a field where it stands, and adds one to the upper file that names the member', () => {
    expect(edit('endpoint', 'us', { rpm: 20 })).toEqual(['gemba.config.json']);
    expect(edit('endpoint', 'us', { weight: 1 })).toEqual(['base.json']);
    expect(edit('endpoint', 'us', { enabled: false })).toEqual(['gemba.config.json']);
    expect(edit('endpoint', 'apac', { weight: 0 })).toEqual(['gemba.config.json']);
    expect(edit('endpoint', 'eu.test', { weight: 3 })).toEqual(['base.json']);
    expect(edit('key', 'ci-1', { maxConcurrent: 1 })).toEqual(['base.json']);
    expect(read('base.json')).toBe(
      BASE.replace('"weight": 2', '"weight": 1')
        .replace('"https://eu.test"', '{ "url": "https://eu.test", "weight": 3 }')
        .replace('"value": "one"', '"value": "one", "maxConcurrent": 1'),
    );
    expect(read('gemba.config.json')).toBe(
      TOP.replace('"rpm": 30', '"rpm": 20, "enabled": false').replace(
        '"https://apac.test"',
        '"https://apac.test", "weight": 0',
      ),
    );
  });

  test('takes a field out of every file, so that its default counts', () => {
    expect(edit('endpoint', 'us', { rpm: null })).toEqual(['gemba.config.json', 'base.json']);
    expect(read('base.json')).toBe(BASE.replace(', "rpm": 60', ''));
    expect(read('gemba.config.json')).toBe(TOP.replace(', "rpm": 30', ''));
    expect(edit('endpoint', 'us', { rpm: null })).toEqual([]);
  });

  test('is refused where any of its files changed meanwhile', () => {
    const before = revision();
    writeFileSync(join(folder, 'base.json'), BASE.replace('60', '61'));
    const change: ConfigEdit = { pool: 'api', kind: 'endpoint', name: 'us', set: { weight: 0 } };
    expect(codeOf(() => editConfig(file, before, change))).toContain('GEMBA_CONFIG_CHANGED');
  });

  test('counts for a revision with a counter, too: its texts are the same', () => {
    const change: ConfigEdit = { pool: 'api', kind: 'endpoint', name: 'us', set: { weight: 0 } };
    expect(editConfig(file, `${revision()}-2`, change).revision).toBe(revision());
  });
});
