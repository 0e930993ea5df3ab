import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { BrokerClient, BrokerClientOptions } from '../../src/client/broker-client.ts';
import { brokerSocket, presenceSocket, secretFile } from '../../src/shared/local-sockets.ts';
import { privateFolder } from '../../src/shared/private-folder.ts';
import { acquire, clientFile, findBroker, isAlive, newClient as clientOf } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { connectRaw, greetRaw } from '../harness/raw-client.ts';
import { key, poolSpec } from '../unit/core/world.ts';

const POOL = poolSpec({ keys: [key('one', { maxConcurrent: 1 })] });
const WISH = { pool: 'api', need: {}, holder: 'child', testId: null };

describe('one holder', () => {
  let folder: string;
  let address: BrokerClientOptions['address'];
  const clients: BrokerClient[] = [];
  const children: ChildProcess[] = [];
  const servers: { close: () => unknown }[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gh-'));
    address = { projects: [path.join(folder, 'p')], cacheFile: path.join(folder, 'cache.json') };
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const server of servers.splice(0)) server.close();
    const broker = findBroker(project());
    if (broker !== null) process.kill(broker, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const project = (): string => address.projects[0]!;
  const brokerPid = (): number => findBroker(project())!;

  async function newClient(more: Partial<BrokerClientOptions> = {}): Promise<BrokerClient> {
    const client = await clientOf(inject('installedProject'), { address, pools: [POOL], ...more });
    clients.push(client);
    return client;
  }

  /** A process that takes the key and holds it; it writes what becomes of that. */
  async function holder(lease: string): Promise<{ child: ChildProcess; said: () => string }> {
    const script = `
      const { BrokerClient } = await import(${JSON.stringify(pathToFileURL(clientFile(inject('installedProject'))).href)});
      const onLost = () => console.log('lost: ' + client.lossOf('${lease}'));
      const client = new BrokerClient({ address: ${JSON.stringify(address)}, pools: [${JSON.stringify(POOL)}], onLost });
      const wish = { ...${JSON.stringify(WISH)}, lease: '${lease}', exclude: [], timeoutMs: 20000 };
      const answer = await client.ask({ type: 'acquire', ...wish });
      console.log(answer.grant.key.name);
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => void (text += String(chunk)));
    await until('the holder has it', () => text.includes('\n'));
    return { child, said: () => text };
  }

  it('keeps the lease of a process that stands still while its broker is killed', async () => {
    const { child, said } = await holder('held');
    const other = await newClient();
    child.kill('SIGSTOP');
    await other.open();
    process.kill(brokerPid(), 'SIGKILL');
    const refused = await other.ask({
      type: 'acquire',
      ...WISH,
      lease: 'other',
      exclude: [],
      timeoutMs: 4_000,
    });
    expect(refused).toMatchObject({
      is: 'refused',
      reasons: [{ why: expect.stringContaining(`process ${child.pid} has not said yet what it holds`) }],
    });
    child.kill('SIGCONT');
    expect(await acquire(other, 'other', 500)).toBe('refused');
    expect(said()).not.toContain('lost');
    const waiting = acquire(other, 'other');
    child.kill('SIGKILL');
    expect(await waiting).toBe('one');
  });

  it('frees what a stopped process held as soon as it is killed, also of a broker before', async () => {
    const { child } = await holder('held');
    const other = await newClient();
    await other.open();
    child.kill('SIGSTOP');
    process.kill(brokerPid(), 'SIGKILL');
    const waiting = acquire(other, 'other');
    await until('another broker runs', () => findBroker(project()) !== null);
    await sleep(300);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    expect(await waiting).toBe('one');
    expect(performance.now() - killedAt).toBeLessThan(1_000);
  });

  it('replaces a broker that lives and does not answer, and every lease stays', async () => {
    const { child, said } = await holder('held');
    const other = await newClient();
    await other.open();
    const stopped = brokerPid();
    process.kill(stopped, 'SIGSTOP');
    const late = await newClient();
    const began = performance.now();
    const answers = Promise.all([acquire(other, 'other', 15_000), acquire(late, 'late', 15_000)]);
    await until('another broker runs', () => !isAlive(stopped) && findBroker(project()) !== null);
    expect(performance.now() - began).toBeLessThan(14_000);
    child.kill('SIGKILL');
    expect((await answers).toSorted()).toEqual(['one', 'refused']);
    expect(said()).not.toContain('lost');
  });

  it('has one broker, whatever is deleted of its files', async () => {
    await holder('held');
    const pid = brokerPid();
    rmSync(path.join(privateFolder(), secretFile(project())));
    const next = await newClient();
    expect(await acquire(next, 'next', 300)).toBe('refused');
    expect(brokerPid()).toBe(pid);
  });

  it('is found by each name of its project, and takes those that come later', async () => {
    const [link, real, other] = ['link', 'real', 'other'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    address = { ...address, projects: [real] };
    await holder('held');
    for (const projects of [[link, real], [link, other], [other, real], [other]]) {
      const client = await newClient({ address: { ...address, projects } });
      expect(await acquire(client, `by ${projects.join()}`, 100)).toBe('refused');
    }
  });

  it('keeps what a process holds whose connection was cut, until it is dead or says otherwise', async () => {
    const socket = await rawHolder('cut', 'kept');
    socket.destroy();
    const other = await newClient();
    expect(await acquire(other, 'other', 300)).toBe('refused');
    const again = await rawHello('cut', []);
    expect(await acquire(other, 'other')).toBe('one');
    again.destroy();
  });

  it('tells a client that comes back with what another holds that its lease is lost', async () => {
    const { said } = await holder('held');
    const { socket } = await greeted();
    let text = '';
    socket.on('data', (chunk: Buffer) => void (text += String(chunk)));
    socket.write(helloLine('late', ['mine'], socket.entry));
    socket.resume();
    await until('a welcome', () => text.includes('"welcome"'));
    expect(text).toContain('{"type":"lost","lease":"mine","why":"one is held by \\"child\\""}');
    expect(text.indexOf('lost')).toBeLessThan(text.indexOf('welcome'));
    expect(said()).not.toContain('lost');
    socket.destroy();
  });

  it('takes a configuration with thousands of keys, and nothing long of one that proved nothing', async () => {
    const labels = { role: 'x'.repeat(100) };
    const keys = Array.from({ length: 3_000 }, (_, index) => key(`key-${index}`, { labels }));
    const client = await newClient({ pools: [poolSpec({ keys })] });
    expect(await acquire(client, 'large')).toMatch(/^key-/);
    for (const line of ['x'.repeat(100_000), `{"type":"greet","nonce":"${'0'.repeat(100_000)}`]) {
      const stranger = await connectRaw(project());
      const closed = new Promise((resolve) => stranger.once('close', resolve));
      stranger
        .on('error', () => {})
        .resume()
        .write(line);
      await closed;
    }
  });

  it('says so where something else answers in the broker’s place, and tells it nothing', async () => {
    let heard = '';
    const squatter = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heard += String(chunk);
        socket.write(
          `${JSON.stringify({ type: 'greeting', version: 4, pid: 1, secret: '/etc/hostname', nonce: '0'.repeat(32), proof: '0'.repeat(64) })}\n`,
        );
      });
    });
    await new Promise<void>((resolve) => squatter.listen(brokerSocket(project()), resolve));
    servers.push(squatter);
    const client = await newClient();
    await expect(acquire(client, 'x')).rejects.toThrow(/A process that is not yours answers in the place/);
    expect(heard).not.toContain('hello');
  });

  it('serves one store at a time: another run with another one is refused, and served when this one is over', async () => {
    const first = await newClient();
    expect(await acquire(first, 'a')).toBe('one');
    const shared = { url: 'redis://127.0.0.1:1/0', project: 'p', leaseTtlMs: 1_000 };
    const second = await newClient({ address: { ...address, shared } });
    await expect(acquire(second, 'b')).rejects.toThrow(/it uses another store/);
    first.close();
    const third = await newClient({ address: { ...address, shared } });
    await expect(acquire(third, 'c')).rejects.toThrow(/The store at 127\.0\.0\.1:1 cannot be used/);
  });

  async function greeted(): Promise<{ socket: Raw }> {
    const { socket, entry } = await greetRaw(project());
    return { socket: Object.assign(socket, { entry }) };
  }

  function helloLine(client: string, held: readonly string[], entry: object): string {
    const leases = held.map((lease) => ({ ...WISH, lease, endpoint: null, key: 'one#k' }));
    return `${JSON.stringify({ type: 'hello', client, pid: process.pid, pools: [POOL], ...entry, held: leases })}\n`;
  }

  /** A client by hand, which is seen to live apart from its connection. */
  async function rawHolder(client: string, lease: string): Promise<Raw> {
    const starter = await newClient();
    await starter.open();
    const presence = createServer();
    await new Promise<void>((resolve) =>
      presence.listen(presenceSocket([project()], client, process.pid), resolve),
    );
    servers.push(presence);
    return rawHello(client, [lease]);
  }

  async function rawHello(client: string, held: readonly string[]): Promise<Raw> {
    const { socket } = await greeted();
    socket.write(helloLine(client, held, { ...socket.entry, isPresent: true }));
    socket.resume();
    await new Promise((resolve) => socket.once('data', resolve));
    return socket;
  }
});

type Raw = Awaited<ReturnType<typeof greetRaw>>['socket'] & {
  entry: Awaited<ReturnType<typeof greetRaw>>['entry'];
};
