// The same suite against the same faults, by hand and with leases: 300 tests of three calls, four workers, one rerun. Of four
// replicas one is down, one flaps, one hangs; of six keys one is revoked, one has used up its quota, two allow 5 calls a second.
// By hand: keys and replicas in turn, as key managers in test suites do it.
//
//   npm run build && node bench/chaos.mjs [tests, default 300] [workers, default 4]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tests = Number(process.argv[2] ?? 300);
const workers = Number(process.argv[3] ?? 4);
const KEYS = ['good-1', 'good-2', 'slow-1', 'slow-2', 'revoked', 'used-up'];
const CALLS_PER_SECOND = 5;
const FLAP_MS = 2_000;

const SPEC = `
for (let index = 0; index < ${tests}; index++) {
  test('order ' + index, async ({ request }) => {
    for (const address of ['/orders', '/orders/' + index, '/orders/' + index + '/lines']) {
      const response = await request.get(address);
      expect(response.status()).toBe(200);
    }
  });
}
`;

const BY_HAND = `
import { test as base, expect } from '@playwright/test';
const replicas = JSON.parse(process.env.REPLICAS);
const keys = JSON.parse(process.env.KEYS);
let turn = Number(process.env.TEST_WORKER_INDEX);
const test = base.extend({
  request: async ({ playwright }, use) => {
    turn += ${workers};
    const authorization = 'Bearer ' + keys[turn % keys.length];
    const context = await playwright.request.newContext({
      baseURL: replicas[turn % replicas.length], extraHTTPHeaders: { authorization }, timeout: 5000,
    });
    await use(context);
    await context.dispose();
  },
});
${SPEC}`;

const LEASED = `import { test, expect } from 'gemba-agent';\n${SPEC}`;

const replicas = await startReplicas();
const folder = mkdtempSync(path.join(tmpdir(), 'gemba-chaos-'));
try {
  prepare();
  const rows = [await run('by hand', BY_HAND), await run('leased', LEASED)];
  console.table(Object.fromEntries(rows));
} finally {
  rmSync(folder, { recursive: true, force: true });
  for (const { server } of replicas) {
    server.close();
    server.closeAllConnections();
  }
}

function prepare() {
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(path.join(root, 'node_modules/@playwright'), path.join(folder, 'node_modules/@playwright'));
  symlinkSync(root, path.join(folder, 'node_modules/gemba-agent'));
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "chaos", "private": true, "type": "module" }');
  const reporters = [
    ['json', { outputFile: 'results.json' }],
    ['gemba-agent/reporter', { history: 0 }],
  ];
  const config = { workers, fullyParallel: true, retries: 1, reporter: reporters };
  writeFileSync(path.join(folder, 'playwright.config.mjs'), `export default ${JSON.stringify(config)};`);
  const pool = {
    endpoints: replicas.map(({ name, url }) => ({ name, url })),
    keys: KEYS.map((name) => ({ name, value: `${name}-value` })),
    failover: 'always',
    timeout: '500ms',
    ejection: { base: '3s' },
  };
  writeFileSync(path.join(folder, 'gemba.config.json'), JSON.stringify({ pools: { api: pool } }));
}

async function run(name, spec) {
  writeFileSync(path.join(folder, 'orders.spec.mjs'), spec);
  for (const replica of replicas) Object.assign(replica, { calls: 0, refused: 0 });
  const startedAt = Date.now();
  const env = {
    ...process.env,
    REPLICAS: JSON.stringify(replicas.map(({ url }) => url)),
    KEYS: JSON.stringify(KEYS.map((key) => `${key}-value`)),
  };
  const child = spawn(process.execPath, ['node_modules/@playwright/test/cli.js', 'test'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  const seconds = (Date.now() - startedAt) / 1000;
  if (name === 'leased') console.log(output.slice(output.indexOf('Gemba:')));
  const results = JSON.parse(readFileSync(path.join(folder, 'results.json'), 'utf8'));
  const all = specsOf(results.suites).flatMap((each) => each.tests);
  const firstFailed = all.filter((test) => test.results[0].status !== 'passed').length;
  return [
    name,
    {
      tests: all.length,
      failed: all.filter((test) => test.status === 'unexpected').length,
      'first attempts failed': `${firstFailed} (${((100 * firstFailed) / all.length).toFixed(1)} %)`,
      calls: replicas.reduce((sum, { calls }) => sum + calls, 0),
      'refused (401, 402, 429)': replicas.reduce((sum, { refused }) => sum + refused, 0),
      seconds: seconds.toFixed(1),
    },
  ];
}

function specsOf(suites) {
  return suites.flatMap((suite) => [...(suite.specs ?? []), ...specsOf(suite.suites ?? [])]);
}

async function startReplicas() {
  const served = new Map(KEYS.map((key) => [`Bearer ${key}-value`, []]));
  const started = [];
  for (const name of ['steady', 'flapping', 'hanging', 'down']) {
    const replica = { name, calls: 0, refused: 0, url: '', server: createServer() };
    replica.server.on('request', (request, response) => answer(replica, served, request, response));
    await new Promise((resolve) => replica.server.listen(0, '127.0.0.1', resolve));
    replica.url = `http://127.0.0.1:${replica.server.address().port}`;
    if (name === 'down') replica.server.close();
    started.push(replica);
  }
  return started;
}

function answer(replica, served, { headers }, response) {
  replica.calls++;
  if (replica.name === 'hanging') return;
  if (replica.name === 'flapping' && Math.floor(Date.now() / FLAP_MS) % 2 === 1) return say(response, 503);
  const times = served.get(headers.authorization);
  const key = (headers.authorization ?? '').replace('Bearer ', '');
  const now = Date.now();
  if (!times || key.startsWith('revoked')) return refuse(replica, response, 401);
  if (key.startsWith('used-up')) return refuse(replica, response, 402);
  while (times.length > 0 && times[0] <= now - 1000) times.shift();
  if (key.startsWith('slow') && times.length >= CALLS_PER_SECOND)
    return refuse(replica, response, 429, { 'retry-after': '1' });
  times.push(now);
  say(response, 200);
}

function refuse(replica, response, status, more) {
  replica.refused++;
  say(response, status, more);
}

function say(response, status, more = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...more }).end('{"orders":[]}');
}
