import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { BrokerClient } from '../../src/client/broker-client.ts';
import { seededRandom } from '../../src/core/clock.ts';
import { brokerSocket, secretFile } from '../../src/shared/local-sockets.ts';
import { privateFolder } from '../../src/shared/private-folder.ts';
import type { ClientMessage } from '../../src/wire/messages.ts';
import { HOSTILE } from '../harness/hostile.ts';
import { acquire, findBroker, newClient } from '../harness/clients.ts';
import { until } from '../harness/patience.ts';
import { connectOnce, connectRaw, greetRaw, type RawConnection } from '../harness/raw-client.ts';
import { requestReport } from '../harness/request-report.ts';
import { endpoint, key, poolSpec } from '../unit/core/world.ts';

const SEEDS = (process.env['GEMBA_FUZZ_SEEDS'] ?? 'one,two,three').split(',');
const MESSAGES = 250;
const POOL = poolSpec({
  endpoints: [endpoint('eu')],
  keys: [key('one', { maxConcurrent: 1 }), key('two', { maxConcurrent: 1 })],
});
const asked = { pool: 'api', need: {}, holder: 'h', testId: null, exclude: [], timeoutMs: 5 };
const LEASE = 'lease-of-an-honest-link';

/** Each kind of message as a client would send it, about a lease that is not its own. */
const WELL_FORMED: readonly ClientMessage[] = [
  { type: 'acquire', ask: 1, lease: LEASE, ...asked },
  { type: 'acquire', ask: 2, lease: 'own', ...asked },
  { type: 'permit', ask: 3, lease: LEASE, movable: true },
  { type: 'retry', ask: 4, lease: LEASE },
  { type: 'release', lease: LEASE, failed: true },
  { type: 'status', ask: 5 },
  { type: 'test-retry', ask: 6, run: 1, test: 't', group: null, retry: 1 },
  { type: 'record', round: 'r', outcome: null },
  {
    type: 'pick',
    ask: 7,
    round: 'r',
    task: '__proto__',
    candidates: ['constructor', 'b'],
    attempt: 1,
    seed: null,
  },
  {
    type: 'probed',
    pool: '__proto__',
    probe: 'p',
    kind: 'auth',
    status: 401,
    retryAfterMs: 1e300,
    unsent: false,
    by: 'health',
  },
  {
    type: 'move',
    ask: 8,
    lease: LEASE,
    from: { endpoint: 'eu#e', key: 'one#k' },
    exclude: [],
    kind: 'auth',
    unsent: true,
  },
  {
    type: 'request',
    lease: LEASE,
    ...requestReport({
      kind: 'auth',
      status: 401,
      durationMs: 1e300,
      retryAfterMs: 1e300,
      endpoint: 'eu#e',
      key: 'one#k',
    }),
  },
  {
    type: 'pools',
    revision: 'r',
    pools: [{ ...POOL, name: '__proto__' }],
    problems: [...HOSTILE].map((text) => text.slice(0, 100)),
    files: [{ path: '/dev/null/__proto__', stamp: HOSTILE[0]!.slice(0, 100) }],
  },
  { type: 'offer', revision: 'r', layers: [{ path: '/', text: '{' }] },
  {
    type: 'test-failed',
    ask: 9,
    run: 1,
    test: '__proto__',
    group: null,
    retry: 0,
    product: { title: HOSTILE[0]!, retry: 0, evidence: [] },
  },
];

function hello(client: string, more: object = {}): object {
  return {
    type: 'hello',
    client,
    pid: process.pid,
    pools: [POOL],
    held: [],
    ...more,
  };
}

/** The same message with something in it that no link would send. */
function spoiled(message: object, random: () => number): string {
  const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const kind = Math.floor(random() * 8);
  const text = JSON.stringify(message);
  if (kind === 0) return text.slice(0, Math.floor(random() * text.length));
  if (kind === 1)
    return `{"__proto__":{"type":"hello","client":"x"},"constructor":{"prototype":{"x":1}},${text.slice(1)}`;
  if (kind === 2)
    return Buffer.from(Array.from({ length: 200 }, () => random() * 256))
      .toString('latin1')
      .replaceAll('\n', ' ');
  if (kind === 3)
    return text.replace(
      /"type":"\w+"/,
      `"type":${of(['"shutdown"', '"__proto__"', 'null', '[]', '"welcome"'])}`,
    );
  if (kind === 4) return `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const field = of(Object.keys(message));
  const wild: unknown = of([
    null,
    -1,
    1e308,
    '',
    [],
    {},
    [[[]]],
    { __proto__: null },
    'x'.repeat(10_000),
    true,
    HOSTILE[8],
  ]);
  return kind === 5 ? text : JSON.stringify({ ...message, [field]: wild });
}

describe('a broker under attack', () => {
  let folder: string;
  let project: string;
  let broker: ChildProcess;
  let honest: BrokerClient;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gh-'));
    project = path.join(folder, 's');
    const cacheFile = path.join(folder, 'cache.json');
    const main = path.join(inject('installedProject'), 'node_modules/gemba-agent/dist/broker.cjs');
    broker = spawn(process.execPath, [main, cacheFile, '', '', project], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    (await connectRaw(project)).destroy();
    honest = await newClient(inject('installedProject'), {
      address: { projects: [project], cacheFile },
      pools: [POOL],
    });
    expect(await acquire(honest, LEASE)).toBe('one');
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    honest.close();
    broker.kill('SIGKILL');
    const other = findBroker(project);
    if (other !== null && other !== broker.pid) process.kill(other, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function attacker(): Promise<Socket> {
    for (;;) {
      const socket = connect(brokerSocket(project));
      sockets.push(socket);
      socket.on('error', () => socket.destroy());
      socket.resume();
      const isOpen = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('close', () => resolve(false));
      });
      if (isOpen) return socket;
      // More came at once than the system keeps waiting for a busy broker.
      expect(broker.exitCode).toBeNull();
      await sleep(5);
    }
  }

  const said = (socket: Socket): (() => string) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    return () => text;
  };

  /** A connection of the same user, and what proves that. */
  async function proved(proof?: string): Promise<RawConnection> {
    const raw = await greetRaw(project, proof);
    sockets.push(raw.socket);
    raw.socket.on('error', () => raw.socket.destroy());
    return raw;
  }

  /** A connection that has said hello; it may have been turned away. */
  async function greeted(client: string, more: object = {}): Promise<Socket> {
    const { socket, entry } = await proved();
    const heard = said(socket);
    socket.write(`${JSON.stringify(hello(client, { ...entry, ...more }))}\n`);
    socket.resume();
    await until('an answer', () => heard().includes('\n') || socket.destroyed);
    return socket;
  }

  const memory = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.pid}/status`, 'utf8'))![1]) / 1024;

  /** The honest link has its lease still, alone, and others get theirs. */
  async function expectHonest(): Promise<void> {
    expect(broker.exitCode).toBeNull();
    const status = await honest.ask({ type: 'status' });
    const [pool] = status.is === 'status' ? status.pools : [];
    expect(pool!.leases.map(({ key: name }) => name)).toContain('one');
    expect(pool!.members.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'eu healthy',
      'one healthy',
      'two healthy',
    ]);
    expect(await acquire(honest, 'second')).toBe('two');
    honest.release('second', false);
    expect(await acquire(honest, 'third', 5)).toBe('two');
    expect(await acquire(honest, 'fourth', 5)).toBe('refused');
    honest.release('third', false);
  }

  it.each(SEEDS)('lives, keeps its leases and its memory, whatever it is told (seed %s)', async (seed) => {
    const random = seededRandom(seed);
    const before = memory();
    for (let turn = 0; turn < MESSAGES; turn++) {
      const open = sockets.findLast(({ destroyed, writable }) => !destroyed && writable);
      const socket = open ?? (random() < 0.3 ? await attacker() : await greeted(`attacker-${turn}`));
      if (random() < 0.1) socket.write(`${spoiled(hello(`attacker-${turn}`), random)}\n`);
      const message = WELL_FORMED[Math.floor(random() * WELL_FORMED.length)]!;
      const line = `${spoiled(message, random)}\n`;
      const cut = Math.floor(random() * line.length);
      socket.write(line.slice(0, cut));
      if (random() < 0.1) socket.destroy();
      else socket.write(line.slice(cut));
      if (turn % 25 === 0) await sleep(5);
    }
    for (const socket of sockets.splice(0)) socket.destroy();
    await until('its memory is known', () => broker.exitCode !== null || memory() > 0);
    await expectHonest();
    expect(memory() - before).toBeLessThan(200);
  });

  it('gives no link a say in the lease of another', async () => {
    const held = [{ ...asked, lease: LEASE, endpoint: 'eu#e', key: 'one#k' }];
    const socket = await greeted('thief', { held });
    const heard = said(socket);
    for (const message of WELL_FORMED) if ('lease' in message) socket.write(`${JSON.stringify(message)}\n`);
    socket.write(`${JSON.stringify({ type: 'status', ask: 99 })}\n`);
    await until('the last answer', () => heard().includes('"ask":99'));
    const answers = heard()
      .split('\n')
      .filter((line) => line.includes('"answer"'))
      .map((line) => JSON.parse(line) as { ask: number; answer: { is: string; why?: string } });
    for (const ask of [1, 3, 4, 8])
      expect(answers.find((answer) => answer.ask === ask)?.answer, String(ask)).toMatchObject({ is: 'lost' });
    socket.destroy();
    await expectHonest();
  });

  it('turns away what does not prove whose it is, says hello twice, or speaks before it', async () => {
    const ends = async (socket: Socket, ...lines: object[]): Promise<string> => {
      const heard = said(socket);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(
        lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
      );
      socket.resume();
      await closed;
      return heard();
    };
    expect(await ends(await attacker(), hello('a'))).toBe('');
    expect(await ends(await attacker(), WELL_FORMED[4]!)).toBe('');
    expect(await ends(await attacker(), new String('GET / HTTP/1.1\r\nHost: x\r\n\r'))).toBe('');
    expect(await ends(await attacker(), { type: 'greet', version: 4, nonce: 'x' })).toBe('');
    for (const proof of ['', 'x'.repeat(64), '0'.repeat(64)]) {
      const { socket, entry } = await proved(proof);
      expect(await ends(socket, hello('a', entry))).not.toContain('welcome');
    }
    const { socket, entry } = await proved();
    const twice = await ends(socket, hello('a', entry), hello('b', entry));
    expect(twice.match(/welcome/g)?.length ?? 0).toBeLessThan(2);
    const early = await proved();
    expect(await ends(early.socket, WELL_FORMED[4]!)).toBe('');
    const odd = await proved();
    expect(await ends(odd.socket, hello('', odd.entry))).toContain('"code":"message"');
    await expectHonest();
  });

  it('answers a question that is none to whoever asked it, who keeps what it holds', async () => {
    const socket = await greeted('clumsy');
    const heard = said(socket);
    socket.write(`${JSON.stringify({ ...WELL_FORMED[1], ask: 7, timeoutMs: 1_000 })}\n`);
    await until('a lease', () => heard().includes('"granted"'));
    const odd = [
      { type: 'acquire', ask: 8, lease: 'x', ...asked, timeoutMs: -1 },
      { type: 'acquire', ask: 9, lease: 'x'.repeat(300), ...asked },
      { type: 'nothing', ask: 10 },
      { type: 'request', lease: 'own', ...requestReport({ kind: 'ok', durationMs: -1 }) },
      { type: 'status', ask: 11 },
    ];
    socket.write(odd.map((message) => `${JSON.stringify(message)}\n`).join(''));
    await until('the last answer', () => heard().includes('"ask":11'));
    for (const ask of [8, 9, 10]) expect(heard()).toContain(`"ask":${ask},"answer":{"is":"invalid"`);
    expect(heard()).toMatch(
      /"is":"status".*\{(?=[^{}]*"holder":"h")(?=[^{}]*"endpoint":"eu")[^{}]*"key":"two"/,
    );
    socket.destroy();
    expect(await acquire(honest, 'again')).toBe('two');
    honest.release('again', false);
  });

  it('ends lines that never end, at a few megabytes, and stays quick for others meanwhile', async () => {
    const before = memory();
    const sent = Array.from({ length: 4 }, async () => {
      const socket = await attacker();
      const piece = Buffer.alloc(64 * 1024, 120);
      let bytes = 0;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      const more = (): void => {
        while (!socket.destroyed && bytes < 64 * 1024 * 1024) {
          bytes += piece.length;
          if (!socket.write(piece)) return void socket.once('drain', more);
        }
      };
      more();
      await closed;
      return bytes;
    });
    const { socket: zeros, entry } = await proved();
    const refused = new Promise((resolve) => zeros.once('close', resolve));
    zeros.resume();
    zeros.write(
      `${JSON.stringify(hello('z', entry)).replace(/"pools":\[.*\],"held"/, `"pools":[${'0,'.repeat(1_500_000)}0],"held"`)}\n`,
    );
    for (const bytes of await Promise.all(sent)) expect(bytes).toBeLessThan(16 * 1024 * 1024);
    await refused;
    await expectHonest();
    expect(memory() - before).toBeLessThan(400);
  });

  it('bears a thousand connections that say nothing, and they do not keep it from its end', async () => {
    const silent = await Promise.all(Array.from({ length: 1_000 }, attacker));
    await expectHonest();
    honest.release(LEASE, false);
    honest.close();
    const ended = new Promise((resolve) => broker.once('exit', resolve));
    await ended;
    await until('the silent are cut off', () => silent.every(({ destroyed }) => destroyed));
    await expect(connectOnce(brokerSocket(project))).rejects.toThrow('ECONNREFUSED');
  });

  it('does not keep in memory what a link leaves unread', async () => {
    const { socket, entry } = await proved();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(`${JSON.stringify(hello('deaf', entry))}\n`);
    const question = `${JSON.stringify({ type: 'status', ask: 1 })}\n`.repeat(2_000);
    let ended = false;
    void closed.then(() => (ended = true));
    let most = 0;
    for (let turn = 0; turn < 400 && !ended; turn++) {
      if (socket.writableLength < 1e6) socket.write(question);
      most = Math.max(most, broker.exitCode === null ? memory() : 0);
      await sleep(5);
    }
    expect(most).toBeLessThan(600);
    socket.destroy();
    await expectHonest();
  });

  it('keeps its own secret where only its user can read it, and shows none of whoever started it', async () => {
    const file = path.join(privateFolder(), secretFile(project));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    const address = { projects: [path.join(folder, 't')], cacheFile: path.join(folder, 'other.json') };
    const canary = 'canary-of-the-environment-17';
    process.env['CI_KEY_CANARY'] = canary;
    const client = await newClient(inject('installedProject'), { address, pools: [POOL] });
    try {
      expect(await acquire(client, 'lease')).toBe('one');
      const pid = findBroker(address.projects[0]!)!;
      const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .map((line) => line.split('=')[0]!);
      expect(
        names.filter(
          (name) => name !== '' && !/^(PATH|HOME|TMPDIR|NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA)$/.test(name),
        ),
      ).toEqual([]);
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('canary');
      process.kill(pid, 'SIGKILL');
    } finally {
      delete process.env['CI_KEY_CANARY'];
      client.close();
    }
  });
});
