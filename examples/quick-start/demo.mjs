// The demo of the repository: packs the package as npm would publish it, installs it into a copy of this folder, and
// runs the suite there. Run it from the repository root by "npm run demo".
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const example = fileURLToPath(new URL('.', import.meta.url));
const root = path.resolve(example, '../..');
const NOT_COPIED = ['demo.mjs', 'node_modules', 'test-results', 'gemba-report'];

process.exitCode = demo();

function demo() {
  const work = mkdtempSync(path.join(os.tmpdir(), 'gemba-demo-'));
  try {
    const project = path.join(work, 'orders-tests');
    copyExample(project);
    install(work, project);
    console.log(
      'Page tests use a Chromium that is already here; the demo downloads none, and skips them without one.',
    );
    console.log('Running the suite against three replicas on this machine …\n');
    const code = npm(['test', '--silent'], project, { stdio: 'inherit' }).status ?? 1;
    return publish(path.join(project, 'gemba-report')) ? code : code || 1;
  } catch (error) {
    console.error(error.message);
    return 1;
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function copyExample(project) {
  mkdirSync(project);
  for (const name of readdirSync(example)) {
    if (!NOT_COPIED.includes(name))
      cpSync(path.join(example, name), path.join(project, name), { recursive: true });
  }
}

function install(work, project) {
  if (!existsSync(path.join(root, 'dist/index.js'))) throw new Error('demo: build first ("npm run build").');
  console.log('Packing gemba-agent and installing it into a copy of examples/quick-start …');
  const packed = path.join(work, 'packed');
  mkdirSync(packed);
  must(npm(['pack', '--ignore-scripts', '--pack-destination', packed], root), 'npm pack');
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const wanted = [
    path.join(packed, readdirSync(packed)[0]),
    `@playwright/test@${devDependencies['@playwright/test']}`,
  ];
  const flags = ['--save-dev', '--prefer-offline', '--no-audit', '--no-fund'];
  must(npm(['install', ...flags, ...wanted], project), 'npm install');
}

/** Brings the report to where the demo was started; the last line is the path of its page. */
function publish(from) {
  if (!existsSync(path.join(from, 'index.html'))) {
    console.error('\ndemo: the run wrote no report; see above.');
    return false;
  }
  const to = path.resolve('gemba-report');
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  console.log(`\n${path.join(to, 'index.html')}`);
  return true;
}

function npm(args, cwd, options = {}) {
  const windows = process.platform === 'win32';
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };
  // A report folder, a config or a switch that is set for other runs does not concern the demo.
  for (const name of Object.keys(env)) if (name.startsWith('GEMBA_')) delete env[name];
  return spawnSync(windows ? 'npm.cmd' : 'npm', args, {
    cwd,
    env,
    shell: windows,
    encoding: 'utf8',
    ...options,
  });
}

function must({ status, stdout, stderr, error }, what) {
  if (status !== 0) throw new Error(`demo: ${what} failed:\n${error?.message ?? `${stdout}${stderr}`}`);
}
