import path from 'node:path';
import { readFileSync } from 'node:fs';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import {
  deadUrl,
  findChromium,
  json,
  type SessionServer,
  sessionServer,
  startServer,
  type TestServer,
} from '../harness/servers.ts';
import { SCRIPTS, SPECS } from './specs.ts';

export type ModuleKind = 'esm' | 'cjs';

/** Which kind of project the suite is run as: the variable `GEMBA_COMPAT_MODULE`. */
export const moduleKind: ModuleKind = process.env['GEMBA_COMPAT_MODULE'] === 'cjs' ? 'cjs' : 'esm';

/** Before 1.53 Playwright never ends on Node 24 where a test file in JavaScript is an ES module, with or without this package. */
export const loadsScripts =
  moduleKind === 'cjs' ||
  Number(process.versions.node.split('.')[0]) < 24 ||
  !/^1\.(49|5[0-2])\./.test(process.env['GEMBA_TEST_PLAYWRIGHT'] ?? '');

export interface CoreProject extends InlineProject {
  readonly api: TestServer;
  readonly accounts: SessionServer;
  /** Whether there is a Chromium here. */
  readonly hasBrowser: boolean;
}

const ACCOUNT_KEYS = ['compat-account-1', 'compat-account-2'];

/** The core suite in a fresh folder beside the installed package, with its servers. */
export async function createCoreProject(): Promise<CoreProject> {
  const api = await startServer((seen, response) => {
    if (seen.url !== '/page') return json(response, 200, { path: seen.url, key: seen.token });
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<h1>Hello</h1><p role="status">key seen: ${seen.token !== null}</p>`);
  });
  const accounts = await sessionServer(ACCOUNT_KEYS);
  const launch = findChromium();
  const project = await createInlineProject(
    {
      ...SPECS,
      ...(loadsScripts && SCRIPTS[moduleKind]),
      'package.json': JSON.stringify({ type: moduleKind === 'esm' ? 'module' : 'commonjs' }),
      'gemba.config.json': JSON.stringify(await configOf(api.url, accounts.url)),
      'live.config.json': JSON.stringify({
        pools: { api: { keys: [{ name: 'one', value: 'compat-key-one' }] } },
      }),
    },
    `{
      workers: 4, retries: 1, fullyParallel: true,
      use: { launchOptions: ${JSON.stringify(launch ?? {})}, baseURL: process.env.PLAIN_URL },
    }`,
  );
  const cleanup = async (): Promise<void> => {
    await Promise.all([api.close(), accounts.close(), project.cleanup()]);
  };
  return { ...project, api, accounts, hasBrowser: launch !== undefined, cleanup };
}

async function configOf(api: string, accounts: string): Promise<object> {
  const both = [
    { name: 'dead', url: await deadUrl(), priority: 0 },
    { name: 'alive', url: api, priority: 1 },
  ];
  return {
    retryTests: 'environment',
    pools: {
      default: {
        endpoints: [{ name: 'only', url: api }],
        keys: [
          { name: 'staff', value: 'compat-key-staff' },
          { name: 'boss', value: 'compat-key-boss', labels: { role: 'admin' } },
        ],
      },
      accounts: {
        endpoints: [accounts],
        keys: ACCOUNT_KEYS.map((value) => ({ value, maxConcurrent: 1 })),
      },
      moved: { endpoints: both, routing: 'priority' },
      mixed: { endpoints: both, routing: 'priority', maxFailures: 100, ejection: { base: 1, max: 1 } },
      // A call every 2 s.
      paced: { endpoints: [api], keys: [{ name: 'slow', value: 'compat-key-slow', rpm: 30 }] },
      single: { endpoints: [api], keys: [{ name: 'sole', value: 'compat-key-sole', maxConcurrent: 1 }] },
    },
  };
}

/** The statuses of a test's attempts, as Playwright's own JSON report has them. */
export function requestsOf(result: InlineResult, title: string): string[] {
  return testOf(result, title).results.map(({ status }) => status ?? 'none');
}

type Suites = NonNullable<InlineResult['results']>['suites'];
type JsonTest = Suites[number]['specs'][number]['tests'][number];

export function testOf({ results, output }: InlineResult, title: string): JsonTest {
  const specs = (suites: Suites): Suites[number]['specs'] =>
    suites.flatMap((suite) => [...suite.specs, ...specs(suite.suites ?? [])]);
  const found = specs(results?.suites ?? []).find((spec) => spec.title === title)?.tests[0];
  if (!found) throw new Error(`No test "${title}" was run:\n${output}`);
  return found;
}

export function readOf(folder: string, name: string): string {
  return readFileSync(path.join(folder, name), 'utf8');
}
