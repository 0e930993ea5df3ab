import { runCommand } from '../../harness/command.ts';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainBaseUrl } from '../../../src/cli/init.ts';
import { loadGembaConfig } from '../../../src/config/load.ts';

let folder: string;
let printed: string;

function run(...args: string[]): Promise<number> {
  printed = '';
  return runCommand('init', args, { folder, print: (text) => void (printed += text) });
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
    expect(printed).toContain(`Wrote ${file}, with https://shop.test/v1 from playwright.config.mts.`);
    expect(printed).toContain(
      "  // playwright.config.mts\n  reporter: [['list'], ['gemba-agent/reporter']],\n",
    );
    expect(printed).toContain("  import { test, expect } from 'gemba-agent';\n");
  });

  it('says what to replace where it found nothing, and never writes over a file', async () => {
    expect(await run()).toBe(0);
    expect(printed).toContain('its address https://staging.example.test is to be replaced by yours');
    const file = join(folder, 'gemba.config.json');
    writeFileSync(file, 'mine');
    expect(await run('--yes')).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(printed).toBe('There is a gemba.config.json here already; nothing was changed.\n');
  });

  it('refuses an unknown option', async () => {
    await expect(run('--force')).rejects.toThrow('gemba init does not know "--force"; known: --yes, --help');
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
