// Builds the package: JavaScript bundled into few files of dist, types by tsc, the schemas and the configuration's reference.
// Does nothing where nothing changed since the last build.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLES, writeBundle } from './build/bundle.mjs';
import { pruneTypes } from './build/types.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const dist = path.join(root, 'dist');
/** Written out of the bundled internals, each into the repository. */
const WRITERS = ['scripts/schema.mjs', 'scripts/reference.mjs', 'scripts/report-schema.mjs'];

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

if (!isFresh()) await build();

async function build() {
  const beganAt = new Date();
  rmSync(STAMP, { force: true });
  for (const folder of [dist, path.join(root, '.cache/internals')])
    rmSync(folder, { recursive: true, force: true });
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  if (!run('tsc', [tsc, '-p', root, '--outDir', path.join(dist, 'types')])) return;
  pruneTypes(path.join(dist, 'types'), manifestTypes());
  for (const bundle of BUNDLES) await writeBundle(root, bundle);
  chmodSync(path.join(dist, 'cli.cjs'), 0o755);
  for (const script of WRITERS) if (!run(script, [path.join(root, script)])) return;
  mkdirSync(path.dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, '');
  utimesSync(STAMP, beganAt, beganAt);
}

/** The files of types that the manifest exports. */
function manifestTypes() {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return Object.values(exports).flatMap((entry) => (entry.types ? [path.join(root, entry.types)] : []));
}

function isFresh() {
  const builtAt = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return (
    existsSync(path.join(dist, 'index.js')) &&
    SOURCES.every((name) => latest(path.join(root, name)) < builtAt)
  );
}

/** When it, or anything in it, was changed or removed last. */
function latest(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
  return Math.max(found.mtimeMs, ...readdirSync(file).map((name) => latest(path.join(file, name))));
}

function run(name, args) {
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return true;
  console.error(`build: ${name} failed (${error?.message ?? signal ?? `exit code ${status}`}); see above.`);
  process.exitCode = 1;
  return false;
}
