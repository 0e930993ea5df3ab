import { access, constants, readdir, readFile } from 'node:fs/promises';
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
    /^(dist\/.+\.(js|d\.ts)|templates\/.+|(report\.)?schema\.json|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
  expect(files.filter((file) => !expected.test(file))).toEqual([]);
  expect(files.filter((file) => /\.(test|spec)\.|__/.test(file))).toEqual([]);
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

test('every source has its build, and every build its source', async () => {
  const sources = (await filesBelow(path.join(root, 'src'))).filter((file) => file.endsWith('.ts'));
  const builds = files.filter((file) => /^dist\/.+\.js$/.test(file));
  expect(builds).toEqual(sources.map((file) => `dist/${file.replace(/\.ts$/, '.js')}`).toSorted());
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
  const command = path.join(installed, 'dist/cli/main.js');
  expect((await readFile(command, 'utf8')).split('\n')[0]).toBe('#!/usr/bin/env node');
  await access(command, constants.X_OK);
});

test('the build imports only what its manifest names', async () => {
  const manifest = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest;
  const allowed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const imports = await Promise.all(files.filter((file) => file.startsWith('dist/')).map(bareImports));
  const foreign = imports
    .flat()
    .filter((name) => !name.startsWith('node:') && !allowed.includes(packageOf(name)));
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

async function bareImports(file: string): Promise<string[]> {
  const text = await readFile(path.join(installed, file), 'utf8');
  const found = text.matchAll(
    /(?:^import |^(?:import|export) [^;]*? from |\bimport\()['"]([^'"./][^'"]*)['"]/gm,
  );
  return [...found].map((match) => match[1]!);
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}
