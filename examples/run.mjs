// Runs examples as newcomers have them: packs the package as npm would publish it, installs it into a copy of the example's
// folder, and runs the example's script there. From the repository's root, after a build:
//   node examples/run.mjs quick-start        one or some of them; "npm run demo" is this one
//   node examples/run.mjs                    all; "npm run examples"
// The reports come into gemba-report: that of one example itself, of several a folder each.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

/** Each with what is told before it runs. `script` is that of its package.json, `keeps` a variable of ours that it reads. */
const EXAMPLES = {
  'quick-start': {
    told: [
      'Page tests use a Chromium that is already here; the demo downloads none, and skips them without one.',
      'Running the suite against three replicas on this machine …',
    ],
  },
  accounts: { told: ['Running tests that sign in, with three accounts for four workers …'], browser: true },
  commonjs: { told: ['Running a CommonJS suite against two servers, one of which is down …'] },
  'existing-suite': {
    told: ['Running an existing suite as it was, and with gemba-agent …'],
    browser: true,
    script: 'compare',
  },
  'llm-keys': { told: ["Running the vendors' own clients against a server that speaks like both …"] },
  'sharded-redis': {
    told: ['Running two shards that share two tills through Redis …'],
    keeps: 'GEMBA_STORE',
  },
  tokens: {
    told: ['Running tests whose API takes tokens of 4 seconds, and whose sign-in takes one-time codes …'],
  },
  strategies: {
    told: ['Running tests that sign in at a shop whose API breaks and recovers …'],
    browser: true,
  },
};

const examples = fileURLToPath(new URL('.', import.meta.url));
const root = path.resolve(examples, '..');
const NOT_COPIED = ['node_modules', 'test-results', 'gemba-report'];
const REPORTS = path.resolve('gemba-report');

process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  const names = args.length > 0 ? args : Object.keys(EXAMPLES);
  const unknown = names.filter((name) => !Object.hasOwn(EXAMPLES, name));
  if (unknown.length > 0) {
    console.error(`No example ${unknown.join(', ')}; there are ${Object.keys(EXAMPLES).join(', ')}.`);
    return 2;
  }
  const work = mkdtempSync(path.join(os.tmpdir(), 'gemba-demo-'));
  try {
    const tarball = pack(work);
    rmSync(REPORTS, { recursive: true, force: true });
    const several = names.length > 1;
    const done = names.map((name) => {
      const report = several ? path.join(REPORTS, name) : REPORTS;
      if (several) console.log(`\n── ${name}`);
      return { name, ...run(name, path.join(work, name), tarball, report) };
    });
    console.log('');
    for (const { name, code, said } of done)
      console.log(several ? `${name.padEnd(15)} ${code === 0 ? 'passed' : 'FAILED'}  ${said}` : said);
    return done.find(({ code }) => code !== 0)?.code ?? 0;
  } catch (error) {
    console.error(error.message);
    return 1;
  } finally {
    await remove(work);
  }
}

/** Its exit code, and the path of its report or why there is none. */
function run(name, project, tarball, report) {
  const { told, browser = false, script = 'test', keeps } = EXAMPLES[name];
  const variables = { ...chromiumFound(), ...(keeps && { [keeps]: process.env[keeps] }) };
  if (browser && variables === null) return { code: 0, said: 'left out: no Chromium here' };
  console.log(`Packing gemba-agent and installing it into a copy of examples/${name} …`);
  cpSync(path.join(examples, name), project, {
    recursive: true,
    filter: (source) => !NOT_COPIED.includes(path.basename(source)),
  });
  install(project, tarball);
  for (const line of told) console.log(line);
  console.log('');
  const { status } = npm(['run', script, '--silent'], project, { stdio: 'inherit' }, variables);
  const made = path.join(project, 'gemba-report');
  if (!existsSync(path.join(made, 'index.html')))
    return { code: status || 1, said: 'the run wrote no report; see above' };
  cpSync(made, report, { recursive: true });
  return { code: status ?? 1, said: path.join(report, 'index.html') };
}

function pack(work) {
  if (!existsSync(path.join(root, 'dist/index.js')))
    throw new Error('examples: build first ("npm run build").');
  const packed = path.join(work, 'packed');
  mkdirSync(packed);
  must(npm(['pack', '--ignore-scripts', '--pack-destination', packed], root), 'npm pack');
  return path.join(packed, readdirSync(packed)[0]);
}

function install(project, tarball) {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const wanted = [tarball, `@playwright/test@${devDependencies['@playwright/test']}`];
  const flags = ['--save-dev', '--prefer-offline', '--no-audit', '--no-fund'];
  must(npm(['install', ...flags, ...wanted], project), 'npm install');
}

/** Variables that name a Chromium: none where Playwright's own is here, null where there is no Chromium at all. */
function chromiumFound() {
  if (existsSync(chromium.executablePath())) return {};
  const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = process.env.CHROMIUM_PATH ?? candidates.find((file) => existsSync(file));
  return found === undefined ? null : { CHROMIUM_PATH: found };
}

function npm(args, cwd, options = {}, variables = {}) {
  const windows = process.platform === 'win32';
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };
  // A report folder, a config or a switch that is set for other runs does not concern an example.
  for (const name of Object.keys(env)) if (name.startsWith('GEMBA_')) delete env[name];
  return spawnSync(windows ? 'npm.cmd' : 'npm', args, {
    cwd,
    env: { ...env, ...variables },
    shell: windows,
    encoding: 'utf8',
    ...options,
  });
}

function must({ status, stdout, stderr, error }, what) {
  if (status !== 0) throw new Error(`examples: ${what} failed:\n${error?.message ?? `${stdout}${stderr}`}`);
}

/** The runs' brokers write down what they learned when they end, so a folder may fill again while it is removed. */
async function remove(folder) {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  } catch (error) {
    console.error(`examples: ${folder} is left behind: ${error.message}`);
  }
}
