// Builds the package: dist from src, the page's compiled templates, an executable command, schema.json and its reference
// from the config schema, and report.schema.json from the report's types. Does nothing where nothing changed since.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const SCRIPTS = [
  'scripts/templates.mjs',
  'scripts/schema.mjs',
  'scripts/reference.mjs',
  'scripts/report-schema.mjs',
];

const SOURCES = [
  'src',
  'templates',
  'scripts',
  'package.json',
  'tsconfig.json',
  'node_modules/.package-lock.json',
];
/** Its time is that at which the last good build began. */
const STAMP = path.join(root, '.cache/built');

if (!isFresh()) build();

function build() {
  const beganAt = new Date();
  rmSync(STAMP, { force: true });
  const tsc = findCompiler();
  if (!tsc) return fail('build: TypeScript is not installed here. Run "npm ci" first.');
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  if (!run('tsc', [tsc, '-p', root])) return;
  const command = path.join(root, 'dist/cli/main.js');
  if (!existsSync(command))
    return fail('build: src/cli/main.ts gave no dist/cli/main.js, the file behind "gemba".');
  chmodSync(command, 0o755);
  for (const script of SCRIPTS) {
    const file = path.join(root, script);
    if (existsSync(file) && !run(script, [file])) return;
  }
  mkdirSync(path.dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, '');
  utimesSync(STAMP, beganAt, beganAt);
}

function isFresh() {
  const builtAt = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return (
    existsSync(path.join(root, 'dist/index.js')) &&
    SOURCES.every((name) => latest(path.join(root, name)) < builtAt)
  );
}

/** When it, or anything in it, was changed or removed last. */
function latest(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
  return Math.max(found.mtimeMs, ...readdirSync(file).map((name) => latest(path.join(file, name))));
}

function findCompiler() {
  try {
    return path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  } catch {
    return undefined;
  }
}

function run(name, args) {
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return true;
  fail(`build: ${name} failed (${error?.message ?? signal ?? `exit code ${status}`}); see above.`);
  return false;
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
