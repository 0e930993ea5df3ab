import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokerAddress } from '../../src/client/address.ts';
import { findBroker } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import {
  createInlineProject,
  type Finished,
  type InlineProject,
  type InlineResult,
} from '../harness/run-inline-test.ts';
import { json, startServer } from '../harness/servers.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';
const SECRETS = { CI_KEY_1: 'first-secret-value', CI_KEY_2: 'second-secret-value' };
const CONFIG = {
  pools: {
    api: {
      endpoints: ['https://eu.example.test', { name: 'us', url: 'https://us.example.test', enabled: false }],
      keys: [
        { name: 'ci-1', value: '${CI_KEY_1}', maxConcurrent: 1 },
        { name: 'ci-2', value: '${CI_KEY_2}', maxConcurrent: 1 },
      ],
    },
  },
};

interface Status {
  schema: string;
  config: string;
  store: string;
  pools: {
    name: string;
    members: { name: string; state: string; why: string | null; inUse: number; limit: number | null }[];
    leases: { holder: string; endpoint: string | null; key: string | null; heldMs: number }[];
    waiting: { holder: string; waitedMs: number }[];
  }[];
}

function revisionOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12);
}

describe('gemba on the command line', () => {
  let project: InlineProject;

  beforeEach(async () => {
    const env = Object.entries(SECRETS).map(([name, value]) => `${name}=${value}`);
    project = await createInlineProject({
      'gemba.config.json': JSON.stringify(CONFIG),
      '.env': env.join('\n'),
    });
  });

  afterEach(async () => {
    const broker = brokerPid();
    if (broker !== null) process.kill(broker, 'SIGKILL');
    await project.cleanup();
  });

  async function gemba(args: string, env: Record<string, string> = {}): Promise<Finished> {
    const finished = await project.node([CLI, ...args.split(' ')], { env });
    for (const secret of Object.values(SECRETS)) expect(finished.output).not.toContain(secret);
    expect(finished.output).not.toMatch(/^\s+at .*:\d+/m);
    return finished;
  }

  async function status(): Promise<Status> {
    const { stdout, stderr, exitCode } = await gemba('status --json');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    return JSON.parse(stdout) as Status;
  }

  async function stateOf(name: string): Promise<string | undefined> {
    return (await status()).pools[0]?.members.find((member) => member.name === name)?.state;
  }

  function address(): ReturnType<typeof brokerAddress> {
    const file = path.join(project.folder, 'gemba.config.json');
    return brokerAddress({ path: file, name: 'inline', store: 'local', pools: {} });
  }

  /** The broker's process, by its socket on its command line. */
  function brokerPid(): number | null {
    return findBroker(address().projects[0]!);
  }

  it('shows a project at rest', async () => {
    const { stdout, stderr, exitCode } = await gemba('status');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toBe(`Configuration ${path.join(project.folder, 'gemba.config.json')}, store local
Revision ${revisionOf(path.join(project.folder, 'gemba.config.json'))} is in force

Pool api
  kind      name             state     until    in use  why
  endpoint  eu.example.test  healthy   -        0       -
  endpoint  us               disabled  an edit  0       "enabled": false in the configuration
  key       ci-1             healthy   -        0 of 1  -
  key       ci-2             healthy   -        0 of 1  -

  Nothing is held.
  Nobody waits.
`);
    expect(await status()).toMatchObject({
      schema: 'gemba-status/1',
      config: path.join(project.folder, 'gemba.config.json'),
      store: 'local',
      pools: [{ name: 'api', members: { length: 4 }, leases: [], waiting: [] }],
    });
  });

  it('disables until it enables, also when the broker is killed at once or ends by itself', async () => {
    const disabled = { exitCode: 0, output: 'api/ci-2 is disabled until it is enabled by hand.\n' };
    expect(await gemba('disable api/ci-2')).toMatchObject(disabled);
    process.kill(brokerPid()!, 'SIGKILL');
    expect(await stateOf('ci-2')).toBe('disabled');
    await until('the broker is gone', () => brokerPid() === null);
    expect(await stateOf('ci-2')).toBe('disabled');
    expect(await gemba('disable api/ci-2')).toMatchObject(disabled);
    expect(await gemba('reset api/ci-2')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: 'api/ci-2 was disabled by hand and stays so. To use it again: gemba enable api/ci-2\n',
    });
    expect(await stateOf('ci-2')).toBe('disabled');
    const enabled = { exitCode: 0, output: 'api/ci-2 is enabled again.\n' };
    expect(await gemba('enable api/ci-2')).toMatchObject(enabled);
    process.kill(brokerPid()!, 'SIGKILL');
    expect(await stateOf('ci-2')).toBe('healthy');
  });

  it('shows a run what it holds and waits for, without what was disabled before', async () => {
    await gemba('disable api/ci-2');
    await project.write({ 'holds.spec.ts': HOLDS });
    const config = '{ workers: 2, fullyParallel: true }';
    await project.write({ 'playwright.config.ts': `export default ${config};` });
    const result: InlineResult = await project.run({ env: SECRETS });
    expect(result.output).toContain('2 passed');
    const [json = '', text = ''] = ['status.json', 'status.txt'].map((name) =>
      readFileSync(path.join(project.folder, name), 'utf8'),
    );
    const { members, leases, waiting } = (JSON.parse(json) as Status).pools[0]!;
    expect(members.filter(({ inUse }) => inUse > 0).map(({ name }) => name)).toEqual([
      'eu.example.test',
      'ci-1',
    ]);
    expect(members.find(({ name }) => name === 'ci-2')).toMatchObject({
      state: 'disabled',
      why: 'disabled by hand',
    });
    expect(leases).toMatchObject([{ endpoint: 'eu.example.test', key: 'ci-1' }]);
    expect(waiting).toHaveLength(1);
    expect([leases[0]!.holder, waiting[0]!.holder].sort()).toEqual(['first', 'second']);
    expect(text).toMatch(
      /1 lease now\n +member +held for +since +process +by\n +eu\.example\.test with ci-1 +\d.*UTC +\d+ +(first|second)\n/,
    );
    expect(text).toMatch(/1 test waits\n +waited for +process +by\n +\d.* \d+ +(first|second)\n/);
  });

  it('says what it found where a member is not simply disabled', async () => {
    const [idle, off, reset] = await Promise.all(
      ['enable api/ci-1', 'enable api/us', 'reset api/ci-1'].map((args) => gemba(args)),
    );
    expect(idle).toMatchObject({
      exitCode: 0,
      stdout: 'api/ci-1 was not disabled by hand: it is in use as before.\n',
    });
    expect(off).toMatchObject({ exitCode: 1, stdout: '' });
    expect(off!.stderr).toContain('the configuration says "enabled": false');
    expect(reset).toMatchObject({
      exitCode: 0,
      stdout: 'api/ci-1 is healthy, and its faults so far are forgotten.\n',
    });
  });

  it('says so where a disablement cannot be kept', async () => {
    const { cacheFile } = address();
    mkdirSync(cacheFile, { recursive: true });
    const { exitCode, stdout, stderr } = await gemba('disable api/ci-2');
    rmSync(cacheFile, { recursive: true });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(`But that will be forgotten some seconds after the last run ends: ${cacheFile}`);
  });

  it.each([
    ['disable api/ci-3', 'Did you mean api/ci-1?\nKnown: api/ci-1, api/ci-2, api/us, api/eu.example.test\n'],
    ['reset ci-2', '"ci-2" (a name is POOL/NAME)'],
    ['enable production/primary', 'Known: api/eu.example.test, api/us, api/ci-1, api/ci-2\n'],
    ['disable', 'Usage: gemba disable POOL/NAME'],
    ['status api', 'gemba status takes no "api"'],
    ['status --jsn', 'did you mean "--json"?'],
    ['status --config none.json', 'none.json'],
    ['stats', 'gemba has no command "stats"; did you mean "status"?'],
    ['check api', 'gemba check takes no "api"'],
  ])('ends "gemba %s" with 2 and helpful words', async (args, words) => {
    const { exitCode, stdout, stderr } = await gemba(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
  });

  it('checks every endpoint and key, and says by its exit code whether all is well', async () => {
    const server = await startServer(({ token }, response) =>
      json(response, token === SECRETS.CI_KEY_1 ? 200 : 401, { token }),
    );
    const [one, two] = CONFIG.pools.api.keys;
    const proxy = 'http://user:${PROXY_PASSWORD}@127.0.0.1:9';
    const eu = { name: 'eu', url: server.url };
    const us = { name: 'us', url: `${server.url}/us`, proxy };
    const write = (api: object): Promise<void> =>
      project.write({ 'gemba.config.json': JSON.stringify({ pools: { api } }) });
    await write({ endpoints: [eu], keys: [one] });
    expect(await gemba('check')).toMatchObject({ exitCode: 0, stderr: '' });
    await write({ endpoints: [eu, us], keys: [one, two] });
    const env = { PROXY_PASSWORD: 'proxy-password' };
    const [text, machine] = [await gemba('check', env), await gemba('check --json', env)];
    await server.close();
    for (const { exitCode, output } of [text, machine]) {
      expect(exitCode).toBe(1);
      expect(output).not.toContain('proxy-password');
    }
    expect(text.stdout).toMatch(
      /endpoint +us +- +fault .*nothing listens there, by the proxy 127\.0\.0\.1:9\n/,
    );
    expect(text.stdout).toMatch(/key +ci-2 +eu +fault +401 .*refused: 401\n/);
    expect(JSON.parse(machine.stdout)).toMatchObject({ schema: 'gemba-check/1', ok: false, faults: 2 });
    await write({ endpoints: [eu], keys: [{ ...one, value: '${NOT_SET}', rpm: -1 }] });
    const { exitCode, stdout, stderr } = await gemba('check');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/\(2 problems\)[^]*NOT_SET[^]*rpm|\(2 problems\)[^]*rpm[^]*NOT_SET/);
  });

  it('takes variables from the environment first, then from the named file or .env', async () => {
    await project.write({
      'vars/ci.env': `CI_KEY_1=${SECRETS.CI_KEY_1}\nCI_KEY_2=${SECRETS.CI_KEY_2}`,
      '.env': '',
    });
    const [named, missing, empty, partly] = await Promise.all([
      gemba('status --env vars/ci.env'),
      gemba('status'),
      gemba('status --env vars/ci.env', { CI_KEY_1: '' }),
      gemba('status --env vars/none.env'),
    ]);
    expect(named.exitCode).toBe(0);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('(2 problems)');
    expect(missing.stderr).toContain('the variable CI_KEY_2 is not set');
    expect(missing.stderr).toContain('a key is known by its name and a fingerprint of its value');
    expect(empty.stderr).toContain('the variable CI_KEY_1 is empty');
    // Node.js itself may end first, with 9: see src/cli/env-file.ts.
    expect([2, 9]).toContain(partly.exitCode);
    expect(partly.stderr).toContain('vars/none.env');
  });

  it('says which shared store does not answer, without its password', async () => {
    const { exitCode, stderr } = await gemba('status', {
      GEMBA_STORE: 'redis://user:hidden@127.0.0.1:9/0',
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('127.0.0.1:9');
    expect(stderr).not.toContain('hidden');
  });
});

/** Whichever test holds the only key asks for the status as soon as the other one waits for it. */
const HOLDS = `
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { test, expect } from 'gemba-agent';
const gemba = async (...args) => (await promisify(execFile)(process.execPath, ['${CLI}', ...args])).stdout;
for (const title of ['first', 'second']) {
  test(title, async ({ lease }) => {
    expect(lease.key.name).toBe('ci-1');
    if (existsSync('status.json')) return;
    let json = '';
    await expect(async () => {
      json = await gemba('status', '--json');
      expect(JSON.parse(json).pools[0].waiting).toHaveLength(1);
    }).toPass({ timeout: 20_000 });
    const text = await gemba('status');
    writeFileSync('status.json', json);
    writeFileSync('status.txt', text);
  });
}
`;
