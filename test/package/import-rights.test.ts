import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RIGHTS } from '../../scripts/lint/import-rights.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const IMPORT = 'import-rights';

const FOLDERS = Object.keys(RIGHTS).filter((name) => !name.includes('.') && !name.includes('/'));
const CORE_ONLY = ['core/types.ts', 'core/clock.ts'];

/** [file, source, the rule that must refuse it, or null where it is allowed] */
const CASES: [string, string, string | null][] = [
  ...FOLDERS.flatMap((from) =>
    FOLDERS.filter((to) => to !== from).map((to): [string, string, string | null] => [
      `src/${from}/to-${to}.ts`,
      `import '../${to}/some.ts';`,
      RIGHTS[from]?.includes(to) ? null : IMPORT,
    ]),
  ),
  ...CORE_ONLY.map((file): [string, string, string | null] => [
    `src/router/${path.basename(file)}`,
    `import '../${file}';`,
    null,
  ]),
  ['src/reporter/live/client.ts', `import '../../client/client.ts';`, null],
  ['src/reporter/page/client.ts', `import '../../client/client.ts';`, IMPORT],
  ['src/reporter/page/live.ts', `import '../live/some.ts';`, null],
  ['src/index.ts', `export * from './client/client.ts';`, IMPORT],
  ['src/http/protocols/deep.ts', `import '../../client/client.ts';`, IMPORT],
  ['src/http/protocols/near.ts', `import '../classify.ts';`, null],
  ['src/core/up.ts', `import '../index.ts';`, IMPORT],
  ['src/fixtures/up.ts', `import '../index.ts';`, IMPORT],
  ['src/fixtures/typed.ts', `import type { A } from '../reporter/a.ts'; export type B = A;`, IMPORT],
  ['src/fixtures/later.ts', `export const later = () => import('../reporter/a.ts');`, IMPORT],
  ['src/core/node.ts', `import 'node:fs';`, IMPORT],
  ['src/core/package.ts', `import 'zod';`, IMPORT],
  ['src/router/node.ts', `import 'node:fs';`, IMPORT],
  ['src/http/client.ts', `import 'undici';`, null],
  ['src/fixtures/undici.ts', `import 'undici';`, IMPORT],
  ['src/config/watch.ts', `import 'chokidar';`, null],
  ['src/config/load.ts', `import 'chokidar';`, IMPORT],
  ['src/reporter/page/templates.ts', `import 'handlebars';`, null],
  ['src/reporter/collect/view.ts', `import 'handlebars/runtime.js';`, IMPORT],
  ['src/redis/claims.ts', `import '@redis/client';`, null],
  ['src/broker/redis.ts', `import '@redis/client';`, IMPORT],
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
  for (const file of ['.oxlintrc.json', 'scripts/lint/import-rights.mjs'])
    await cp(path.join(root, file), path.join(folder, file));
  found = await lint();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('the linter refuses each import that the table forbids, and no other', () => {
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
