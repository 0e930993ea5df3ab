import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder where the packed package and Playwright are installed as a user installs them. */
    installedProject: string;
    /** The packed package itself. */
    tarball: string;
    /** Where inline projects are made; removed at the end of the run unless GEMBA_KEEP is set. */
    inlineRoot: string;
  }
}

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const DAY_MS = 24 * 60 * 60 * 1000;

/** Vitest's global setup: packs the package and installs it once, in a folder that later runs find again. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildIfStale();
  const tarball = await pack();
  const version = process.env['GEMBA_TEST_PLAYWRIGHT'] ?? (await ownVersionOf('@playwright/test'));
  const further = (process.env['GEMBA_TEST_WITH'] ?? '').split(' ').filter(Boolean);
  const installed = await install(tarball, version, further);
  const inlineRoot = await mkdtemp(path.join(os.tmpdir(), 'gemba-inline-'));
  project.provide('installedProject', installed);
  project.provide('tarball', path.join(installed, 'gemba-agent.tgz'));
  project.provide('inlineRoot', inlineRoot);
  return async () => {
    await rm(path.dirname(tarball), { recursive: true, force: true });
    if (process.env['GEMBA_KEEP']) console.log(`Inline projects are kept in ${inlineRoot}`);
    else await rm(inlineRoot, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
}

async function buildIfStale(): Promise<void> {
  const built = await newest('dist');
  const sources = await Promise.all(['src', 'scripts', 'package.json', 'tsconfig.json'].map(newest));
  if (built > Math.max(...sources)) return;
  await run(process.execPath, [path.join(root, 'scripts/build.mjs')], { cwd: root }).catch(
    explain('the build'),
  );
}

/** The latest modification below a path in milliseconds since the epoch; 0 where there is none. */
async function newest(name: string): Promise<number> {
  const top = path.join(root, name);
  if (!existsSync(top)) return 0;
  const info = await stat(top);
  if (!info.isDirectory()) return info.mtimeMs;
  const files = await readdir(top, { recursive: true });
  const times = await Promise.all(files.map(async (file) => (await stat(path.join(top, file))).mtimeMs));
  return Math.max(0, ...times);
}

async function pack(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gemba-pack-'));
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder], root).catch(explain('npm pack'));
  const [name] = await readdir(folder);
  if (!name) throw new Error(`npm pack wrote nothing into ${folder}`);
  return path.join(folder, name);
}

async function ownVersionOf(name: string): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  return manifest.devDependencies[name] ?? 'latest';
}

/** Installs into a folder named by what goes in; made beside it and renamed, so that it is whole or not there. */
async function install(tarball: string, version: string, further: readonly string[]): Promise<string> {
  const content = createHash('sha256').update(await readFile(tarball));
  const beside = [version, process.version, 'redis', ...further].join(' ');
  const id = content.update(beside).digest('hex').slice(0, 16);
  const cache = path.join(os.tmpdir(), `gemba-agent-installed-${os.userInfo().username}`);
  const folder = path.join(cache, id);
  if (existsSync(folder)) return folder;
  await removeOld(cache);
  const draft = path.join(cache, `${id}.${randomUUID()}`);
  await mkdir(draft, { recursive: true });
  await copyFile(tarball, path.join(draft, 'gemba-agent.tgz'));
  await writeFile(path.join(draft, 'package.json'), '{ "name": "installed", "private": true }\n');
  const redis = `@redis/client@${await ownVersionOf('@redis/client')}`;
  const wanted = ['./gemba-agent.tgz', `@playwright/test@${version}`, redis, ...further];
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', ...wanted], draft).catch(
    explain('npm install of the packed package'),
  );
  await rename(draft, folder).catch((error: unknown) => {
    if (!existsSync(folder)) throw error;
  });
  return folder;
}

async function removeOld(cache: string): Promise<void> {
  if (!existsSync(cache)) return;
  for (const name of await readdir(cache)) {
    const { mtimeMs } = await stat(path.join(cache, name));
    if (Date.now() - mtimeMs > DAY_MS) await rm(path.join(cache, name), { recursive: true, force: true });
  }
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1', NODE_ENV: undefined };
  const windows = process.platform === 'win32';
  await run(windows ? 'npm.cmd' : 'npm', args, { cwd, env, shell: windows, maxBuffer: 64 << 20 });
}

function explain(what: string): (error: unknown) => never {
  return (error) => {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${what} failed:\n${stdout}${stderr}`.trim(), { cause: error });
  };
}
