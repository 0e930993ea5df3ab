import { type FlatReport, requestReport } from '../../harness/request-report.ts';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BrokerClient } from '../../../src/client/broker-client.ts';
import { parseJson } from '../../../src/shared/json.ts';
import { Strangers } from '../../../src/broker/strangers.ts';
import { thisMachine } from '../../../src/client/machine.ts';
import { brokerSocket } from '../../../src/shared/local-sockets.ts';
import { splitLines, toLine } from '../../../src/wire/lines.ts';

const WISH = {
  pool: 'api',
  need: {},
  holder: 'file › title',
  testId: null,
  exclude: [],
  timeoutMs: 1_000,
};
const report = (lease: string, outcome: Partial<FlatReport> = {}): void =>
  client.report({ lease, ...requestReport({ kind: 'ok', status: 200, key: 'one#k', ...outcome }) });

const SECRET = { text: 'secret', file: 'file' };

/** What came in one piece, by type, after the hello. */
let pieces: string[][];
let folder: string;
let server: Server;
let isFastPath: boolean;
/** Called to welcome who said hello last. */
let welcome: () => void;
let isWelcoming: boolean;
let isGranting: boolean;
/** How long each was said to have waited before. */
let waits: (number | undefined)[];
let sockets: Socket[];
let client: BrokerClient;

beforeEach(async () => {
  pieces = [];
  isFastPath = true;
  isWelcoming = true;
  isGranting = true;
  waits = [];
  sockets = [];
  folder = mkdtempSync(path.join(tmpdir(), 'gl-'));
  server = createServer(serve);
  const project = path.join(folder, 's');
  await new Promise<void>((resolve) => server.listen(brokerSocket(project), resolve));
  client = new BrokerClient({
    address: { projects: [project], cacheFile: path.join(folder, 'c') },
    pools: [],
    mayStart: false,
    machine: { ...thisMachine, readIdentity: () => ({ secret: SECRET.text, pid: process.pid, start: '' }) },
  });
  await client.ask({ type: 'acquire', lease: 'a', ...WISH });
});

afterEach(() => {
  vi.useRealTimers();
  client.close();
  server.close();
  rmSync(folder, { recursive: true });
});

/** A broker that welcomes everybody, unless the test does so, and grants everything. */
function serve(socket: Socket): void {
  let piece: string[] = [];
  const strangers = new Strangers(SECRET);
  strangers.add(socket, path.join(folder, 's'));
  const say = (message: object): boolean => socket.write(toLine(message));
  const read = splitLines(
    (line) => {
      const message = parseJson(line) as { type: string; ask: number; waitedMs?: number };
      if (message.type === 'greet') return void say(strangers.greet(socket, line)!);
      piece.push(message.type);
      if (message.type === 'hello') {
        const empty = { broker: 'b', healthSnapshots: [], config: null, isKnownRun: false, notices: [] };
        welcome = () => say({ type: 'welcome', ...empty });
        sockets.push(socket);
        if (isWelcoming) welcome();
      }
      if (message.type !== 'acquire') return;
      waits.push(message.waitedMs);
      if (!isGranting) return;
      const grant = { endpoint: null, key: { id: 'one#k', name: 'Schlüssel › 1' }, fastPath: isFastPath };
      say({ type: 'answer', ask: message.ask, answer: { is: 'granted', grant, waitedMs: 0 } });
    },
    () => socket.destroy(),
  );
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    piece = [];
    read(chunk);
    if (piece.length > 0 && piece[0] !== 'proof') pieces.push(piece);
  });
}

/** Waits for what is to come without a timer, since the test may have stopped those of the link. */
async function told(...expected: string[][]): Promise<void> {
  const all = [['acquire'], ...expected];
  const end = performance.now() + 5_000;
  while (pieces.flat().length < all.flat().length && performance.now() < end)
    await new Promise((resolve) => setImmediate(resolve));
  expect(pieces).toEqual(all);
}

test('an attempt that went well at a free member goes with what is told next', async () => {
  report('a');
  await sleep(1);
  client.release('a', false);
  await told(['request', 'release']);
});

test('and by itself where nothing comes', async () => {
  report('a');
  report('a');
  await told(['request', 'request']);
});

test('before the link closes, too', async () => {
  report('a');
  client.close();
  await told(['request']);
});

test('a failed one goes at once, with what could wait before it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  report('a');
  report('a', { kind: 'server', status: 500 });
  await told(['request', 'request']);
});

test('so does one at a member whose calls ask for turns', async () => {
  isFastPath = false;
  await client.ask({ type: 'acquire', lease: 'b', ...WISH });
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  report('b');
  await told(['acquire'], ['request']);
});

test('what is given back after the hello, and before its answer, is told after the answer', async () => {
  isWelcoming = false;
  sockets[0]!.destroy();
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  report('a', { kind: 'server', status: 500 });
  client.release('a', true);
  await sleep(1);
  expect(pieces).toEqual([['acquire']]);
  welcome();
  await told(['request', 'release']);
});

test('also by a link that was closed meanwhile, which leaves then', async () => {
  isWelcoming = false;
  sockets[0]!.destroy();
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  const ended = once(sockets[1]!, 'end');
  client.release('a', false);
  client.close();
  await sleep(1);
  expect(pieces).toEqual([['acquire']]);
  welcome();
  await told(['release']);
  await ended;
});

test('a wait that a broker was lost in goes on at the next, and says how long it has lasted', async () => {
  isGranting = false;
  const waiting = client.ask({ type: 'acquire', lease: 'b', ...WISH });
  await vi.waitFor(() => expect(waits).toHaveLength(2));
  await sleep(30);
  isGranting = true;
  sockets[0]!.destroy();
  expect(await waiting).toMatchObject({ is: 'granted' });
  expect(waits[0]).toBeLessThan(29);
  expect(waits[1]).toBeUndefined();
  expect(waits[2]).toBeGreaterThanOrEqual(29);
});
