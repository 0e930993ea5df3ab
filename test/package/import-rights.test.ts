import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Who may import whom; what a folder's line does not name, it must not import. */
const RIGHTS: Record<string, readonly string[]> = {
  core: [],
  router: ['core'],
  shared: ['core'],
  config: ['core', 'shared'],
  http: ['core', 'shared'],
  redis: ['core', 'shared'],
  broker: ['core', 'router', 'redis', 'config', 'shared'],
  link: ['core', 'shared'],
  fixtures: ['link', 'http', 'config', 'router', 'shared', 'core'],
  reporter: ['shared', 'core', 'config', 'link'],
  cli: ['link', 'config', 'http', 'shared', 'core', 'reporter'],
};

/** [file, source, the rule that must refuse it, or null where it is allowed] */
const CASES: [string, string, string | null][] = [
  ...Object.keys(RIGHTS).flatMap((from) =>
    Object.keys(RIGHTS)
      .filter((to) => to !== from && !(from === 'link' && to === 'broker'))
      .map((to): [string, string, string | null] => [
        `src/${from}/to-${to}.ts`,
        `import '../${to}/some.ts';`,
        RIGHTS[from]?.includes(to) ? null : 'no-restricted-imports',
      ]),
  ),
  ['src/index.ts', `export * from './link/link.ts';`, 'no-restricted-imports'],
  ['src/http/protocols/deep.ts', `import '../../link/link.ts';`, 'no-restricted-imports'],
  ['src/http/protocols/near.ts', `import '../classify.ts';`, null],
  ['src/core/up.ts', `import '../index.ts';`, 'no-restricted-imports'],
  ['src/fixtures/up.ts', `import '../index.ts';`, 'no-restricted-imports'],
  [
    'src/fixtures/typed.ts',
    `import type { A } from '../reporter/a.ts'; export type B = A;`,
    'no-restricted-imports',
  ],
  ['src/link/protocol.ts', `import '../broker/protocol.ts';`, null],
  ['src/link/server.ts', `import '../broker/server.ts';`, 'no-restricted-imports'],
  ['src/core/node.ts', `import 'node:fs';`, 'no-restricted-imports'],
  ['src/core/package.ts', `import 'zod';`, 'no-restricted-imports'],
  ['src/router/node.ts', `import 'node:fs';`, 'no-restricted-imports'],
  ['src/http/client.ts', `import 'undici';`, null],
  ['src/fixtures/undici.ts', `import 'undici';`, 'no-restricted-imports'],
  ['src/config/watch.ts', `import 'chokidar';`, null],
  ['src/config/load.ts', `import 'chokidar';`, 'no-restricted-imports'],
  ['src/config/link.ts', `import '../link/link.ts';`, 'no-restricted-imports'],
  ['src/reporter/templates.ts', `import 'handlebars';`, null],
  ['src/reporter/view.ts', `import 'handlebars/runtime.js';`, 'no-restricted-imports'],
  ['src/redis/claims.ts', `import '@redis/client';`, null],
  ['src/broker/redis.ts', `import 'ioredis';`, 'no-restricted-imports'],
  ['src/core/clock.ts', `export const now = (): number => Date.now();`, null],
  ['src/core/time.ts', `export const now = (): number => Date.now();`, 'no-restricted-properties'],
  ['src/broker/time.ts', `export const now = (): number => performance.now();`, 'no-restricted-properties'],
  ['src/router/chance.ts', `export const chance = (): number => Math.random();`, 'no-restricted-properties'],
  ['src/cli/end.ts', `process.exit(1);`, 'no-restricted-properties'],
  ['src/http/env.ts', `export const home = process.env['HOME'];`, 'no-process-env'],
  ['src/broker/env.ts', `export const home = process.env['HOME'];`, 'no-process-env'],
  ['src/broker/run.ts', `export const home = process.env['HOME'];`, null],
  ['src/config/env.ts', `export const home = process.env['HOME'];`, null],
  ['src/cli/default.ts', `export default 1;`, 'no-default-export'],
  ['src/reporter/index.ts', `export default class Some {}`, null],
  ['src/fixtures/empty.ts', `export const fixture = ({}: object): number => 1;`, null],
  ['src/http/empty.ts', `export const fixture = ({}: object): number => 1;`, 'no-empty-pattern'],
  ['src/http/any.ts', `export const some = (value: any): string => String(value);`, 'no-explicit-any'],
  ['src/shared/cycle-a.ts', `import { b } from './cycle-b.ts'; export const a = b;`, 'no-cycle'],
  ['src/shared/cycle-b.ts', `import { a } from './cycle-a.ts'; export const b = a;`, 'no-cycle'],
];

let folder: string;
let found: Map<string, string[]>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gemba-lint-'));
  for (const [file, source] of CASES) await plant(file, source);
  await copyFile(path.join(root, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'));
  found = await lint();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('every import that the plan of the house forbids is refused, every other is not', () => {
  const expected = CASES.map(([file, source, rule]) => `${file}: ${source} → ${rule ?? 'allowed'}`);
  const actual = CASES.map(
    ([file, source]) => `${file}: ${source} → ${found.get(file)?.join(', ') ?? 'allowed'}`,
  );
  expect(actual).toEqual(expected);
});

async function plant(file: string, source: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), `${source}\n`);
}

interface Diagnostics {
  diagnostics: { code: string; filename: string }[];
}

/** The rules that each file breaks. */
async function lint(): Promise<Map<string, string[]>> {
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint');
  const output = await run(process.execPath, [oxlint, '--format=json', 'src'], { cwd: folder }).catch(
    (error: unknown) => error as { stdout: string },
  );
  const rules = new Map<string, string[]>();
  for (const { code, filename } of (JSON.parse(output.stdout) as Diagnostics).diagnostics) {
    const rule = /\((.+)\)/.exec(code)?.[1] ?? code;
    rules.set(filename, [...new Set([...(rules.get(filename) ?? []), rule])]);
  }
  return rules;
}
