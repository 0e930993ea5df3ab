import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createInlineProject,
  type Finished,
  type InlineProject,
  type InlineResult,
} from '../harness/run-inline-test.ts';
import { findSecrets } from '../harness/secrets.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';
const SECRETS = {
  CARED_FOR: 'canary-cared-7f3a9c/+&',
  ECHOED: 'canary-echoed-b40c77/+&',
  LEAKED: 'canary-leaked-51d2e8/+&',
};

/** What a test does with a key that the plugin hands it: to the error log, too. */
const SPEC = `
import { test, expect } from 'gemba-agent';
import { writeFileSync } from 'node:fs';
test('is careful', async ({ request, lease, gemba }) => {
  expect((await request.get('/down')).status()).toBe(503);
  gemba.record({ kind: 'server', status: 503, message: 'refused ' + lease.key.value });
  gemba.record({ kind: 'network', message: 'http://me:' + encodeURIComponent(lease.key.value) + '@host/ refused' });
  gemba.record({ kind: 'network', message: Buffer.from('me:' + lease.key.value).toString('base64') + ' refused' });
  await request.post('/cut').catch(() => {});
  expect(1).toBe(2);
});
test.describe('a server', () => {
  test.use({ gembaPool: 'echoing' });
  test('tells the key to everybody', async ({ request }) => { expect((await request.get('/echo')).status()).toBe(503); });
});
test.describe('leaks', () => {
  test.use({ gembaPool: 'leaky' });
  test('to stdout', async ({ lease }) => { console.log('the key is ' + lease.key.value); });
  test('in an error', async ({ lease }) => { throw new Error('no entry with ' + lease.key.value); });
  test('in an address', async ({ lease, playwright }) => {
    const context = await playwright.request.newContext();
    const url = new URL(lease.endpoint.url);
    url.username = 'me';
    url.password = lease.key.value;
    await context.get(url.href + 'in-address');
    throw new Error(url.href);
  });
  test('in a header of its own, into a file', async ({ lease }, testInfo) => {
    const basic = 'Basic ' + Buffer.from('me:' + lease.key.value).toString('base64');
    writeFileSync(testInfo.outputPath('header.txt'), 'first\\nauthorization: ' + basic);
    await testInfo.attach('header', { body: basic });
  });
});
`;

describe('canary keys', () => {
  let server: TestServer;
  let project: InlineProject;
  let result: InlineResult;

  beforeAll(async () => {
    server = await startServer((seen, response, request) => {
      if (seen.url === '/cut') return void request.socket.destroy();
      if (seen.url === '/down') return json(response, 503, {});
      if (seen.url === '/echo') {
        response.writeHead(503, `no ${seen.token}`, { 'x-echo': String(seen.headers.authorization) }).end();
      } else json(response, 200, {});
    });
    const pool = (name: keyof typeof SECRETS): object => {
      const keys = [{ name: 'ci-1', value: `\${${name}}` }];
      return { endpoints: [{ name: 'only', url: server.url }], keys, maxFailures: 1000, maxRetries: 0 };
    };
    project = await createInlineProject(
      {
        'gemba.config.json': JSON.stringify({
          pools: { default: pool('CARED_FOR'), echoing: pool('ECHOED'), leaky: pool('LEAKED') },
        }),
        'canary.spec.ts': SPEC,
      },
      `{
        workers: 1, retries: 1, use: { trace: 'on' },
        reporter: [['list'], ['json', { outputFile: 'results.json' }], ['junit', { outputFile: 'junit.xml' }], ['blob'], ['html', { open: 'never' }], ['gemba-agent/reporter']],
      }`,
    );
    result = await project.run({ env: SECRETS });
  });

  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  const gemba = async (...args: string[]): Promise<Finished> => {
    const finished = await project.node([CLI, ...args], { env: SECRETS });
    for (const secret of Object.values(SECRETS)) expect(finished.output).not.toContain(secret);
    return finished;
  };

  it('are in nothing that the plugin wrote or caused', async () => {
    expect({ failed: result.failed, passed: result.passed }).toEqual({ failed: 3, passed: 3 });
    expect(result.report!.errors.length).toBeGreaterThan(5);
    expect(await findSecrets(path.join(project.folder, 'gemba-report'), SECRETS)).toEqual([]);
    const { CARED_FOR, ECHOED } = SECRETS;
    expect(await findSecrets(project.folder, { CARED_FOR })).toEqual([]);
    expect(result.output).not.toContain(CARED_FOR);
    // What a server itself tells stands in the trace of its answer, and nowhere else.
    const echoed = await findSecrets(project.folder, { ECHOED });
    expect(echoed.filter(({ file }) => !/\.zip!.*\.(trace|network)$/.test(file))).toEqual([]);
    expect(server.requests.some(({ headers }) => headers.authorization === `Bearer ${CARED_FOR}`)).toBe(true);
  });

  it('are found by gemba scan where a test has leaked them: file, inner path and key, never the value', async () => {
    expect(await gemba('scan', 'gemba-report')).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout } = await gemba('scan', '.', '--json');
    expect(exitCode).toBe(1);
    const { findings, unfinished } = JSON.parse(stdout) as {
      findings: {
        file: string;
        inner: string[];
        key: string;
        fingerprint: string;
        form: string;
        line: number | null;
      }[];
      unfinished: unknown[];
    };
    // The packages of this project are a link to those of another.
    const linked = { file: 'node_modules', inner: [], why: expect.stringContaining('leads out') as unknown };
    expect(unfinished).toEqual([linked]);
    const leaked = findings.filter(({ key }) => key === 'leaky/ci-1');
    const places = leaked.map(({ file, inner }) => [file, ...inner].join(' > '));
    for (const place of [
      /^results\.json$/,
      /^junit\.xml$/,
      /^blob-report\/report\.zip > report\.jsonl$/,
      /^playwright-report\/index\.html > base64 at byte \d+ > [\w-]+\.json$/,
      /^test-results\/.*\/trace\.zip > /,
      /^blob-report\/report\.zip > resources\/\w+\.zip > /,
    ]) {
      expect(places).toContainEqual(expect.stringMatching(place));
    }
    const header = leaked.find(({ file }) => file.endsWith('header.txt'));
    expect(header).toMatchObject({
      form: 'base64',
      line: 2,
      fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) as unknown,
    });
    expect(findings.some(({ file }) => file.startsWith('gemba-report'))).toBe(false);
  });

  it('are found in what people read, too', async () => {
    rmSync(path.join(project.folder, 'gemba-report'), { recursive: true });
    const { exitCode, stdout } = await gemba('scan', 'test-results');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^\S+header\.txt:2 \(byte \d+\): the value of leaky\/ci-1 \[[0-9a-f]{8}\], base64$/m,
    );
    expect(stdout).toMatch(
      /^Searched \d+ files and \d+ inside them for 3 secrets: \d secrets? w\w+ found, in \d+ files\.$/m,
    );
  });
});
