// A server that sends the question of a lease back as it came, in a process of its own, and decides nothing.
import { fork } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SUCCESS, wish } from '../pool.mjs';
import { cpuMs } from './figures.mjs';

if (process.argv[2] === 'echo') serve(process.argv[3]);

function serve(socketPath) {
  const server = createServer((socket) => {
    eachLine(socket, (line) => {
      const message = JSON.parse(line);
      if (message.type === 'acquire') socket.write(`${JSON.stringify(message)}\n`);
    });
  });
  server.listen(socketPath, () => process.send('listens'));
  process.on('message', () => process.send(cpuMs()));
  process.on('disconnect', () => process.exit());
}

/** Starts it. `cycle` sends it the messages of one lease; `cpuMs` tells what it used so far. */
export async function echoServer(socketPath) {
  const child = fork(fileURLToPath(import.meta.url), ['echo', socketPath]);
  const said = () => new Promise((resolve) => child.once('message', resolve));
  await said();
  const socket = connect(socketPath);
  await new Promise((resolve) => socket.once('connect', resolve));
  let answered;
  eachLine(socket, (line) => answered(JSON.parse(line)));
  const send = (message) => socket.write(`${JSON.stringify(message)}\n`);
  const cycle = async (count) => {
    const lease = `${process.pid}-${count}`;
    const answer = new Promise((resolve) => {
      answered = resolve;
    });
    send({ type: 'acquire', ask: count, lease, timeoutMs: 60_000, ...wish(50) });
    await answer;
    send({ type: 'attempt', lease, ...SUCCESS });
    send({ type: 'release', lease, failed: false });
  };
  const close = () => {
    socket.destroy();
    child.kill();
  };
  const tell = () => {
    child.send('how much?');
    return said();
  };
  return { cycle, cpuMs: tell, close };
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
