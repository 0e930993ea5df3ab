// The soak's processes, seen from outside.
import { fork } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_MS = 90_000;

export class Workers {
  /** When each process was killed, by its number: nanoseconds of the clock that processes share. */
  killedAt = new Map();
  problems = [];
  #options;
  #alive = new Map();
  #counts = new Map();
  #last = 0;

  /** @param options folder of the logs, addresses of the brokers, dist, seed, port of the `sessions`, the `clock` or null */
  constructor(options) {
    this.#options = options;
  }

  get leases() {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Numbers of those that have come so far as to hold something. */
  get busy() {
    return [...this.#alive.keys()].filter((number) => this.#counts.has(number));
  }

  start() {
    const number = ++this.#last;
    const { folder, addresses, dist, seed, sessions, clock } = this.#options;
    const order = {
      dist,
      seed: `${seed}-${number}`,
      log: path.join(folder, `${number}.log`),
      address: addresses[number % addresses.length],
      sessions,
      exec: clock?.exec,
    };
    const child = fork(path.join(import.meta.dirname, 'worker.mjs'), [JSON.stringify(order)], {
      env: { ...process.env, TMPDIR: path.join(folder, 'tmp') },
      ...(clock && { execPath: clock.exec }),
    });
    this.#alive.set(number, child);
    child.on('message', (count) => this.#counts.set(number, count));
    child.on('exit', (code) => {
      this.#alive.delete(number);
      if (code !== 0 && !this.killedAt.has(number))
        this.problems.push(`process ${number} ended with ${code}`);
    });
  }

  kill(number) {
    const child = this.#alive.get(number);
    if (!child) return;
    this.killedAt.set(number, Number(process.hrtime.bigint()));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    this.#alive.delete(number);
  }

  async pause(number, ms) {
    const child = this.#alive.get(number);
    child?.kill('SIGSTOP');
    await sleep(ms);
    child?.kill('SIGCONT');
  }

  /** Lets each end what it does. */
  async stop() {
    for (const child of this.#alive.values()) if (child.connected) child.send('stop');
    const giveUpAt = performance.now() + STOP_MS;
    while (this.#alive.size > 0 && performance.now() < giveUpAt) await sleep(20);
    for (const number of this.#alive.keys()) {
      this.problems.push(`process ${number} waits for ever`);
      this.kill(number);
    }
  }
}
