// Proves that adopting gemba-agent changed nothing else: runs this suite as it is, and a copy of it as it was before, and
// compares titles, statuses and reruns. Run it as "npm run compare".
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

/** The whole adoption, with what stood there before. The file gemba.config.json is new. */
const ADOPTION = [
  ['tests/base.ts', `from 'gemba-agent'`, `from '@playwright/test'`],
  ['playwright.config.ts', `, ['gemba-agent/reporter']`, ''],
];
const BEFORE = '.before';

process.exitCode = await main();

async function main() {
  try {
    copyAsBefore();
    const before = await run(BEFORE, 'as it was before');
    const after = await run('.', 'with gemba-agent');
    return compare(before, after) ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    return 1;
  } finally {
    rmSync(BEFORE, { recursive: true, force: true });
  }
}

function copyAsBefore() {
  rmSync(BEFORE, { recursive: true, force: true });
  mkdirSync(BEFORE);
  for (const name of ['package.json', 'playwright.config.ts', 'server', 'tests'])
    cpSync(name, path.join(BEFORE, name), { recursive: true });
  for (const [file, now, then] of ADOPTION) {
    const text = readFileSync(file, 'utf8');
    if (!text.includes(now)) throw new Error(`${file} does not have ${now}`);
    writeFileSync(path.join(BEFORE, file), text.replace(now, then));
  }
  const all = readdirSync(BEFORE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of all) {
    const text = readFileSync(path.join(parentPath, name), 'utf8');
    if (name !== 'package.json' && text.includes('gemba'))
      throw new Error(`${name} still speaks of gemba-agent`);
  }
}

/** Playwright's own results of the suite in this folder. */
async function run(folder, what) {
  console.log(`\nThe suite ${what}:`);
  const child = spawn('playwright', ['test'], {
    cwd: folder,
    env: { ...process.env, PORT: await freePort() },
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  await new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Error(`${error.message}. Is this run by npm, as "npm run compare"?`)),
    );
    child.once('exit', resolve);
  });
  return JSON.parse(readFileSync(path.join(folder, 'results.json'), 'utf8'));
}

function compare(before, after) {
  const [then, now] = [linesOf(before), linesOf(after)];
  const differences = [
    ...then.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !then.includes(line)).map((line) => `+ ${line}`),
  ];
  const same = differences.length === 0 && then.length > 0 && then.length === now.length;
  if (!same) console.log(`\nNot the same:\n${differences.join('\n')}`);
  else console.log(`\nThe same titles, statuses and reruns of ${then.length} tests:\n  ${now.join('\n  ')}`);
  console.log('\nThis once, on this machine      before     with gemba-agent');
  tellTime('  the test in the middle', medianOf(before), medianOf(after));
  tellTime('  the whole run', before.stats.duration, after.stats.duration);
  return same;
}

/** A line for each test: where it is, what it came to, and what each of its attempts came to. */
function linesOf(results) {
  return testsOf(results)
    .map(({ where, test }) => {
      const attempts = test.results.map((result) => result.status).join(', ');
      return `${test.projectName} › ${where}: ${test.status} (${attempts})`;
    })
    .sort();
}

/** How long a test takes, in milliseconds: half of them take longer. */
function medianOf(results) {
  const durations = testsOf(results).flatMap(({ test }) => test.results.map((result) => result.duration));
  return durations.sort((one, other) => one - other)[Math.floor(durations.length / 2)];
}

function testsOf({ suites }, above = '') {
  return suites.flatMap((suite) => {
    const where = above === '' ? suite.title : `${above} › ${suite.title}`;
    const own = suite.specs.flatMap((spec) =>
      spec.tests.map((test) => ({ where: `${where} › ${spec.title}`, test })),
    );
    return [...own, ...testsOf({ suites: suite.suites ?? [] }, where)];
  });
}

function tellTime(what, before, after) {
  const [then, now] = [before, after].map((ms) => `${(ms / 1000).toFixed(2)} s`.padStart(8));
  const more = Math.round(after - before);
  console.log(`${what.padEnd(28)} ${then}     ${now} (${more < 0 ? '' : '+'}${more} ms)`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(`${port}`));
    });
  });
}
