import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createExample } from '../harness/examples.ts';
import { reportSchema } from '../harness/report.ts';
import { createInlineProject, runInlineTest } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const KEY = 'canary-key-4711';

let server: TestServer;

beforeAll(async () => {
  server = await startServer((seen, response) =>
    seen.token === KEY
      ? json(response, 200, { path: seen.url })
      : json(response, 401, { error: 'unknown key' }),
  );
});

afterAll(() => server.close());

const CONFIG = `{
  "pools": {
    "api": {
      "endpoints": [{ "name": "only", "url": "\${API_URL}" }],
      "keys": [{ "name": "ci-1", "value": "\${API_KEY}" }], // comments and a trailing comma are fine
    },
  },
}`;

const BODY = `
  test('reads through a lease', async ({ request, lease }) => {
    const response = await request.get('/orders');
    expect(response.status()).toBe(200);
    expect(lease.key.name).toBe('ci-1');
  });
`;

/** One in CommonJS and JavaScript is among the examples. */
const PROJECTS: Record<string, Record<string, string>> = {
  'an ESM project in TypeScript': {
    'package.json': '{ "type": "module" }',
    'orders.spec.ts': `import { test, expect } from 'gemba-agent';${BODY.replace('lease.key.', 'lease.key?.')}`,
  },
  'an ESM project in JavaScript': {
    'package.json': '{ "type": "module" }',
    'playwright.config.js': `
      import { defineConfig } from '@playwright/test';
      export default defineConfig({ reporter: [['list'], ['gemba-agent/reporter']] });
    `,
    'orders.spec.js': `import { test, expect } from 'gemba-agent';${BODY}`,
  },
  'a CommonJS project in TypeScript': {
    'package.json': '{}',
    'orders.spec.ts': `import { test, expect } from 'gemba-agent';${BODY.replace('lease.key.', 'lease.key?.')}`,
  },
};

for (const [kind, files] of Object.entries(PROJECTS)) {
  test(`${kind} leases and reports`, async () => {
    const before = server.requests.length;
    const result = await runInlineTest(
      { ...files, 'gemba.config.json': CONFIG },
      { env: { API_URL: server.url, API_KEY: KEY } },
    );
    expect(result.output).toMatch(/^Gemba:/m);
    expect(result).toMatchObject({ exitCode: 0, passed: 1, failed: 0, flaky: 0 });
    expect(server.requests.slice(before).map(({ url, token }) => [url, token])).toEqual([['/orders', KEY]]);
    const report = reportSchema.parse(result.report);
    expect(report.totals).toMatchObject({
      tests: 1,
      passed: 1,
      leases: 1,
      calls: 1,
      requests: 1,
      successes: 1,
    });
    expect(report.tests[0]?.results[0]?.leases).toMatchObject([
      { pool: 'api', endpoint: 'only', key: 'ci-1' },
    ]);
  });
}

test("a user's own TypeScript project compiles against the package", async () => {
  const project = await createInlineProject({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: 'nodenext',
        target: 'es2022',
        types: [],
        skipLibCheck: true,
      },
      include: ['*.ts'],
    }),
    'orders.spec.ts': `
      import { test as base } from '@playwright/test';
      import { test, expect, gembaFixtures, defineGembaConfig, GembaError } from 'gemba-agent';
      import type { Gemba, Lease, OutcomeKind } from 'gemba-agent';
      import { createRouter } from 'gemba-agent/router';
      import { gembaConfigSchema, loadGembaConfig } from 'gemba-agent/config';
      import GembaReporter from 'gemba-agent/reporter';
      export const own = base.extend(gembaFixtures);
      export const config = defineGembaConfig({ pools: { api: { endpoints: ['http://127.0.0.1:1'] } } });
      export const router = createRouter({ now: () => 0, random: Math.random });
      export const kind: OutcomeKind = 'rate-limit';
      export const others = [gembaConfigSchema, loadGembaConfig, GembaReporter];
      test.use({ gembaPool: 'api', gembaNeed: { role: 'admin' } });
      test('typed', async ({ request, lease, gemba, workerLease, page, baseURL }) => {
        const held: Lease = await gemba.lease({ pool: 'api', need: { role: 'admin' }, timeoutMs: 100 });
        const keyName: string | undefined = held.key?.name;
        gemba.record({ kind: 'server', status: 503, durationMs: 12, lease: held } satisfies Parameters<Gemba['record']>[0]);
        await held.release();
        expect([keyName, lease.endpoint?.url, workerLease.pool, baseURL, page, request]).toBeDefined();
        // @ts-expect-error not an outcome
        gemba.record({ kind: 'bad' });
      });
      own('typed too', async ({ lease }) => { expect(lease.headers).toEqual({}); });
      export const isOurs = (error: unknown): boolean => error instanceof GembaError && error.code.startsWith('GEMBA_');
    `,
  });
  const { exitCode, output } = await project.node([compiler, '-p', 'tsconfig.json']);
  expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
});

test.each(['quick-start', 'accounts', 'existing-suite', 'llm-keys', 'sharded-redis', 'strategies', 'tokens'])(
  'the example %s compiles as a newcomer would copy it',
  async (name) => {
    const project = await createExample(name);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2023',
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [fileURLToPath(new URL('../../node_modules/@types', import.meta.url))],
    };
    await project.write({
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts', 'tests'] }),
    });
    const { exitCode, output } = await project.node([compiler, '-p', 'tsconfig.json']);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
    await project.cleanup();
  },
);
