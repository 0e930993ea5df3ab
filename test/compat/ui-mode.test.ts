import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { save } from '../harness/config-client.ts';
import { startUiMode } from '../harness/interactive.ts';
import { reportSchema } from '../harness/report.ts';
import { createInlineProject } from '../harness/run-inline-test.ts';
import { findChromium, json, startServer } from '../harness/servers.ts';
import { readOf } from './project.ts';

const SPEC = `
  import { appendFileSync } from 'node:fs';
  import { test, expect } from 'gemba-agent';
  for (const side of ['left', 'right']) {
    test(side, async ({ request, lease }) => {
      expect((await request.get('/')).ok()).toBe(true);
      appendFileSync('leases.log', lease.key.name + '\\n');
    });
  }
`;

describe('UI mode', () => {
  it('UI mode in a browser: its tests lease, and an edit between runs is obeyed', async (context) => {
    const launch = findChromium();
    if (!launch) return context.skip('no Chromium here');
    const server = await startServer((_seen, response) => json(response, 200, {}));
    const configOf = (key: string): string =>
      JSON.stringify({
        pools: { api: { endpoints: [server.url], keys: [{ name: key, value: `compat-key-${key}` }] } },
      });
    const project = await createInlineProject(
      { 'a.spec.ts': SPEC, 'gemba.config.json': configOf('one') },
      '{ workers: 2, fullyParallel: true }',
    );
    const ui = await startUiMode(project.folder, launch);
    try {
      await ui.run();
      expect(await ui.status(), ui.output()).toMatch(/^2\/2 [^f]*\bpassed/);
      expect(readOf(project.folder, 'leases.log')).toBe('one\none\n');
      save(path.join(project.folder, 'gemba.config.json'), configOf('two'));
      await ui.run();
      expect(await ui.status(), ui.output()).toMatch(/^2\/2 [^f]*\bpassed/);
      expect(readOf(project.folder, 'leases.log')).toBe('one\none\ntwo\ntwo\n');
    } finally {
      await ui.end();
      await server.close();
    }
    const report = reportSchema.parse(JSON.parse(readOf(project.folder, 'gemba-report/report.json')));
    expect(report.totals).toMatchObject({ tests: 2, passed: 2, leases: 2 });
    expect(existsSync(path.join(project.folder, 'gemba-report/index.html'))).toBe(true);
    const told = server.requests.map(({ token }) => token);
    expect(told).toEqual(['one', 'one', 'two', 'two'].map((key) => `compat-key-${key}`));
    await project.cleanup();
  });
});
