import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GembaError } from '../core/errors.ts';
import { packageRoot } from '../shared/package-root.ts';
import { misuse } from './arguments.ts';
import type { Command } from './command.ts';
import type { Terminal } from './terminal.ts';

const own = fileURLToPath(packageRoot);

/** Runs the quick start of the package in a folder of its own, offline, and shows where its report is. */
export const demo: Command = async ({ spec, operands }, terminal) => {
  const [given] = operands;
  const folder =
    given === undefined ? mkdtempSync(join(tmpdir(), 'gemba-demo-')) : resolve(terminal.folder, given);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw misuse(spec, `writes into an empty folder, but ${folder} has files. Name a new one`);
  const playwright = findPlaywright();
  cpSync(join(own, 'examples', 'quick-start'), folder, { recursive: true });
  link(own, join(folder, 'node_modules', 'gemba-agent'));
  link(playwright, join(folder, 'node_modules', '@playwright', 'test'));
  terminal.print(
    `The demo runs in ${folder}: three replicas of an orders API on this machine, of which one is down at first,\n` +
      'and three keys, of which one is revoked and one limited. Page tests need a Chromium, and are skipped without one.\n',
  );
  const cli = join(playwright, 'cli.js');
  const code = await run(['server/with-replicas.mjs', process.execPath, cli, 'test'], folder, terminal);
  const page = join(folder, 'gemba-report', 'index.html');
  if (!existsSync(page)) {
    terminal.warn('The demo wrote no report; its output above says why.\n');
    return 1;
  }
  terminal.print(`\nThe report: ${page}\nOpen it: npx gemba show-report ${join(folder, 'gemba-report')}\n`);
  return code === 0 ? 0 : 1;
};

/** The Playwright that this package's fixtures load. */
function findPlaywright(): string {
  try {
    return dirname(createRequire(join(own, 'package.json')).resolve('@playwright/test/package.json'));
  } catch (cause) {
    throw new GembaError(
      'GEMBA_USAGE',
      'The demo runs Playwright tests, and "@playwright/test" is not installed beside gemba-agent. ' +
        'Run: npm install --save-dev gemba-agent @playwright/test',
      { cause },
    );
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, 'junction');
}

function run(args: readonly string[], cwd: string, { env, warn }: Terminal): Promise<number> {
  // A report folder, a config or a switch that is set for other runs does not concern the demo.
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('GEMBA_'));
  const child = spawn(process.execPath, args, { cwd, env: Object.fromEntries(kept), stdio: 'inherit' });
  return new Promise((done) => {
    child.once('error', (error) => {
      warn(`The demo did not start: ${error.message}\n`);
      done(1);
    });
    child.once('exit', (code) => done(code ?? 1));
  });
}
