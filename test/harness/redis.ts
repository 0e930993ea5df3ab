import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';

export interface TestRedis {
  readonly port: number;
  /** Of database 0, with the password where one was asked for. */
  readonly url: string;
  /** SIGKILL: nothing is saved. */
  kill: () => Promise<void>;
  /** Starts it again at the same port, empty. */
  start: () => Promise<void>;
  /** SIGSTOP: it takes connections and answers nothing. */
  pause: () => void;
  resume: () => void;
  /** Sends one command over a connection of its own. */
  command: (...command: string[]) => Promise<unknown>;
  /** Ends it and removes its folder. */
  close: () => Promise<void>;
}

export interface RedisOptions {
  password?: string;
  /** `redis-server` or `valkey-server`. */
  program?: string;
}

const START_MS = 5_000;

/** The servers of this machine that the store must work with. */
export function foundServers(): string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return ['redis-server', 'valkey-server'].filter((name) =>
    folders.some((folder) => existsSync(path.join(folder, name))),
  );
}

/** A real server of its own, on loopback, that writes nothing to the disk but in a folder of its own. */
export async function startRedis({
  password,
  program = 'redis-server',
}: RedisOptions = {}): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gemba-redis-'));
  const port = await freePort();
  const url = `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}/0`;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(program, argumentsOf(port, folder, password), { stdio: 'ignore' });
    await answering(child, port);
  };
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    port,
    url,
    start,
    kill,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    command: (...command) => send(url, command),
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

function argumentsOf(port: number, folder: string, password: string | undefined): string[] {
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder];
  const secured = password === undefined ? [] : ['--requirepass', password];
  return [...own, '--save', '', '--appendonly', 'no', ...secured];
}

async function send(url: string, command: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  const giveUpAt = Date.now() + START_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > giveUpAt) throw new Error(`No Redis came up at port ${port}`);
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const say = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => say(true));
    socket.once('error', () => say(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('No port')),
      );
    });
  });
}
