// Load: so many processes, each of which repeats a cycle of ./cycles.mjs as fast as it goes.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
// A new process compiles its code first, a broker more of it than an echo: not what a run of minutes costs. The more
// processes share this machine, the longer that takes.
const WARM_UP_MS = 800;

if (process.argv[1] === self) await work(JSON.parse(process.argv[2]));

/** How many cycles a second all of them made, and how long each was waited for, in milliseconds. */
export async function load(cycle, options, { processes, seconds }) {
  const order = JSON.stringify({ cycle, options, warmUpMs: WARM_UP_MS * processes, ms: seconds * 1000 });
  const children = Array.from({ length: processes }, () => fork(self, [order]));
  const said = () => Promise.all(children.map((child) => nextOf(child)));
  await said();
  const telling = said();
  for (const child of children) child.send('go');
  const waits = (await telling).flat().sort((a, b) => a - b);
  for (const child of children) child.kill();
  const at = (share) => waits[Math.floor(waits.length * share)];
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  return { rate: waits.length / seconds, p50: at(0.5), p99: at(0.99), mean, max: waits.at(-1) };
}

/** `8 processes`, `18,630 a second`, `18,630 a second, p50 0.35 ms, p99 2.6 ms`, as the tables have it. */
export const inProcesses = (processes) => `${processes} ${processes === 1 ? 'process' : 'processes'}`;
export const perSecond = ({ rate }) => `${Math.round(rate).toLocaleString('en')} a second`;
export const withWaits = (seen) =>
  `${perSecond(seen)}, p50 ${seen.p50.toFixed(2)} ms, p99 ${seen.p99.toFixed(1)} ms`;

function nextOf(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`a process under load ended with ${code}`)));
  });
}

async function work({ cycle: name, options, warmUpMs, ms }) {
  const { CYCLES } = await import('./cycles.mjs');
  const cycle = await CYCLES[name](options);
  process.send('ready');
  await new Promise((resolve) => process.once('message', resolve));
  let count = 0;
  const repeat = async (forMs) => {
    const waits = [];
    const end = performance.now() + forMs;
    while (performance.now() < end) waits.push(await cycle(count++));
    return waits;
  };
  await repeat(warmUpMs);
  process.send(await repeat(ms));
}
