import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createInlineProject, runInlineTest } from '../harness/run-inline-test.ts';
import { findSecrets } from '../harness/secrets.ts';
import { sessionServer } from '../harness/servers.ts';

const CANARY = 'canary/7f3a+9c&1e';

test('an inline run tells counts, output and results', async () => {
  const result = await runInlineTest(
    {
      'some.spec.ts': `
        import { test, expect } from '@playwright/test';
        test('passes', () => {});
        test('fails', () => { expect(1).toBe(2); });
        test('is flaky', ({}, testInfo) => { expect(testInfo.retry).toBe(1); });
        test.skip('is skipped', () => {});
        test('sees no CI', () => { expect(process.env.CI).toBeUndefined(); expect(process.env.VITEST).toBeUndefined(); });
      `,
    },
    { config: `{ retries: 1, reporter: [['line'], ['json', { outputFile: 'results.json' }]] }` },
  );
  expect(result).toMatchObject({
    exitCode: 1,
    passed: 2,
    failed: 1,
    flaky: 1,
    skipped: 1,
    report: undefined,
  });
  expect(result.results?.suites).toHaveLength(1);
  expect(result.output).toContain('1 flaky');
});

test('counts are read from the output where no JSON was written', async () => {
  const files = { 'some.spec.ts': `import { test } from '@playwright/test'; test('passes', () => {});` };
  const result = await runInlineTest(files, { args: ['--reporter=line'] });
  expect(result).toMatchObject({ exitCode: 0, passed: 1, failed: 0, results: undefined });
});

test('a run that does not end is killed and tells what it said', async () => {
  const files = {
    'some.spec.ts': `
      import { test } from '@playwright/test';
      test('hangs', async () => { console.log('still here'); await new Promise(() => {}); });
    `,
  };
  const config = `{ timeout: 0, reporter: 'list' }`;
  await expect(runInlineTest(files, { config, timeoutMs: 5_000 })).rejects.toThrow('still here');
});

test('the secret scan finds a canary raw, encoded, in a blob report and in an HTML report', async () => {
  const project = await createInlineProject({
    'playwright.config.ts': `export default { reporter: [['blob'], ['html', { open: 'never' }]] };`,
    'leak.spec.ts': `
      import { test } from '@playwright/test';
      test('leaks', ({}, testInfo) => { testInfo.annotations.push({ type: 'note', description: ${JSON.stringify(CANARY)} }); });
    `,
  });
  await project.run();
  await project.write({
    'notes/basic.txt': `authorization: Basic ${Buffer.from(`qa1:${CANARY}`).toString('base64')}`,
    'notes/address.txt': `http://x.test/?key=${encodeURIComponent(CANARY)}`,
    'notes/clean.txt': 'nothing here',
  });
  const leaks = await findSecrets(project.folder, { canary: CANARY });
  const files = new Set(leaks.map(({ file, form }) => `${form} in ${file.replaceAll(path.sep, '/')}`));
  expect([...files]).toEqual(
    expect.arrayContaining([
      'raw in leak.spec.ts',
      'base64 in notes/basic.txt',
      'url-encoded in notes/address.txt',
      expect.stringMatching(/^raw in blob-report\/report.*\.zip!report\.jsonl$/),
      expect.stringMatching(/^raw in playwright-report\/index\.html!embedded-0!/),
    ]),
  );
  expect([...files].filter((file) => file.includes('clean.txt'))).toEqual([]);
});

test('the secret scan finds nothing in a clean folder', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gemba-clean-'));
  await writeFile(path.join(folder, 'a.txt'), 'nothing');
  expect(await findSecrets(folder, { canary: CANARY })).toEqual([]);
  await rm(folder, { recursive: true });
});

test('the session server refuses a second live session of a key, and only that', async () => {
  const server = await sessionServer(['one', 'two']);
  const hold = async (key: string): Promise<number> => {
    const response = await fetch(`${server.url}/hold?ms=200`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return response.status;
  };
  const statuses = await Promise.all(['one', 'one', 'two', 'nobody'].map(hold));
  expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 200, 401, 409]);
  expect(await hold('one')).toBe(200);
  expect(server.refused()).toBe(1);
  expect(server.mostAtOnce()).toBe(2);
  expect(server.sessions.map(({ key }) => key).toSorted()).toEqual(['one', 'one', 'two']);
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow();
  await server.open();
  expect((await fetch(server.url)).status).toBe(401);
  await server.close();
});
