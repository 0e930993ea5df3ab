import { runCommand } from '../../harness/command.ts';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainBaseUrl } from '../../../src/cli/init/project.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { loadGembaConfig } from '../../../src/config/load.ts';

let folder: string;
let printed: string;

function run(...args: (string | readonly string[] | Terminal['ask'])[]): Promise<number> {
  printed = '';
  const ask = args.find((arg) => typeof arg === 'function');
  const given = args.flat().filter((arg) => typeof arg === 'string');
  return runCommand('init', given, { folder, ask, print: (text) => void (printed += text) });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gemba-init-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('gemba init', () => {
  it('writes a valid configuration with what the Playwright config says, and the two lines to add', async () => {
    writeFileSync(
      join(folder, 'playwright.config.mts'),
      `export default { use: { baseURL: 'https://shop.test/v1' } };`,
    );
    expect(await run('--yes')).toBe(0);
    const file = join(folder, 'gemba.config.json');
    const config = loadGembaConfig(file, { env: { STAGING_KEY: 'k' } });
    expect(config.pools['default']?.endpoints).toMatchObject([{ url: 'https://shop.test/v1' }]);
    expect(readFileSync(file, 'utf8')).toContain('"$schema": "./node_modules/gemba-agent/schema.json"');
    expect(printed).toContain(
      'Wrote gemba.config.json, tests/first.spec.ts, .gitignore, with https://shop.test/v1 from playwright.config.mts.',
    );
    expect(printed).toContain(
      "Add the reporter to playwright.config.mts:\n\n  reporter: [['list'], ['gemba-agent/reporter']],\n",
    );
    expect(existsSync(join(folder, 'playwright.config.ts'))).toBe(false);
  });

  it.each([
    ['--api', 'STAGING_KEY'],
    ['--accounts', 'ADA_PASSWORD'],
    ['--llm', 'OPENAI_API_KEY'],
  ])('writes all that an empty folder needs with %s, and nothing over a file', async (kind, variable) => {
    expect(await run(kind)).toBe(0);
    const file = join(folder, 'gemba.config.json');
    expect(Object.keys(loadGembaConfig(file, { env: { [variable]: 'k' } }).pools)).toHaveLength(1);
    expect(readdirSync(folder, { recursive: true })).toEqual(
      expect.arrayContaining(['playwright.config.ts', join('tests', 'first.spec.ts'), '.gitignore']),
    );
    expect(printed).toContain(`\n  ${variable} `);
    writeFileSync(file, 'mine');
    expect(await run(kind, '--yes')).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(printed).toBe('There is a gemba.config.json here already; nothing was changed.\n');
  });

  it('lists the files whose import would change, and writes no test beside them', async () => {
    mkdirSync(join(folder, 'e2e', 'node_modules'), { recursive: true });
    writeFileSync(join(folder, 'e2e', 'a.spec.ts'), `import { test } from '@playwright/test';`);
    writeFileSync(join(folder, 'e2e', 'b.spec.js'), `const { test } = require("@playwright/test");`);
    writeFileSync(join(folder, 'e2e', 'other.ts'), `export const one = 1;`);
    writeFileSync(join(folder, 'e2e', 'node_modules', 'c.js'), `import '@playwright/test';`);
    writeFileSync(join(folder, 'playwright.config.ts'), `import { defineConfig } from '@playwright/test';`);
    expect(await run()).toBe(0);
    expect(printed).toContain('\n\n  e2e/a.spec.ts\n  e2e/b.spec.js\n\n');
    expect(existsSync(join(folder, 'tests'))).toBe(false);
  });

  it.each([
    ['without an answer', [], undefined, false],
    ['with "no"', [], () => Promise.resolve(false), false],
    ['with "yes"', [], () => Promise.resolve(true), true],
    ['with --yes', ['--yes'], undefined, true],
  ])('asks before it adds to a .gitignore: %s', async (_, args, ask, isAdded) => {
    const file = join(folder, '.gitignore');
    writeFileSync(file, '/node_modules\n.env');
    expect(await run(args, ask)).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(
      isAdded ? '/node_modules\n.env\ntest-results/\ngemba-report/\n' : '/node_modules\n.env',
    );
    expect(printed.includes('Add to .gitignore:')).toBe(!isAdded);
  });

  it('takes one kind of project', async () => {
    await expect(run('--api', '--llm')).rejects.toThrow('takes one of --api, --accounts and --llm');
  });

  it('refuses an unknown option', async () => {
    await expect(run('--force')).rejects.toThrow(
      'gemba init does not know "--force"; known: --api, --accounts, --llm, --yes, --help',
    );
    expect(existsSync(join(folder, 'gemba.config.json'))).toBe(false);
  });

  it.each([
    [`use: { baseURL: "https://a.test" }`, 'https://a.test'],
    [`use: { 'baseURL': 'http://127.0.0.1:3000' }`, 'http://127.0.0.1:3000'],
    [`baseURL: process.env.BASE_URL ?? 'https://a.test',`, 'https://a.test'],
    [`baseURL: process.env.BASE_URL || \`https://a.test\`,`, 'https://a.test'],
    [`// baseURL: 'https://old.test',\n baseURL: 'https://a.test', // see 'x'`, 'https://a.test'],
    [`/* baseURL: 'https://old.test' */ use: {}`, null],
    [`baseURL: 'https://a.test' }, { baseURL: 'https://a.test'`, 'https://a.test'],
    [`baseURL: 'https://a.test' }, { baseURL: 'https://b.test'`, null],
    ['baseURL: `https://${host}.test`', null],
    ['baseURL: process.env.BASE_URL', null],
    ['baseURL: url(), other: "https://a.test"', null],
    [`baseURL: 'https://user:pass@a.test'`, null],
    [`baseURL: 'https://a.test?key=1'`, null],
  ])('reads %s as %s', (source, url) => {
    expect(plainBaseUrl(source)).toBe(url);
  });
});
