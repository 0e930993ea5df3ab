// Plays two machines of a CI and the job that merges their reports:
//   npm test                          with a Redis that is started here
//   GEMBA_STORE=redis://… npm test    with yours
//   GEMBA_STORE=local npm test        without one: each machine knows of its own leases only, and the tills overlap
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startRedis } from './server/redis.mjs';
import { overlapsOf, startTills } from './server/tills.mjs';

const SHARDS = 2;
const MACHINES = '.machines';
const BLOBS = 'blob-report';

process.exitCode = await main();

async function main() {
  const redis = process.env.GEMBA_STORE ? null : await startRedis();
  const store = process.env.GEMBA_STORE ?? redis?.url;
  if (store === undefined) {
    console.error(
      'No redis-server or valkey-server here: install one, or set GEMBA_STORE=redis://host:6379/0',
    );
    return 1;
  }
  const keys = [1, 2].map((number) => `till-${number}-${randomBytes(12).toString('hex')}`);
  const tills = await startTills(new Map(keys.map((key, index) => [key, `till-${index + 1}`])));
  const env = { GEMBA_STORE: store, TILLS_URL: tills.url, TILL_KEY_1: keys[0], TILL_KEY_2: keys[1] };
  try {
    rmSync(BLOBS, { recursive: true, force: true });
    const shards = Array.from({ length: SHARDS }, (_, index) => runShard(index + 1, env));
    const failed = (await Promise.all(shards)).some((code) => code !== 0);
    const overlaps = tell(tills.holds);
    await run('playwright', ['merge-reports', '--reporter=gemba-agent/reporter', BLOBS]);
    // Merging never fails, so this is the step of the CI that counts.
    const gate = await run('gemba', ['show-report', '--gate']);
    return failed || overlaps > 0 || gate !== 0 ? 1 : 0;
  } finally {
    await tills.close();
    redis?.end();
    rmSync(MACHINES, { recursive: true, force: true });
  }
}

/** With a config file of its own a shard has leases of its own, as if on a machine of its own: they meet in Redis only. */
function runShard(number, env) {
  const config = path.join(MACHINES, `${number}`, 'gemba.config.json');
  mkdirSync(path.dirname(config), { recursive: true });
  cpSync('gemba.config.json', config);
  const own = {
    MACHINE: `${number}`,
    GEMBA_CONFIG: config,
    PLAYWRIGHT_BLOB_OUTPUT_FILE: path.resolve(BLOBS, `${number}.zip`),
  };
  return run('playwright', ['test', `--shard=${number}/${SHARDS}`], { ...env, ...own }, `[${number}] `);
}

function tell(holds) {
  console.log('\nThe tills say:');
  for (const till of new Set(holds.map((hold) => hold.till))) {
    const held = (machine) =>
      holds.filter((hold) => hold.till === till && hold.machine === `${machine}`).length;
    console.log(`  ${till} was held ${held(1)} times by machine 1, ${held(2)} times by machine 2`);
  }
  const overlaps = overlapsOf(holds);
  for (const [one, other] of overlaps)
    console.log(`  ${one.till} was held by machine ${one.machine} and machine ${other.machine} at once`);
  console.log(`  ${holds.length} holds, ${overlaps.length} overlaps\n`);
  return overlaps.length;
}

/** Its exit code; `prefix` stands before each line of its output. */
function run(command, args, env = {}, prefix = '') {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) console.log(`${prefix}${line}`);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${command} did not start: ${error.message}. Is this run by npm, as "npm test"?`);
      resolve(1);
    });
    child.once('close', (code) => resolve(code ?? 1));
  });
}
