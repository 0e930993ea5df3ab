import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokersWith } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { createInlineProject, runInlineTest } from '../harness/run-inline-test.ts';
import { sessionServer } from '../harness/servers.ts';

const KEYS = ['life-key-one', 'life-key-two'];

function configFor(url: string): string {
  const keys = KEYS.map((value, index) => ({ name: `qa-${index + 1}`, value, maxConcurrent: 1 }));
  return JSON.stringify({ pools: { api: { endpoints: [url], keys } } });
}

describe('a run with --reporter=line, a killed worker and a killed broker', () => {
  it('keeps every account exclusive, and ends with no process left', async () => {
    const server = await sessionServer(KEYS);
    const spec = `
      import { test, expect } from 'gemba-agent';
      for (let index = 0; index < 24; index++) {
        test('holds ' + index, async ({ request }) => {
          if (index === 5 && test.info().retry === 0) {
            request.get('/hold?ms=60000').catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 150));
            process.kill(process.pid, 'SIGKILL');
          }
          const response = await request.get('/hold?ms=250');
          expect(response.status()).toBe(200);
        });
      }
    `;
    const killed: number[] = [];
    const project = await createInlineProject(
      { 'gemba.config.json': configFor(server.url), 'life.spec.ts': spec },
      '{ workers: 4, retries: 1, fullyParallel: true, timeout: 5000 }',
    );
    const running = project.run({ args: ['--reporter=line'] });
    await until('some sessions were held', () => server.sessions.length >= 8);
    const configFile = path.join(project.folder, 'gemba.config.json');
    for (const pid of brokersWith(configFile)) {
      process.kill(pid, 'SIGKILL');
      killed.push(pid);
    }
    const result = await running;
    // One, and perhaps another that had lost the race to be it and was about to end.
    expect(killed).not.toHaveLength(0);
    expect(result.exitCode, result.output).toBe(0);
    expect(result.output).toContain('1 flaky');
    expect(result.output).toContain('23 passed');
    expect(server.refused()).toBe(0);
    await until('the broker is gone', () => brokersWith(configFile).length === 0);
    await server.close();
    await project.cleanup();
  });
});

describe('what a test can do to its lease', () => {
  it('gives it back after process.exit, a hanging teardown and a timeout', async () => {
    const server = await sessionServer(KEYS);
    const spec = `
      import { test as base, expect } from 'gemba-agent';
      const test = base.extend({
        hanging: async ({ request }, use) => { await use(request); await new Promise(() => {}); },
      });
      test.describe.configure({ mode: 'parallel' });
      test('exits', async ({ request }) => { await request.get('/'); process.exit(3); });
      test('hangs in a teardown', async ({ hanging }) => { await hanging.get('/'); });
      test('times out', async ({ request }) => { await request.get('/'); await new Promise(() => {}); });
      for (let index = 0; index < 6; index++) {
        test('works ' + index, async ({ request }) => {
          expect((await request.get('/hold?ms=200')).status()).toBe(200);
        });
      }
    `;
    const result = await runInlineTest(
      { 'gemba.config.json': configFor(server.url), 'own.spec.ts': spec },
      { config: '{ workers: 3, timeout: 1000 }' },
    );
    expect({ passed: result.passed, failed: result.failed }).toEqual({ passed: 6, failed: 3 });
    const verdicts = result.report!.tests.filter((test) => test.status === 'unexpected');
    expect(verdicts.find((test) => test.title.endsWith('exits'))!.verdict).toBe('unknown');
    expect(verdicts.find((test) => test.title.endsWith('times out'))!.verdict).toBe('product');
    await server.close();
    await result.cleanup();
  });
});

describe('two runs at once', () => {
  it('share the accounts of one configuration file', async () => {
    const server = await sessionServer(KEYS);
    const spec = `
      import { test, expect } from 'gemba-agent';
      for (let index = 0; index < 8; index++) {
        test('holds ' + index, async ({ request }) => {
          expect((await request.get('/hold?ms=200')).status()).toBe(200);
        });
      }
    `;
    const project = await createInlineProject(
      { 'gemba.config.json': configFor(server.url), 'two.spec.ts': spec },
      '{ workers: 2, fullyParallel: true }',
    );
    const runs = await Promise.all([
      project.run({ args: ['--reporter=line', '--output=results-1'] }),
      project.run({ args: ['--reporter=line', '--output=results-2'] }),
    ]);
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0]);
    expect(server.refused()).toBe(0);
    expect(server.mostAtOnce()).toBe(2);
    expect(execFileSync('ls', ['-ld', `/tmp/gemba-${process.getuid!()}`], { encoding: 'utf8' })).toMatch(
      /^drwx------/,
    );
    await server.close();
    await project.cleanup();
  });
});
