import { requestReport } from '../harness/request-report.ts';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { BrokerClient, BrokerClientOptions } from '../../src/client/broker-client.ts';
import { acquire, findBroker, isAlive, clientFile, newClient as clientOf } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { connectRaw } from '../harness/raw-client.ts';
import { secretFile } from '../../src/shared/local-sockets.ts';
import { privateFolder } from '../../src/shared/private-folder.ts';
import { newGreet } from '../../src/wire/greeting.ts';
import { PROTOCOL_VERSION, toLine } from '../../src/wire/lines.ts';
import { endpoint, key, poolSpec } from '../unit/core/world.ts';

const POOL = poolSpec({
  endpoints: [endpoint('eu')],
  keys: [key('one', { maxConcurrent: 1 }), key('two', { maxConcurrent: 1 })],
});

describe('the broker', () => {
  let folder: string;
  let address: BrokerClientOptions['address'];
  const clients: BrokerClient[] = [];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gb-'));
    address = { projects: [path.join(folder, 's')], cacheFile: path.join(folder, 'cache.json') };
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    const broker = findBroker(address.projects[0]!);
    if (broker !== null) process.kill(broker, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function newClient(more: Partial<BrokerClientOptions> = {}): Promise<BrokerClient> {
    const client = await clientOf(inject('installedProject'), { address, pools: [POOL], ...more });
    clients.push(client);
    return client;
  }

  /** A process that takes a lease, says so, and holds it. */
  async function holder(lease: string): Promise<ChildProcess> {
    const script = `
      const { BrokerClient } = await import(${JSON.stringify(pathToFileURL(clientFile(inject('installedProject'))).href)});
      const link = new BrokerClient({ address: ${JSON.stringify(address)}, pools: [${JSON.stringify(POOL)}] });
      const question = { pool: 'api', need: {}, holder: 'child', testId: null, exclude: [], timeoutMs: 20000 };
      const answer = await link.ask({ type: 'acquire', lease: '${lease}', ...question });
      console.log(answer.grant.key.name);
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    return child;
  }

  function brokerPid(): number {
    return findBroker(address.projects[0]!)!;
  }

  it('gets the certificate settings for a store from the environment, and no key', async () => {
    vi.stubEnv('NODE_EXTRA_CA_CERTS', 'own-ca.pem');
    vi.stubEnv('CI_KEY_1', 'canary-of-the-broker');
    await acquire(await newClient(), 'a');
    vi.unstubAllEnvs();
    const environment = readFileSync(`/proc/${findBroker(address.projects[0]!)}/environ`, 'utf8').split('\0');
    expect(environment).toContain(`NODE_EXTRA_CA_CERTS=${path.resolve('own-ca.pem')}`);
    expect(environment.join()).not.toContain('canary');
  });

  it('starts once for links that come at the same time, and ends by itself', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => newClient()));
    const names = await Promise.all(all.slice(0, 2).map((client, index) => acquire(client, `l${index}`)));
    expect(names.sort()).toEqual(['one', 'two']);
    expect(await acquire(all[5]!, 'late', 50)).toBe('refused');
    for (const client of all) client.close();
    // Those that lost the race to start may take a while to find out.
    await until('the broker is gone', () => findBroker(address.projects[0]!) === null);
    expect(existsSync(path.join(privateFolder(), secretFile(address.projects[0]!)))).toBe(false);
  });

  it('ends a circle of waits that closes as somebody gets one of two that it waits for', async () => {
    const [first, second, third] = [await newClient(), await newClient(), await newClient()];
    await acquire(first, 'a');
    await acquire(third, 'c');
    const both = [acquire(second, 'b'), acquire(second, 'b too')];
    // Answered after the questions before it on the same connection.
    await second.ask({ type: 'status' });
    const circle = acquire(first, 'a too');
    await first.ask({ type: 'status' });
    third.release('c', false);
    expect(await both[0]).toBe('two');
    expect(await circle).toBe('refused');
    first.release('a', false);
    expect(await both[1]).toBe('one');
  });

  it('frees the member of a killed holder at once', async () => {
    const client = await newClient();
    await acquire(client, 'mine');
    const child = await holder('theirs');
    const waiting = acquire(client, 'next');
    child.kill('SIGKILL');
    expect(await waiting).toBe('two');
  });

  it('does not rob a holder that is stopped', async () => {
    const client = await newClient();
    await acquire(client, 'mine');
    const child = await holder('theirs');
    child.kill('SIGSTOP');
    expect(await acquire(client, 'next', 1_500)).toBe('refused');
    child.kill('SIGCONT');
  });

  it('killed, is started again, and grants nothing that is held', async () => {
    const first = await newClient();
    const second = await newClient();
    expect(await acquire(first, 'a')).toBe('one');
    expect(await acquire(second, 'b')).toBe('two');
    const waiting = acquire(first, 'c');
    process.kill(brokerPid(), 'SIGKILL');
    expect(await acquire(await newClient(), 'd', 1_000)).toBe('refused');
    second.release('b', false);
    expect(await waiting).toBe('two');
  });

  it('keeps what it learned for the next one, and no more than names and numbers', async () => {
    const transitions: string[] = [];
    const client = await newClient({ onTransition: (transition) => transitions.push(transition.to) });
    await acquire(client, 'a');
    client.report({
      lease: 'a',
      ...requestReport({
        auth: 'leased',
        kind: 'exhausted',
        status: 402,
        unsent: false,
        endpoint: 'eu#e',
        key: 'one#k',
      }),
    });
    await until('a transition', () => transitions.length > 0);
    const pid = brokerPid();
    client.close();
    await until('the process is gone', () => !isAlive(pid));
    const next = await newClient();
    expect(await acquire(next, 'b')).toBe('two');
    expect(next.healthSnapshots).toMatchObject([{ pool: 'api', key: 'one', state: 'exhausted' }]);
    expect(Object.keys(JSON.parse(readFileSync(address.cacheFile, 'utf8')) as object)).toEqual([
      'v',
      'at',
      'pools',
      'tasks',
    ]);
  });

  it('starts with a damaged cache', async () => {
    writeFileSync(address.cacheFile, '{"v":1,"pools":[{"na');
    expect(await acquire(await newClient(), 'a')).toBe('one');
  });

  it('goes on where it cannot write what it learned', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    address = { ...address, cacheFile: path.join(folder, 'file', 'cache.json') };
    const heard: string[] = [];
    const client = await newClient({ onTransition: ({ to }) => heard.push(to) });
    expect(await acquire(client, 'a')).toBe('one');
    client.report({
      lease: 'a',
      ...requestReport({
        auth: 'leased',
        kind: 'exhausted',
        status: 402,
        unsent: false,
        endpoint: 'eu#e',
        key: 'one#k',
      }),
    });
    await until('it is told', () => heard.length > 0);
    const pid = brokerPid();
    await sleep(500);
    expect(await acquire(client, 'b')).toBe('two');
    client.close();
    await until('the process is gone', () => !isAlive(pid));
  });

  it('leaves a project alone that was deleted meanwhile', async () => {
    const project = path.join(folder, 'project');
    const configFile = path.join(project, 'gemba.config.json');
    mkdirSync(project);
    writeFileSync(configFile, '{}');
    address = { ...address, configFile, cacheFile: path.join(project, 'node_modules/.cache/cache.json') };
    const client = await newClient();
    await acquire(client, 'a');
    const pid = brokerPid();
    client.release('a', false);
    rmSync(project, { recursive: true });
    client.close();
    await until('the process is gone', () => !isAlive(pid));
    expect(existsSync(project)).toBe(false);
  });

  it('lives on after garbage, half messages and a stranger of another version', async () => {
    const client = await newClient();
    await acquire(client, 'a');
    for (const text of ['garbage\n', '{"type":"acquire"}\n', '{"type":"hello","half', '\0\0\n', '[]\n']) {
      const socket = await connectRaw(address.projects[0]!);
      socket.on('error', () => undefined);
      socket.resume().end(text);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    const stranger = await connectRaw(address.projects[0]!);
    stranger.write(toLine({ ...newGreet(), version: 99 }));
    const said = await new Promise<string>((resolve) =>
      stranger.once('data', (data) => resolve(String(data))),
    );
    expect(JSON.parse(said)).toMatchObject({ type: 'greeting', version: PROTOCOL_VERSION });
    stranger.destroy();
    expect(await acquire(client, 'b')).toBe('two');
  });
});
