// A user's project in a temporary folder with this package installed as npm would leave it (a linked checkout would be
// compiled again by Playwright), and runs of Playwright in it whose processor time is counted process by process.
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuOfProcesses, endProcesses } from './processes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Writes what a process used when it ends. Playwright's processes end by themselves, so that each one tells. */
const USAGE_HOOK = `
const { writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');
if (isMainThread) process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = { isWorker: process.send !== undefined, cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMb: maxRSS / 1024 };
  writeFileSync(process.env.BENCH_USAGE + '/' + process.pid + '.json', JSON.stringify(usage));
});`;

/** An empty reporter: what Playwright itself costs, without printing. */
const EMPTY_REPORTER = 'module.exports = class { printsToStdio() { return true; } };';

export class Project {
  /** @param {string} [folder] kept when it is given, else a temporary one */
  constructor(folder) {
    this.isKept = folder !== undefined;
    this.folder = folder ?? mkdtempSync(path.join(tmpdir(), 'gemba-bench-'));
    const modules = path.join(this.folder, 'node_modules');
    rmSync(modules, { recursive: true, force: true });
    mkdirSync(modules, { recursive: true });
    for (const name of readdirSync(path.join(root, 'node_modules'))) {
      if (!name.startsWith('.'))
        symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name), 'junction');
    }
    const { files } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    for (const name of ['package.json', ...files])
      cpSync(path.join(root, name), path.join(modules, 'gemba-agent', name), { recursive: true });
    this.write({
      'package.json': '{ "name": "bench", "private": true }',
      'empty-reporter.cjs': EMPTY_REPORTER,
      'usage.cjs': USAGE_HOOK,
    });
  }

  write(files) {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  /**
   * Runs `playwright` with these arguments. Processor time in milliseconds, user and system: of the runner, of its
   * workers, and of the broker that they started, which is ended afterwards.
   */
  async playwright(args, { env = {}, failing = false } = {}) {
    const usageFolder = mkdtempSync(path.join(this.folder, 'usage-'));
    const cli = path.join(root, 'node_modules/@playwright/test/cli.js');
    const began = performance.now();
    const { code, said } = await finished(
      spawn(process.execPath, [cli, ...args], {
        cwd: this.folder,
        env: { ...process.env, ...this.#environment(usageFolder), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    const wallMs = performance.now() - began;
    if (code !== 0 && !failing) throw new Error(`playwright ${args.join(' ')} ended with ${code}:\n${said}`);
    const broker = path.join(this.folder, 'node_modules/gemba-agent/dist/broker.cjs');
    // It gets none of a run's environment, so it cannot tell what it used.
    const brokerMs = cpuOfProcesses((its) => its.includes(broker));
    endProcesses((its) => its.includes(broker));
    const seen = readdirSync(usageFolder).map((name) =>
      JSON.parse(readFileSync(path.join(usageFolder, name), 'utf8')),
    );
    rmSync(usageFolder, { recursive: true, force: true });
    const of = (isWorker) => sum(seen.filter((each) => each.isWorker === isWorker).map((each) => each.cpuMs));
    const [runnerMs, workersMs] = [of(false), of(true)];
    const rssMb = Math.max(...seen.filter((each) => !each.isWorker).map((each) => each.rssMb));
    return { cpuMs: runnerMs + workersMs + brokerMs, runnerMs, workersMs, brokerMs, wallMs, rssMb };
  }

  close() {
    if (!this.isKept) rmSync(this.folder, { recursive: true, force: true });
  }

  #environment(usageFolder) {
    return {
      BENCH_USAGE: usageFolder,
      NODE_OPTIONS: `--require ${path.join(this.folder, 'usage.cjs')}`,
      GITHUB_STEP_SUMMARY: '',
      FORCE_COLOR: '0',
    };
  }
}

function finished(child) {
  let said = '';
  const hear = (chunk) => {
    said = (said + chunk).slice(-4_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
