import { access, constants, readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, inject, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const installed = path.join(inject('installedProject'), 'node_modules/gemba-agent');

let files: string[];

beforeAll(async () => {
  files = await filesBelow(installed);
});

test('the tarball holds what runs and what describes it, no sources and no tests', () => {
  const expected =
    /^(dist\/[\w-]+\.c?js|dist\/licenses\.txt|dist\/types\/.+\.d\.ts|templates\/.+|docs\/.+\.(md|png)|examples\/quick-start\/.+\.(md|mjs|ts|json)|(report\.)?schema\.json|package\.json|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE)$/;
  expect(files.filter((file) => !expected.test(file))).toEqual([]);
  expect(files.filter((file) => /\.(test|spec)\.|__/.test(file) && !file.startsWith('examples/'))).toEqual(
    [],
  );
  for (const name of [
    'package.json',
    'schema.json',
    'report.schema.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ]) {
    expect(files).toContain(name);
  }
});

/** Few files: Node.js and Playwright's loader take time for each. */
const MOST_SCRIPTS = 50;

test('the build is a few files that can be read: no names shortened, no lines joined', async () => {
  const scripts = files.filter((file) => /^dist\/.+\.c?js$/.test(file));
  expect(scripts.length).toBeLessThanOrEqual(MOST_SCRIPTS);
  for (const file of scripts) {
    const lines = (await readFile(path.join(installed, file), 'utf8')).split('\n');
    const longest = lines.filter((line) => line.length > 2_000).length;
    expect([file, longest / lines.length < 0.1]).toEqual([file, true]);
  }
});

test('fixture functions keep the parameters that Playwright parses from their text', async () => {
  const text = await readFile(path.join(installed, 'dist/index.cjs'), 'utf8');
  expect(text).toContain('async ({ _gembaScope, _gembaTarget, context }, use, testInfo) =>');
  expect(text).toContain('async ({ baseURL, _gembaScope }, use, testInfo) =>');
});

test('the docs are shipped, and each page that the index names', async () => {
  const index = await readFile(path.join(installed, 'docs/README.md'), 'utf8');
  const pages = [...index.matchAll(/\]\(([\w/-]+\.md)/g)].map(([, page]) => `docs/${page}`);
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.filter((page) => !files.includes(page))).toEqual([]);
});

test('links of the shipped pages lead to shipped files', async () => {
  const pages = files.filter((file) => file.endsWith('.md') && !file.startsWith('examples/'));
  const linked = await Promise.all(pages.map(linksOf));
  expect(linked.flat().length).toBeGreaterThan(200);
  expect(linked.flat().filter(({ target }) => !files.includes(target))).toEqual([]);
});

test('every template is shipped as it is', async () => {
  const templates = await filesBelow(path.join(root, 'templates'));
  expect(templates.length).toBeGreaterThan(0);
  for (const file of templates) {
    const own = await readFile(path.join(root, 'templates', file), 'utf8');
    expect(await readFile(path.join(installed, 'templates', file), 'utf8')).toBe(own);
  }
});

test('the command is executable and names its interpreter', async () => {
  const command = path.join(installed, 'dist/cli.cjs');
  expect((await readFile(command, 'utf8')).split('\n')[0]).toBe('#!/usr/bin/env node');
  await access(command, constants.X_OK);
});

test('the build imports only what its manifest names', async () => {
  const manifest = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest;
  // Its own name stands in the tests that `gemba init` writes.
  const allowed = ['gemba-agent', ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })];
  const imports = await Promise.all(files.filter((file) => file.startsWith('dist/')).map(bareImports));
  const foreign = imports.flat().filter((name) => !isBuiltin(name) && !allowed.includes(packageOf(name)));
  expect([...new Set(foreign)]).toEqual([]);
});

interface Manifest {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return paths.map((file) => path.relative(folder, file).replaceAll(path.sep, '/')).toSorted();
}

/** Files that a page links to, beside it or elsewhere in the package. */
async function linksOf(page: string): Promise<{ page: string; target: string }[]> {
  const text = (await readFile(path.join(installed, page), 'utf8')).replaceAll(/^```[^]*?^```/gm, '');
  const found = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
  return found
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => ({ page, target: path.posix.normalize(path.posix.join(path.posix.dirname(page), link)) }));
}

async function bareImports(file: string): Promise<string[]> {
  const text = await readFile(path.join(installed, file), 'utf8');
  const found = text.matchAll(
    /(?:^import |^(?:import|export) [^;]*? from |\bimport\(|\brequire\()['"]([^'"./][^'"]*)['"]/gm,
  );
  return [...found].map((match) => match[1]!);
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}
