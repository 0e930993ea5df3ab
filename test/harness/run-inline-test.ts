import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { JSONReport } from '@playwright/test/reporter';
import { inject } from 'vitest';
import { patience } from './patience.ts';
import type { GembaReport } from './report.ts';

export interface InlineOptions {
  /** Further arguments of `playwright test`. */
  args?: readonly string[];
  /** Variables of the run, over a short list taken from this process: nothing of CI or vitest leaks in. */
  env?: Record<string, string>;
  /** Source text of an object: options laid over the default Playwright config, e.g. `{ workers: 6, retries: 1 }`. */
  config?: string | undefined;
  /** After this the whole run is killed and the call rejects. Default 180,000: a hang, never merely a busy machine. */
  timeoutMs?: number;
  onStart?: (child: ChildProcess) => void;
}

export interface InlineResult {
  /** Null where a signal ended the run. */
  exitCode: number | null;
  output: string;
  stdout: string;
  stderr: string;
  /** `gemba-report/report.json`, unless none was written. */
  report: GembaReport | undefined;
  /** What Playwright's own JSON reporter wrote, unless it was not among the reporters. */
  results: JSONReport | undefined;
  folder: string;
  passed: number;
  failed: number;
  flaky: number;
  skipped: number;
  cleanup: () => Promise<void>;
}

export interface InlineProject {
  folder: string;
  write: (files: Record<string, string>) => Promise<void>;
  /** Runs `playwright test`, as often as wanted. */
  run: (options?: InlineOptions) => Promise<InlineResult>;
  /** Runs any command of the installed packages: `node` with these arguments. */
  node: (args: readonly string[], options?: InlineOptions) => Promise<Finished>;
  cleanup: () => Promise<void>;
}

export interface Finished {
  exitCode: number | null;
  output: string;
  stdout: string;
  stderr: string;
}

const KEPT_VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SYSTEMROOT',
  'COMSPEC',
  'PATHEXT',
  'APPDATA',
  'LOCALAPPDATA',
  'USERPROFILE',
  'PLAYWRIGHT_BROWSERS_PATH',
];

/** Runs these files as a fresh project of a user who installed the packed package. */
export async function runInlineTest(
  files: Record<string, string>,
  options: InlineOptions = {},
): Promise<InlineResult> {
  const project = await createInlineProject(files, options.config);
  return await project.run(options);
}

/** A fresh project folder, for tests that need more than one run in it. */
export async function createInlineProject(
  files: Record<string, string>,
  config?: string,
): Promise<InlineProject> {
  const folder = await mkdtemp(path.join(inject('inlineRoot'), 'project-'));
  const cleanup = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  await symlink(
    path.join(inject('installedProject'), 'node_modules'),
    path.join(folder, 'node_modules'),
    'junction',
  );
  const write = (more: Record<string, string>): Promise<void> => writeFiles(folder, more);
  await write(withDefaults(files, config));
  return {
    folder,
    write,
    run: async (options = {}) => ({ ...(await runPlaywright(folder, options)), folder, cleanup }),
    node: (args, options = {}) => runNode(folder, args, options),
    cleanup,
  };
}

function withDefaults(files: Record<string, string>, config = '{}'): Record<string, string> {
  const all: Record<string, string> = { ...files };
  all['package.json'] ??= '{ "name": "inline", "private": true, "type": "module" }';
  if (Object.keys(files).some((name) => name.startsWith('playwright.config.'))) return all;
  all['playwright.config.ts'] = [
    `import { defineConfig } from '@playwright/test';`,
    `export default defineConfig({`,
    `  reporter: [['list'], ['json', { outputFile: 'results.json' }], ['gemba-agent/reporter']],`,
    `  ...(${config}),`,
    `});`,
  ].join('\n');
  return all;
}

async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

type PlaywrightRun = Omit<InlineResult, 'folder' | 'cleanup'>;

async function runPlaywright(folder: string, options: InlineOptions): Promise<PlaywrightRun> {
  const reportFile = path.join(folder, 'gemba-report/report.json');
  const resultsFile = path.join(folder, 'results.json');
  await Promise.all([reportFile, resultsFile].map((file) => rm(file, { force: true })));
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: resultsFile, ...options.env };
  const cli = path.join(folder, 'node_modules/@playwright/test/cli.js');
  const finished = await runNode(folder, [cli, 'test', ...(options.args ?? [])], { ...options, env });
  const results = await readJson<JSONReport>(resultsFile);
  const report = await readJson<GembaReport>(reportFile);
  return { ...finished, report, results, ...counts(finished.output, results) };
}

async function runNode(folder: string, args: readonly string[], options: InlineOptions): Promise<Finished> {
  const timeoutMs = (options.timeoutMs ?? 180_000) * patience;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: cleanEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  options.onStart?.(child);
  const heard = listen(child);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killTree(child);
  }, timeoutMs);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearTimeout(timer));
  if (late) throw new Error(`No end within ${timeoutMs} ms: node ${args.join(' ')}\n${heard.output}`);
  return { exitCode, ...heard };
}

function listen(child: ChildProcess): Omit<Finished, 'exitCode'> {
  const heard = { output: '', stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      const text = stripVTControlCharacters(chunk);
      heard[stream] += text;
      heard.output += text;
    });
  }
  return heard;
}

/** Ends the run with all that it started, and stops listening, should something outside its group hold our pipes. */
function killTree(child: ChildProcess): void {
  try {
    if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  child.kill('SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function cleanEnvironment(own: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => KEPT_VARIABLES.includes(name.toUpperCase()));
  return { ...Object.fromEntries(kept), ...own };
}

async function readJson<T>(file: string): Promise<T | undefined> {
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as T) : undefined;
}

/** From the JSON report, else from the closing lines that Playwright's terminal reporters print. */
function counts(
  output: string,
  results: JSONReport | undefined,
): Pick<InlineResult, 'passed' | 'failed' | 'flaky' | 'skipped'> {
  if (results) {
    const { expected, unexpected, flaky, skipped } = results.stats;
    return { passed: expected, failed: unexpected, flaky, skipped };
  }
  const said = (word: string): number =>
    Number(output.match(new RegExp(`^ +(\\d+) ${word}\\b`, 'm'))?.[1] ?? 0);
  return { passed: said('passed'), failed: said('failed'), flaky: said('flaky'), skipped: said('skipped') };
}
