import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';

/** What users write, as an ESM (`.mts`) and as a CommonJS (`.cts`) module of one program. */
const CONSUMER = `
  import { test as base } from '@playwright/test';
  import { defineGembaConfig, expect, GembaError, gembaFixtures, test } from 'gemba-agent';
  import type { Gemba, Lease, OutcomeKind, RunOptions, StrategyContext } from 'gemba-agent';
  import { gembaConfigSchema, loadGembaConfig, watchGembaConfig } from 'gemba-agent/config';
  import GembaReporter from 'gemba-agent/reporter';
  import { createRouter } from 'gemba-agent/router';
  import type { Reporter } from '@playwright/test/reporter';

  export const own = base.extend(gembaFixtures);
  export const further = test.extend<{ name: string }>({ name: async ({ lease }, use) => use(lease.pool) });
  export const reporter: Reporter = new GembaReporter({ outputFolder: 'report', live: { port: 0 } });
  export const config = defineGembaConfig({ pools: { api: { endpoints: ['http://127.0.0.1:1'] } } });
  export const router = createRouter({ now: () => 0, random: Math.random });
  export const kind: OutcomeKind = 'rate-limit';
  export const others = [gembaConfigSchema, loadGembaConfig, watchGembaConfig];
  export const options: RunOptions = { timeoutMs: 100, fallback: false };
  export const strategy = (context: StrategyContext): Promise<number> => Promise.resolve(context.attempt);
  export const isOurs = (error: unknown): boolean => error instanceof GembaError && error.code.startsWith('GEMBA_');

  test.use({ gembaPool: 'api', gembaNeed: { role: 'admin' } });
  test('typed', async ({ request, page, baseURL, lease, gemba, workerLease }) => {
    const held: Lease = await gemba.lease({ pool: 'api', need: { role: 'admin' }, timeoutMs: 100 });
    const name: string | undefined = held.key?.name;
    const answer: Response = await gemba.fetch(new URL('http://127.0.0.1:1'), { lease: held, idempotent: true });
    const done: number = await gemba.run('a task', { strategy }, options);
    gemba.record({ kind, status: 503, lease: held } satisfies Parameters<Gemba['record']>[0]);
    expect([name, answer.ok, done, lease.endpoint?.url, workerLease.pool, baseURL, page, request]).toBeDefined();
    // @ts-expect-error not an outcome
    gemba.record({ kind: 'bad' });
  });
  own('typed too', async ({ lease }) => { expect(lease.headers).toEqual({}); });
`;

const SETTINGS = {
  nodenext: { module: 'nodenext' },
  node16: { module: 'node16' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
  'commonjs with bundler': { module: 'commonjs', moduleResolution: 'bundler' },
};

const version = process.env['GEMBA_COMPAT_TYPESCRIPT'];

describe.runIf(version)('TypeScript', () => {
  let project: InlineProject;

  beforeAll(async () => {
    project = await createInlineProject({ 'esm.mts': CONSUMER, 'cjs.cts': CONSUMER });
  });

  afterAll(() => project.cleanup());

  async function compile(name: string, options: object): Promise<string[]> {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'],
      ...options,
    };
    const file = `tsconfig.${name.replaceAll(' ', '-')}.json`;
    await project.write({ [file]: JSON.stringify({ compilerOptions, include: ['*.mts', '*.cts'] }) });
    const compiler = path.join('node_modules/typescript/bin/tsc');
    const { output } = await project.node([compiler, '-p', file], { timeoutMs: 280_000 });
    return output.split('\n').filter((line) => /error TS\d+/.test(line) && !isOfPlaywright(line));
  }

  for (const [name, options] of Object.entries(SETTINGS)) {
    it(`module ${name}`, async () => {
      const errors = await compile(name, options);
      expect(errors.filter((error) => !isDeclared(name, error))).toEqual([]);
      // A declaration that is out of date is as wrong as a failure that is none.
      expect(errors.length > 0).toBe(declares(name));
    });
  }
});

/** The types of Playwright 1.49 have words that TypeScript 6 does not take any more; of ours nothing is let through. */
function isOfPlaywright(error: string): boolean {
  return /node_modules\/playwright-core\/types\/protocol\.d\.ts.* error TS1540: /.test(error);
}

/** CommonJS modules under `node16` may not import ESM packages; TypeScript 5 has no `commonjs` with `bundler`. */
function isDeclared(name: string, error: string): boolean {
  if (name === 'node16') return /^cjs\.cts.* error TS(1479|1541): /.test(error);
  return declares(name) && / error TS5095: /.test(error);
}

function declares(name: string): boolean {
  return name === 'node16' || (name === 'commonjs with bundler' && version!.startsWith('5'));
}
