import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateFolders } from '../../src/shared/private-folder.ts';
import { brokersWith } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const spec = `
  import { test } from 'gemba-agent';
  test('by request', async ({ request }) => { await request.get('/x'); });
  test('by lease', async ({ lease }) => { await lease.newRequest(); });
  test('by gemba', async ({ gemba }) => { await gemba.lease(); });
  test('no pool', async ({ gemba }) => { await gemba.lease({ pool: 'nopool' }); });
  test('no endpoint', async ({ gemba }) => { await gemba.lease({ endpoint: 'nowhere' }); });
  test('a miss', async ({ gemba }) => { await gemba.lease({ pool: 'defualt' }); });
`;

describe('errors that a user reads', () => {
  let server: TestServer;
  let project: InlineProject;

  beforeAll(async () => {
    server = await startServer((_, response) => json(response, 200, {}));
    project = await createInlineProject(
      { 'a.spec.ts': spec },
      '{ workers: 2, fullyParallel: true, retries: 0 }',
    );
  });
  afterAll(() => Promise.all([server.close(), project.cleanup()]));

  it('end with a hint where there is no configuration', async () => {
    const { failed, output } = await project.run({ args: ['-g', 'by lease'] });
    expect(failed, output).toBe(1);
    expect(output).toContain('(GEMBA_CONFIG_NOT_FOUND)');
    expect(output.trimEnd().split('\n').at(-1)).toContain('create one: npx gemba init');
  });

  it('are in full once a run for a configuration, before its tests, and one line in each test', async () => {
    await project.write({
      'gemba.config.json': `{ "pools": { "default": { "endpoints": ["${server.url}"], "timeot": 3, "keys": ["\${NOT_SET}"] } } }`,
    });
    const { failed, output, report } = await project.run();
    expect(failed, output).toBe(6);
    expect(output.match(/unknown field; did you mean "timeout"\?/g)).toHaveLength(1);
    expect(output.match(/the variable NOT_SET is not set/g)).toHaveLength(1);
    expect(output.indexOf('did you mean "timeout"?')).toBeLessThan(output.indexOf('a.spec.ts:'));
    const lines = [...output.matchAll(/^ *(GembaError: .*)/gm)].map(([, line]) => line);
    expect(new Set(lines)).toEqual(
      new Set([
        'GembaError: gemba.config.json is not valid (2 problems, listed at the start of this run and by `npx gemba check`). (GEMBA_CONFIG_INVALID)',
      ]),
    );
    expect(output).not.toContain(path.join('node_modules', 'gemba-agent'));
    expect(report!.verdicts).toMatchObject({ unknown: 6 });
    expect(report!.run.configErrors.map((problem) => problem.split('  ')[1])).toEqual([
      expect.stringContaining('pools.default.timeot'),
      expect.stringContaining('pools.default.keys[0]'),
    ]);
  });

  it('quote what was asked for, with the known names', async () => {
    const config = {
      pools: { default: { endpoints: [{ name: 'eu', url: server.url }] }, api: { keys: ['k'] } },
    };
    await project.write({ 'gemba.config.json': JSON.stringify(config) });
    const known = await project.run({ args: ['-g', 'no |a miss'] });
    const file = path.join(project.folder, 'gemba.config.json');
    expect(new Set(known.output.match(/GembaError: .*/g))).toEqual(
      new Set([
        `GembaError: There is no pool "nopool" in ${file}. Its pools: "default", "api". (GEMBA_POOL_UNKNOWN)`,
        'GembaError: Pool "default" has no endpoint "nowhere". Known: "eu". (GEMBA_ENDPOINT_UNKNOWN)',
        `GembaError: There is no pool "defualt" in ${file}. Did you mean "default"? Its pools: "default", "api". (GEMBA_POOL_UNKNOWN)`,
      ]),
    );
    expect(known.output).not.toContain('gemba init');
  });

  it('have what a lost broker printed, in the terminal and in the report', async () => {
    const config = { pools: { default: { endpoints: [{ name: 'eu', url: server.url }] } } };
    await project.write({
      'gemba.config.json': JSON.stringify(config),
      'lost.spec.ts': `
        import { existsSync } from 'node:fs';
        import { test } from 'gemba-agent';
        test('goes on', async ({ request, gemba }) => {
          await request.get('/before');
          while (!existsSync('lost')) await new Promise((done) => setTimeout(done, 50));
          await request.get('/after');
          await gemba.lease();
        });
      `,
    });
    const file = path.join(project.folder, 'gemba.config.json');
    const running = project.run({ args: ['lost.spec.ts'] });
    await until('the test holds a lease', () => server.requests.some(({ url }) => url === '/before'));
    const [broker] = brokersWith(file);
    // Node.js opens its inspector then, and says so.
    process.kill(broker!, 'SIGUSR1');
    await until('it has printed', () => printedBy(broker!) > 0);
    process.kill(broker!, 'SIGKILL');
    await project.write({ lost: '' });
    const { passed, output, report } = await running;
    expect(passed, output).toBe(1);
    expect(output).toContain(
      `the broker (process ${broker}) ended unexpectedly; running tests keep their leases.`,
    );
    expect(output.match(/inspector/g), output).toHaveLength(1);
    expect(output).toContain('the broker ended unexpectedly 1 time; what it printed is in the report');
    expect(report!.run.brokerErrors).toEqual([expect.stringContaining('inspector')]);
  });
});

function printedBy(pid: number): number {
  const [file] = [...privateFolders()].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(`-${pid}.stderr`))
      .map((name) => path.join(folder, name)),
  );
  return file === undefined ? 0 : statSync(file).size;
}
