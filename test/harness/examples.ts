import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { type GembaReport, reportSchema } from './report.ts';
import { createInlineProject, type Finished, type InlineProject } from './run-inline-test.ts';
import { findChromium } from './servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What examples need beside what is installed with the package; linked from the repository's own. */
const LINKED = ['openai', '@google/genai'];
/** After this a run is killed, and tells what it said. */
const RUN_MS = 400_000;

/** The path of a file of an example in the repository. */
export function exampleFile(name: string, file: string): string {
  return path.join(root, 'examples', name, file);
}

/** A copy of an example beside the installed package, as a newcomer has it. */
export async function createExample(name: string): Promise<InlineProject> {
  const project = await createInlineProject(await filesOf(exampleFile(name, '')));
  await linkPackages(project.folder);
  return project;
}

/** A run of an example: its command line, and the report that it left. */
export interface RunOfExample extends Finished {
  readonly project: InlineProject;
  readonly report: GembaReport;
}

/** Runs `node` with these arguments in a copy of the example, as its script in package.json does. */
export async function runExample(name: string, args: readonly string[]): Promise<RunOfExample> {
  const project = await createExample(name);
  const env = environmentOf(project.folder);
  const finished = await project.node(args, { env, timeoutMs: RUN_MS });
  const text = await readFile(path.join(project.folder, 'gemba-report/report.json'), 'utf8').catch(() => {
    throw new Error(`No report of the example:\n${finished.output}`);
  });
  return { ...finished, project, report: reportSchema.parse(JSON.parse(text)) };
}

/** Its Chromium, and a PATH where `playwright` and `gemba` are found, as in npm's scripts. */
function environmentOf(folder: string): Record<string, string> {
  const executablePath = findChromium()?.executablePath;
  return {
    PATH: [path.join(folder, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(path.delimiter),
    ...(executablePath !== undefined && { CHROMIUM_PATH: executablePath }),
  };
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/(^|[\\/])(node_modules|test-results|gemba-report|blob-report)[\\/]/.test(file));
  const texts = files.map(async (file) => [file, await readFile(path.join(folder, file), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

/** Puts a folder of links in place of the one link to what is installed, so that further packages can stand in it. */
async function linkPackages(folder: string): Promise<void> {
  const installed = path.join(inject('installedProject'), 'node_modules');
  const linked = path.join(folder, 'node_modules');
  await rm(linked);
  await mkdir(path.join(linked, '@google'), { recursive: true });
  for (const name of await readdir(installed)) {
    if (!existsSync(path.join(linked, name)))
      await symlink(path.join(installed, name), path.join(linked, name), 'junction');
  }
  for (const name of LINKED)
    await symlink(path.join(root, 'node_modules', name), path.join(linked, name), 'junction');
}
