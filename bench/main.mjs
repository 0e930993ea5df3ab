// All benchmarks, one table: what, ours, peer, ratio, target. Short forms in some minutes, `--full` for the long ones (an
// hour on two cores). Each can be run alone, see its first lines; docs/benchmarks.md has the figures and how they came about.
//
//   npm run bench [-- --full] [-- --json] [-- --only start,overhead,report,growth,router,leases,leases-redis,soak]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { printTable } from './parts/figures.mjs';
import { routerRows, soakRows } from './parts/told.mjs';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const folder = mkdtempSync(path.join(tmpdir(), 'gemba-bench-'));
const routerFile = path.join(folder, 'router.json');
const rowsOf = (text) => JSON.parse(text);

/** What each runs, in short and in full, and how its rows are read from what it says. */
const BENCHES = {
  start: {
    short: ['start.mjs', '--rounds', '5', '--failures', '8', '--json'],
    full: ['start.mjs', '--json'],
    rows: rowsOf,
  },
  overhead: {
    short: ['overhead.mjs', '--tests', '300', '--rounds', '3', '--workers', '1', '--json'],
    full: ['overhead.mjs', '--json'],
    rows: rowsOf,
  },
  report: {
    short: ['report.mjs', '--tests', '2000', '--rounds', '2', '--json'],
    full: ['report.mjs', '--peers', '--json'],
    rows: rowsOf,
  },
  growth: {
    short: ['--expose-gc', 'growth.mjs', '--largest', '10000', '--json'],
    full: ['--expose-gc', 'growth.mjs', '--json'],
    rows: rowsOf,
  },
  router: {
    short: ['router/main.mjs', '--seeds', '2', '--from', '5000', '--json', routerFile],
    full: ['router/main.mjs', '--seeds', '40', '--from', '5000', '--json', routerFile],
    rows: () => routerRows(JSON.parse(readFileSync(routerFile, 'utf8'))),
  },
  leases: {
    short: ['leases.mjs', '--seconds', '1', '--json'],
    full: ['leases.mjs', '--seconds', '5', '--json'],
    rows: rowsOf,
  },
  'leases-redis': {
    short: ['leases-redis.mjs', '--seconds', '1', '--json'],
    full: ['leases-redis.mjs', '--seconds', '5', '--json'],
    rows: rowsOf,
  },
  soak: {
    short: ['soak.mjs', '--seconds', '10', '--json'],
    full: ['soak.mjs', '--leases', '1000000', '--json'],
    rows: soakRows,
  },
};

const names = values.only ? values.only.split(',') : Object.keys(BENCHES);
const unknown = names.filter((name) => !BENCHES[name]);
if (unknown.length > 0)
  throw new Error(`No benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);

const rows = [];
const failures = [];
for (const name of names) {
  const { short, full, rows: read } = BENCHES[name];
  if (!values.json) console.error(`${name} …`);
  try {
    rows.push(...read(await output(values.full ? full : short)));
  } catch (error) {
    failures.push(`${name}: ${error.message}`);
  }
}
rmSync(folder, { recursive: true, force: true });
if (values.json) console.log(JSON.stringify({ rows, failures }));
else printTable(rows);
for (const failure of failures) console.error(`NOT MEASURED ${failure}`);
if (failures.length > 0) process.exitCode = 1;

function output(args) {
  const file = args.findIndex((arg) => arg.endsWith('.mjs'));
  const all = args.with(file, path.join(import.meta.dirname, args[file]));
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (said += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(said);
      else reject(new Error(`exit code ${code}: ${(errors || said).trim().slice(-2_000)}`));
    });
  });
}
