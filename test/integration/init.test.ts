import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

const NODE_TYPES = [
  '--types',
  'node',
  '--typeRoots',
  fileURLToPath(new URL('../../node_modules/@types', import.meta.url)),
];

/** An empty folder of a user who installed the packed package. */
function emptyFolder(): string {
  const folder = mkdtempSync(path.join(inject('inlineRoot'), 'init-'));
  symlinkSync(
    path.join(inject('installedProject'), 'node_modules'),
    path.join(folder, 'node_modules'),
    'junction',
  );
  return folder;
}

function run(
  folder: string,
  args: readonly string[],
  variables: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...variables };
  return new Promise((done) => {
    const child = execFile(process.execPath, args, { cwd: folder, env }, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

const gemba = 'node_modules/gemba-agent/dist/cli.cjs';
const playwright = 'node_modules/@playwright/test/cli.js';

describe('gemba init in an empty folder', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer((seen, response) => {
      const { headers, url } = seen;
      if (url === '/sign-in') {
        response.setHeader('set-cookie', 'session=ada; Path=/');
        return json(response, 200, {});
      }
      const isKnown = headers['cookie'] === 'session=ada' || headers['authorization'] === 'Bearer the-key';
      json(response, isKnown ? 200 : 401, {
        choices: [{ message: { role: 'assistant', content: 'hello' } }],
      });
    });
  });
  afterAll(() => server.close());

  it.each([
    ['--api', { STAGING_KEY: 'the-key' }, 'STAGING_URL'],
    ['--accounts', { ADA_PASSWORD: 'a-password' }, 'STAGING_URL'],
    ['--llm', { OPENAI_API_KEY: 'the-key' }, 'LLM_URL'],
  ])('writes with %s what compiles, and passes against a server', async (kind, secrets, address) => {
    const folder = emptyFolder();
    const before = server.requests.length;
    const made = await run(folder, [gemba, 'init', kind, '--yes']);
    expect(made.code, made.output).toBe(0);
    const env = Object.entries({ ...secrets, [address]: server.url });
    writeFileSync(path.join(folder, '.env'), env.map(([name, value]) => `${name}=${value}\n`).join(''));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', ...NODE_TYPES];
    const files = ['playwright.config.ts', 'tests/first.spec.ts'];
    for (const modules of [
      ['--module', 'nodenext'],
      ['--module', 'esnext', '--moduleResolution', 'bundler'],
    ]) {
      const compiled = await run(folder, [tsc, ...options, ...modules, ...files]);
      expect(compiled.code, compiled.output).toBe(0);
    }
    const tested = await run(folder, [playwright, 'test']);
    expect(tested.code, tested.output).toBe(0);
    expect(tested.output).toMatch(/Gemba: 1 of 1 passed · 1 call/);
    expect(server.requests.length).toBeGreaterThan(before);
    expect(readFileSync(path.join(folder, '.gitignore'), 'utf8')).toContain('.env\n');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
});

describe('gemba demo', () => {
  it('runs from the package alone, and ends with its report', async () => {
    const folder = emptyFolder();
    const target = path.join(folder, 'shown');
    const { code, output } = await run(folder, [gemba, 'demo', 'shown'], {
      GEMBA_CONFIG: '/nowhere',
      CI: '1',
    });
    expect(code, output).toBe(0);
    expect(output).toContain(`The report: ${path.join(target, 'gemba-report', 'index.html')}`);
    const report = JSON.parse(readFileSync(path.join(target, 'gemba-report', 'report.json'), 'utf8')) as {
      totals: { passed: number };
    };
    expect(report.totals.passed).toBeGreaterThan(40);
    const again = await run(folder, [gemba, 'demo', 'shown']);
    expect([again.code, again.output]).toEqual([2, expect.stringContaining('has files. Name a new one')]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
});
