// A server that sends the messages of a lease back as they came, in a process of its own, and decides nothing: each of
// them, or, as a broker does, only the one that is a question.
import { fork } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SUCCESS, wish } from '../pool.mjs';
import { cpuMs } from './figures.mjs';

if (process.argv[2] === 'echo') serve(process.argv[3], process.argv[4]);

function serve(socketPath, what) {
  const server = createServer((socket) => {
    eachLine(socket, (line) => {
      const message = JSON.parse(line);
      if (what === 'all' || message.type === 'acquire') socket.write(`${JSON.stringify(message)}\n`);
    });
  });
  server.listen(socketPath, () => process.send('listens'));
  process.on('message', () => process.send(cpuMs()));
  process.on('disconnect', () => process.exit());
}

/** Starts one that sends back `all` messages or `questions`. `cpuMs` tells what it used so far. */
export async function startEcho(socketPath, what) {
  const child = fork(fileURLToPath(import.meta.url), ['echo', socketPath, what]);
  const said = () => new Promise((resolve) => child.once('message', resolve));
  await said();
  const report = () => {
    child.send('how much?');
    return said();
  };
  return { cpuMs: report, close: () => child.kill() };
}

/** Connects to it. `cycle` sends it the messages of one lease, held so long, and tells how long its answer took, in ms. */
export async function connectEcho(socketPath, holdMs = 0) {
  const socket = connect(socketPath);
  await new Promise((resolve) => socket.once('connect', resolve));
  let answered;
  eachLine(socket, (line) => {
    const message = JSON.parse(line);
    if (message.type === 'acquire') answered(message);
  });
  const send = (message) => socket.write(`${JSON.stringify(message)}\n`);
  const cycle = async (count) => {
    const lease = `${process.pid}-${count}`;
    const began = performance.now();
    const answer = new Promise((resolve) => {
      answered = resolve;
    });
    send({ type: 'acquire', ask: count, lease, timeoutMs: 60_000, ...wish(50) });
    await answer;
    const waited = performance.now() - began;
    if (holdMs > 0) await sleep(holdMs);
    send({ type: 'request', lease, ...SUCCESS });
    send({ type: 'release', lease, failed: false });
    return waited;
  };
  return { cycle, close: () => socket.destroy() };
}

function eachLine(socket, take) {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(take);
  });
}
