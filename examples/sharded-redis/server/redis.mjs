// A Redis of our own, which writes nothing to the disk; only where `redis-server` or `valkey-server` is installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 200;

/** Its address, and how to end it; null where no server is installed. */
export async function startRedis() {
  const program = (process.env.PATH ?? '')
    .split(path.delimiter)
    .flatMap((folder) => ['redis-server', 'valkey-server'].map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));
  if (program === undefined) return null;
  const port = await freePort();
  const options = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    os.tmpdir(),
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn(program, options, { stdio: 'ignore' });
  for (let left = TRIES; !(await accepts(port)); left--) {
    if (left === 0 || child.exitCode !== null) throw new Error(`${program} did not start at port ${port}`);
    await sleep(50);
  }
  return { url: `redis://127.0.0.1:${port}/0`, end: () => child.kill() };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
