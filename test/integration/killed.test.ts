import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportSchema } from '../harness/report.ts';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';
const SPEC = `
import { test, expect } from 'gemba-agent';
for (let index = 0; index < 5; index++) {
  test('reads ' + index, async ({ request }) => { expect((await request.get('/')).status()).toBe(index === 3 ? 500 : 200); });
}
test('never ends', async ({ request }) => { await request.get('/'); await new Promise(() => {}); });
test('never begins', () => {});
`;

describe('a run that a signal ends', () => {
  let server: TestServer;
  let project: InlineProject;
  let folder: string;

  beforeAll(async () => {
    server = await startServer((_seen, response) => json(response, 200, {}));
    const config = { pools: { api: { endpoints: [{ name: 'only', url: server.url }] } } };
    project = await createInlineProject(
      { 'gemba.config.json': JSON.stringify(config), 'killed.spec.ts': SPEC },
      '{ workers: 1, timeout: 0 }',
    );
    folder = path.join(project.folder, 'gemba-report');
  });

  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  /** The journal's text, once it tells of this test. */
  async function journalWith(text: string): Promise<string> {
    for (let turn = 0; turn < 1_500; turn++) {
      const name = existsSync(folder) && readdirSync(folder).find((file) => file.endsWith('.ndjson'));
      const told = name ? readFileSync(path.join(folder, name), 'utf8') : '';
      if (told.includes(text)) return told;
      await sleep(20);
    }
    throw new Error(`waited in vain for a journal that tells of "${text}"`);
  }

  it.each(['SIGTERM', 'SIGKILL'] as const)('is shown from its journal after %s', async (signal) => {
    rmSync(folder, { recursive: true, force: true });
    const ended = project.run({
      onStart: (child) => {
        void journalWith('"title":"never ends"').then(() => child.kill(signal));
      },
    });
    expect((await ended).report).toBeUndefined();
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^journal-.*\.ndjson$/)]);

    const shown = await project.node([CLI, 'show-report']);
    expect(shown).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Made from ') as unknown });
    expect(shown.stdout).toMatch(/^Gemba: 4 of 6 passed, 1 interrupted · 5 calls, 100 % ok/m);
    expect(shown.stdout).toContain('this is its state after 5 of 7 tests');
    expect(shown.stdout).toContain('Report: gemba-report/index.html');
    const report = reportSchema.parse(JSON.parse(readFileSync(path.join(folder, 'report.json'), 'utf8')));
    expect(report.run.status).toBe('interrupted');
    expect(report.totals).toMatchObject({
      tests: 6,
      passed: 4,
      failed: 1,
      interrupted: 1,
      skipped: 0,
      leases: 5,
      requests: 5,
    });
    expect(report.tests.find(({ title }) => title === 'never ends')!.results[0]!.status).toBe('interrupted');
    expect(readFileSync(path.join(folder, 'index.html'), 'utf8')).toContain('its state after 5 of 7 tests');

    const gate = await project.node([CLI, 'show-report', 'gemba-report', '--gate']);
    expect(gate).toMatchObject({
      exitCode: 1,
      stderr: '',
      stdout: expect.stringMatching(/^Gemba gate: .*interrupted/) as unknown,
    });
  });

  it('is shown while it goes on, and gets no page before it ends', async () => {
    rmSync(folder, { recursive: true, force: true });
    const shown: string[] = [];
    await project.run({
      onStart: (child) => {
        void journalWith('"title":"never ends"')
          .then(() => project.node([CLI, 'show-report']))
          .then(({ stdout, stderr }) => shown.push(stderr, stdout))
          .finally(() => child.kill('SIGKILL'));
      },
    });
    const [said, summary] = shown;
    expect(said).toBe(
      'The run is not over. This is its state after 5 of 7 tests. Its page is written when it ends.\n',
    );
    expect(summary).toMatch(/^Gemba: 4 of 6 passed/);
    expect(summary).not.toMatch(/Report:|ended before/);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.ndjson$/)]);
  });

  it('is not shown after a later run that ended', async () => {
    expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/\.ndjson$/));
    const good = await project.run({ args: ['-g', 'reads 0'] });
    expect(good.exitCode, good.output).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['history.json', 'index.html', 'report.json']);
    const shown = await project.node([CLI, 'show-report']);
    expect(shown.stdout).toMatch(/^Gemba: 1 of 1 passed/m);
    expect(await project.node([CLI, 'show-report', '--gate'])).toMatchObject({
      exitCode: 0,
      stdout: 'Gemba gate: passed\n',
    });
  });

  it('leaves nothing to show where nothing was written', async () => {
    const shown = await project.node([CLI, 'show-report', 'nowhere']);
    expect(shown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(shown.stderr).toContain('There is no report in');
  });
});
