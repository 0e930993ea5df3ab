import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportSchema } from '../harness/report.ts';
import { requestsOf, type CoreProject, createCoreProject, readOf } from './project.ts';

describe('the core suite', () => {
  let project: CoreProject;

  beforeAll(async () => {
    project = await createCoreProject();
  });

  afterAll(() => project.cleanup());

  it('GEMBA_DISABLE=1: is plain Playwright', async () => {
    const env = { GEMBA_DISABLE: '1', PLAIN_URL: project.api.url };
    const result = await project.run({ args: ['drop-in.spec.ts', '--workers=1'], env });
    expect(requestsOf(result, 'is plain where it is switched off'), result.output).toEqual(['passed']);
    expect(result.report!.totals).toMatchObject({ tests: 1, leases: 0 });
  });

  it('blob and merge-reports: makes one report of two shards', async () => {
    const files = ['accounts.spec.ts', 'calls.spec.ts'];
    for (const shard of [1, 2]) {
      const env = { PLAYWRIGHT_BLOB_OUTPUT_FILE: path.join(project.folder, `blobs/${shard}.zip`) };
      const { exitCode, output } = await project.run({
        args: [...files, `--shard=${shard}/2`, '--workers=1', '--reporter=blob'],
        env,
      });
      expect(exitCode, output).toBe(0);
    }
    const cli = 'node_modules/@playwright/test/cli.js';
    const merging = await project.node([cli, 'merge-reports', 'blobs', '--reporter=gemba-agent/reporter']);
    expect(merging.output).toMatch(/^Gemba: 16 of 16 passed/m);
    const report = reportSchema.parse(JSON.parse(readOf(project.folder, 'gemba-report/report.json')));
    expect(report.run.shards).toEqual({ total: 2, present: [1, 2] });
    expect(report.totals).toMatchObject({ tests: 16, passed: 16 });
    expect(report.pools.find(({ name }) => name === 'accounts')!.endpoints[0]!.leases).toBe(8);
  });
});
