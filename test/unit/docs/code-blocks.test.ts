import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pages, root } from './pages.ts';

/** The first line of a block that is a whole file: `// tests/orders.spec.ts`. */
const FILE_NAME = /^\s*\/\/ (\S+\.(?:ts|jsonc?))(?: .*)?$/;
/** The page whose blocks are types: they are compared with those of the package. */
const TYPES_PAGE = 'docs/api.md';

const blocks = pages()
  .filter(({ path: page }) => page === 'README.md' || page.startsWith('docs/'))
  .flatMap(({ path: page, blocks: all }) => all.map((block) => ({ page, ...block })));
const typescript = blocks.filter(({ language }) => language === 'ts');
const isTypes = ({ page, text }: { page: string; text: string }): boolean =>
  page === TYPES_PAGE && text.startsWith('interface ');

test.each(
  [
    ...typescript.filter((block) => !isTypes(block)),
    ...blocks.filter(({ language }) => language === 'jsonc'),
  ].map(({ page, line, text }) => ({ place: `${page}:${line}`, text })),
)('a block begins with the name of its file: $place', ({ text }) => {
  expect(text.split('\n')[0]).toMatch(FILE_NAME);
});

test('every TypeScript block compiles as the file that it names, and the types are those of the package', () => {
  const folder = path.join(root, '.cache/docs-blocks');
  rmSync(folder, { recursive: true, force: true });
  const places = new Map<string, string>();
  for (const block of typescript.filter((each) => !isTypes(each))) {
    const [first = ''] = block.text.split('\n');
    const [, name = 'unnamed.ts'] = FILE_NAME.exec(first) ?? [];
    const file = path.posix.join(block.page.replaceAll(/\W/g, '-'), name);
    expect([block.page, name, places.has(file)]).toEqual([block.page, name, false]);
    places.set(file, `${block.page}:${block.line}`);
    write(folder, file, block.text);
  }
  expect(places.size).toBeGreaterThan(25);
  // What a page says that its reader has.
  write(
    folder,
    'docs-guides-existing-suite-md/tests/own-fixtures.ts',
    "export { test } from '@playwright/test';\n",
  );
  write(folder, 'types.ts', typesText(typescript.filter(isTypes).map(({ text }) => text)));
  write(folder, 'tsconfig.json', JSON.stringify(CONFIG));
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', cwd: folder });
  // The package's own files are compiled by their own, stricter settings.
  const problems = stdout.split('\n').filter((line) => line.includes('error TS') && !line.startsWith('../'));
  expect(problems.map((line) => withPlace(line, places))).toEqual([]);
}, 120_000);

/** `docs-x-md/a.ts(3,1): error …` with the page and the line of the block. */
function withPlace(line: string, places: ReadonlyMap<string, string>): string {
  const place = places.get(line.split('(')[0]!);
  return place === undefined ? line : `${place}: ${line}`;
}

const source = (file: string): string[] => [`../../src/${file}/index.ts`];
const CONFIG = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'ESNext',
    moduleResolution: 'bundler',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    paths: {
      'gemba-agent': ['../../src/index.ts'],
      'gemba-agent/lease': source('lease'),
      'gemba-agent/config': source('config'),
      'gemba-agent/router': source('router'),
    },
  },
  include: ['.'],
};

/** The page's types, and for each of them that what it has is what the package has, in both directions. */
function typesText(shown: readonly string[]): string {
  const names = shown.flatMap((text) => [...text.matchAll(/^interface (\w+)/gm)].map(([, name]) => name!));
  expect(names).toContain('Lease');
  return [
    "import type { APIRequestContext, Browser, BrowserContext, BrowserContextOptions, Page, PlaywrightWorkerArgs } from '@playwright/test';",
    "import type * as real from 'gemba-agent';",
    "type NewRequestOptions = Parameters<PlaywrightWorkerArgs['playwright']['request']['newContext']>[0];",
    ...shown,
    ...names.map(
      (name) =>
        `export const both${name}: [(value: ${name}) => real.${name}, (value: real.${name}) => ${name}, keyof ${name}] = [(value) => value, (value) => value, null as unknown as keyof real.${name}];`,
    ),
  ].join('\n');
}

function write(folder: string, file: string, text: string): void {
  const target = path.join(folder, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}
