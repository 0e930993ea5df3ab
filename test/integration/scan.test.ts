import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';
import { findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const SECRETS = { TYPED: 'canary-typed-7f3a9c/+&', LEAKED: 'canary-leaked-51d2e8/+&' };

const SPEC = `
import { test, expect } from 'gemba-agent';
test.describe('accounts', () => {
  test('signs in by a form', async ({ page }) => {
    await page.setContent('<input id="p" type="password">');
    await test.step('fill in the form', () => page.fill('#p', process.env.TYPED));
    expect(await page.inputValue('#p')).not.toBe('');
  });
  test('puts a key into a step', async ({ request }) => {
    await test.step('ask with ' + process.env.LEAKED, () => request.get('/orders'));
  });
});
`;

interface Finding {
  file: string;
  inner: string[];
  key: string;
  typed: boolean;
  where: { test: string; step: string | null }[];
}

describe.skipIf(!findChromium())('gemba scan', () => {
  let server: TestServer;
  let project: InlineProject;
  let findings: Finding[];
  let text: string;

  beforeAll(async () => {
    server = await startServer((_seen, response) => json(response, 200, {}));
    const keys = [
      { name: 'ada', fields: { username: 'ada', password: '${TYPED}' } },
      { name: 'ci-1', value: '${LEAKED}' },
    ];
    const pools = { default: { endpoints: [server.url], auth: 'none', keys } };
    project = await createInlineProject(
      { 'gemba.config.json': JSON.stringify({ pools }), 'a.spec.ts': SPEC },
      `{
        outputDir: 'out/results', use: { trace: 'on', launchOptions: ${JSON.stringify(findChromium())} },
        reporter: [['list'], ['json', { outputFile: 'out/results.json' }], ['junit', { outputFile: 'out/junit.xml' }],
          ['html', { open: 'never', outputFolder: 'out/html' }], ['blob', { outputDir: 'out/blob' }], ['gemba-agent/reporter', { outputFolder: 'out/gemba' }]],
      }`,
    );
    const run = await project.run({ env: SECRETS });
    expect(run.exitCode, run.output).toBe(0);
    const scan = (...args: string[]): ReturnType<InlineProject['node']> =>
      project.node(['node_modules/gemba-agent/dist/cli.cjs', 'scan', 'out', ...args], { env: SECRETS });
    const found = await scan('--json');
    expect(found.exitCode).toBe(1);
    findings = (JSON.parse(found.stdout) as { findings: Finding[] }).findings;
    text = (await scan()).stdout;
    for (const value of Object.values(SECRETS)) expect(found.stdout + text).not.toContain(value);
  });
  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  const places = (key: string): string[] =>
    findings.filter((finding) => finding.key === key).map(({ file, inner }) => [file, ...inner].join(' > '));

  it('reports what a test typed into a page apart, with test and step', () => {
    const typed = findings.filter((finding) => finding.typed);
    expect(new Set(typed.map(({ key }) => key))).toEqual(new Set(['default/ada (password)']));
    expect(typed.length).toBe(places('default/ada (password)').length);
    for (const place of [
      /^results\/.*trace\.zip > test\.trace$/,
      /^html\/data\/.*\.zip > test\.trace$/,
      /^html\/index\.html > .*\.json$/,
    ]) {
      expect(places('default/ada (password)')).toContainEqual(expect.stringMatching(place));
    }
    const step = { test: 'accounts › signs in by a form', step: 'Fill "[key default/ada (password)]"' };
    const inTrace = typed.find(({ file, inner }) => file.startsWith('results/') && inner[0] === 'test.trace');
    expect(inTrace!.where).toContainEqual(step);
    expect(text).toContain('Typed by a test: Playwright shows what a test types in titles of steps');
    expect(text).toContain(
      '    test: accounts › signs in by a form, step: Fill "[key default/ada (password)]"\n',
    );
  });

  it('names test and step of a leak in each kind of artifact', () => {
    const leaks = findings.filter(({ key, typed }) => key === 'default/ci-1' && !typed);
    const whereIn = (place: RegExp): Finding['where'] =>
      leaks
        .filter(({ file, inner }) => place.test([file, ...inner].join(' > ')))
        .flatMap(({ where }) => where);
    const test = 'accounts › puts a key into a step';
    const step = 'ask with [key default/ci-1]';
    expect(whereIn(/^results\/.*trace\.zip > test\.trace$/)).toContainEqual({ test, step });
    expect(whereIn(/^html\/index\.html > .*\.json$/)).toContainEqual({ test, step });
    expect(whereIn(/^blob\/report\.zip > report\.jsonl$/)).toContainEqual({ test, step });
    expect(places('default/ci-1').filter((place) => place.startsWith('gemba/'))).toEqual([]);
  });
});
