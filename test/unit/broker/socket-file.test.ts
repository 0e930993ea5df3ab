import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { listenAtFile, watchSocketFile } from '../../../src/broker/socket-file.ts';

let folder: string;
let file: string;
const servers: Server[] = [];
const closing: { close: () => void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gs-'));
  file = path.join(folder, 's');
});
afterEach(() => {
  for (const open of [...closing.splice(0), ...servers.splice(0)]) open.close();
  rmSync(folder, { recursive: true, force: true });
});

function newServer(): Server {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  return server;
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
}

const leftBehind: [string, () => void][] = [
  ['nothing', () => undefined],
  ['a file', () => writeFileSync(file, '')],
  ['a lock of long ago', () => (writeFileSync(`${file}.lock`, ''), utimesSync(`${file}.lock`, 1, 1))],
  ['a lock of the future', () => (writeFileSync(`${file}.lock`, ''), utimesSync(`${file}.lock`, 4e9, 4e9))],
  ['a lock that is a folder', () => mkdirSync(`${file}.lock`)],
];

it.skipIf(process.platform === 'win32').each(leftBehind)(
  'of many that come at the same time one listens, within two seconds, where %s was left behind',
  async (_what, leave) => {
    leave();
    const began = performance.now();
    const listens = await Promise.all(Array.from({ length: 5 }, () => listenAtFile(newServer(), file)));
    expect(listens.filter(Boolean)).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await answers()).toBe(true);
    expect(existsSync(`${file}.lock`)).toBe(false);
  },
);

it.skipIf(process.platform === 'win32')('is made again when something deletes it', async () => {
  const onReplaced = vi.fn();
  await listenAtFile(newServer(), file);
  closing.push(watchSocketFile(file, () => listenAtFile(newServer(), file), onReplaced));
  rmSync(file);
  await vi.waitFor(async () => expect(await answers()).toBe(true), 3_000);
  expect(onReplaced).not.toHaveBeenCalled();
});

it.skipIf(process.platform === 'win32')(
  'calls back once when another process listens in its place',
  async () => {
    const onReplaced = vi.fn();
    await listenAtFile(newServer(), file);
    closing.push(watchSocketFile(file, () => listenAtFile(newServer(), file), onReplaced));
    rmSync(file);
    await new Promise<void>((resolve) => newServer().listen(file, resolve));
    await vi.waitFor(() => expect(onReplaced).toHaveBeenCalledTimes(1), 3_000);
  },
);
