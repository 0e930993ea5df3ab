// Runs the core suite (test/compat) with the packed package beside several versions of Playwright, on several versions of
// Node, in ESM and CommonJS projects, and compiles a consumer with several versions of TypeScript. Prints one table, and
// exits 1 where something failed that docs/compatibility.md does not declare.
//   node scripts/compat.mjs [--only node=24,playwright=1.49]… [--json] [--list]
//   node scripts/compat.mjs --quick      what .ci/run does: this Node, two versions of Playwright, each TypeScript once
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = path.join(os.tmpdir(), `gemba-agent-compat-${os.userInfo().username}`);

/** The oldest of each line that `engines` allows or that is maintained; a bare major is its newest. */
const NODES = ['20.19.0', '22', '24'];
/** The oldest that `peerDependencies` allows, the last before and the first after options could be overridden no more (1.60), the newest. */
const PLAYWRIGHTS = ['1.49.1', '1.56.1', '1.60.0', 'latest'];
const TYPESCRIPTS = ['5.9', '6', '7'];
const ROW_MS = 20 * 60_000;

/** What differs and is meant to: the suite expects exactly this. */
const DECLARED = [
  {
    applies: ({ playwright, module }) => module !== undefined && minorOf(playwright) < 63,
    says: 'before Playwright 1.63 "retryTests": "environment" ends the reruns of the failed test alone, not of its serial group',
  },
  {
    applies: ({ node, playwright, module }) =>
      module === 'esm' && Number(node?.split('.')[0]) >= 24 && minorOf(playwright) < 53,
    says: 'before Playwright 1.53, a test file in JavaScript that is an ES module is never loaded on Node 24: plain Playwright does not end',
  },
  {
    applies: ({ typescript }) => typescript !== undefined,
    says: 'CommonJS modules under "module": "node16" are refused by TypeScript (TS1479); use "nodenext"',
  },
  {
    applies: ({ typescript }) => typescript?.startsWith('5') === true,
    says: 'TypeScript 5 has no "module": "commonjs" with "moduleResolution": "bundler" (TS5095)',
  },
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
await main();

async function main() {
  const rows = (values.quick ? quickRows() : allRows()).filter((row) => isChosen(row, values.only));
  if (rows.length === 0)
    return fail(`compat: no combination fits ${values.only.join(' or ')}; --list shows all.`);
  if (values.list) return rows.forEach((row) => console.log(nameOf(row)));
  mkdirSync(work, { recursive: true });
  const results = [];
  for (const row of rows) {
    process.stderr.write(`${nameOf(row)} …\n`);
    const result = await run(row);
    for (const { title, message } of result.failures) process.stderr.write(`\n✗ ${title}\n${message}\n\n`);
    results.push(result);
  }
  console.log(values.json ? JSON.stringify(results, null, 2) : table(results));
  if (results.some(({ result }) => result !== 'passed')) process.exitCode = 1;
}

/** Every combination, with the versions that its names come to now. */
function allRows() {
  const playwrights = PLAYWRIGHTS.map((name) => (name === 'latest' ? newest('@playwright/test') : name));
  const outer = [playwrights[0], playwrights.at(-1)];
  const suites = NODES.flatMap((node) =>
    playwrights.flatMap((playwright) => [
      { node, playwright, module: 'esm', files: ['core', 'modes', 'ui-mode'] },
      { node, playwright, module: 'cjs', files: ['core', 'modes'] },
    ]),
  );
  const compilers = TYPESCRIPTS.flatMap((typescript) =>
    outer.map((playwright) => ({ typescript, playwright, files: ['typescript'] })),
  );
  return [...suites, ...compilers];
}

/** The oldest Playwright, and the one that is strictest about overridden fixtures. */
function quickRows() {
  const [playwright, , strictest] = PLAYWRIGHTS;
  const compilers = TYPESCRIPTS.map((typescript) => ({
    typescript,
    playwright,
    files: ['typescript'],
    title: 'nodenext',
  }));
  const suites = [playwright, strictest].map((each) => {
    return { node: process.versions.node, playwright: each, module: 'cjs', files: ['core'] };
  });
  return [...suites, ...compilers];
}

/** `node=24,playwright=1.49`: all of one text must fit, by the start of the version; several texts are alternatives. */
function isChosen(row, texts) {
  const fits = (pair) => {
    const [name, wanted = ''] = pair.split('=');
    return row[name]?.startsWith(wanted) === true;
  };
  return texts.length === 0 || texts.some((text) => text.split(',').every(fits));
}

async function run({ files, title, ...row }) {
  const from = Date.now();
  const file = path.join(work, `result-${process.pid}.json`);
  rmSync(file, { force: true });
  const node = row.node === undefined ? process.execPath : nodeOf(row.node);
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const args = [
    'run',
    '--config',
    'test/compat/vitest.config.ts',
    '--reporter=json',
    `--outputFile=${file}`,
    ...(title === undefined ? [] : ['-t', title]),
    ...files,
  ];
  const output = await finished(
    spawn(node, [vitest, ...args], { cwd: root, env: environmentOf(row, node), stdio: 'pipe' }),
  );
  const told = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const tests = told?.testResults.flatMap((one) => one.assertionResults) ?? [];
  const of = (...statuses) => tests.filter(({ status }) => statuses.includes(status));
  const failures = of('failed').map((test) => ({
    title: test.title,
    message: test.failureMessages.join('\n'),
  }));
  if (!told?.success && failures.length === 0) {
    const messages = told?.testResults
      .map(({ message }) => message)
      .filter(Boolean)
      .join('\n');
    failures.push({ title: 'the suite did not run', message: messages || output });
  }
  return {
    ...row,
    result: failures.length > 0 ? 'failed' : 'passed',
    seconds: Math.round((Date.now() - from) / 1000),
    passed: of('passed').length,
    failures,
    skipped: failures.length > 0 || title ? [] : of('skipped', 'pending').map(({ title }) => title),
    declared: DECLARED.filter(({ applies }) => applies(row)).map(({ says }) => says),
  };
}

/** Everything that the suite starts finds the same Node first. */
function environmentOf({ playwright, module, typescript }, node) {
  return {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
    GEMBA_TEST_PLAYWRIGHT: playwright,
    ...(module && { GEMBA_COMPAT_MODULE: module }),
    ...(typescript && {
      GEMBA_COMPAT_TYPESCRIPT: typescript,
      GEMBA_TEST_WITH: `typescript@${typescript} @types/node@20`,
    }),
  };
}

/** The Node that runs this, where it is of that version; else from the registry, whose package holds the binary. */
function nodeOf(version) {
  if (`${process.versions.node}.`.startsWith(`${version}.`)) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = path.join(work, `${name}-${version}`);
  const binary = path.join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    npm(['install', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`], folder);
  }
  return binary;
}

function newest(name) {
  return npm(['view', name, 'version'], root).trim();
}

function npm(args, cwd) {
  const windows = process.platform === 'win32';
  return execFileSync(windows ? 'npm.cmd' : 'npm', args, { cwd, encoding: 'utf8', shell: windows });
}

async function finished(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const timer = setTimeout(() => child.kill(), ROW_MS);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return output;
}

function table(results) {
  const notes = [...new Set(results.flatMap(({ declared }) => declared))];
  const marks = ({ declared }) => declared.map((text) => `[${notes.indexOf(text) + 1}]`).join(' ');
  const saysOf = ({ failures, skipped }) => [
    ...failures.map(({ title }) => title),
    ...skipped.map((title) => `not run: ${title}`),
  ];
  const lines = results.map((one) => {
    const what = [...saysOf(one), marks(one)].filter(Boolean).join('; ');
    return [nameOf(one), `${one.result} (${one.passed})`, `${one.seconds} s`, what];
  });
  const all = [['combination', 'result', 'time', 'failed, not run, declared'], ...lines];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const drawn = all.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  const foot = notes.map((text, index) => `[${index + 1}] declared: ${text}`);
  return [
    '',
    ...drawn,
    '',
    ...foot,
    `Run on ${process.platform}-${process.arch}; other systems only where this ran on them.`,
  ].join('\n');
}

function nameOf({ node, playwright, module, typescript }) {
  if (typescript !== undefined) return `TypeScript ${typescript}, Playwright ${playwright}`;
  return `Node ${node}, Playwright ${playwright}, ${module === 'esm' ? 'ESM' : 'CommonJS'}`;
}

function minorOf(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 ? Infinity : minor;
}

function fail(message) {
  console.error(message);
  process.exitCode = 2;
}
